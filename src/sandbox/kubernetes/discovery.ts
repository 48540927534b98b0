import type { JsonObject } from "./json.ts";
import { groupVersion, type Resource, type Resources } from "./resources.ts";
import { noSuchResource } from "./status.ts";

/** What can be done to a stored resource. */
export const storedVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** The version that the sandbox says it is: what its behaviour was taken from and compared with. */
export const serverVersion: JsonObject = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+sandbox",
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "linux/amd64",
};

/** The documents under /api and /apis that tell clients what there is; undefined for other paths, 404 for unknown groups. */
export function discover(resources: Resources, path: string): JsonObject | undefined {
  const [root, ...parts] = path.split("/").filter((part) => part !== "");
  if (root === "api" && parts.length === 0)
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  if (root === "api" && parts.length === 1) return resourceList(resources, parts[0] ?? "");
  if (root !== "apis" || parts.length > 2) return undefined;
  if (parts.length === 2) return resourceList(resources, parts.join("/"));
  const groups = groupsOf(resources);
  if (parts.length === 0) return { kind: "APIGroupList", apiVersion: "v1", groups };
  const group = groups.find(({ name }) => name === parts[0]);
  if (group === undefined) throw noSuchResource();
  return { kind: "APIGroup", apiVersion: "v1", ...group };
}

/** `apps/v1`, … of all groups but core. */
export function groupVersions(resources: Resources): string[] {
  return [...new Set(resources.all().map(groupVersion))].filter((each) => each !== "v1");
}

function groupsOf(
  resources: Resources,
): { name: string; versions: JsonObject[]; preferredVersion: JsonObject | undefined }[] {
  const names = [...new Set(groupVersions(resources).map((each) => each.split("/")[0] ?? ""))];
  return names.map((name) => {
    const versions = groupVersions(resources)
      .filter((each) => each.startsWith(`${name}/`))
      .map((each) => ({ groupVersion: each, version: each.slice(name.length + 1) }));
    return { name, versions, preferredVersion: versions[0] };
  });
}

function resourceList(resources: Resources, wanted: string): JsonObject {
  const served = resources.all().filter((resource) => groupVersion(resource) === wanted);
  if (served.length === 0) throw noSuchResource();
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion: wanted, resources: served.flatMap(entries) };
}

function entries(resource: Resource): JsonObject[] {
  const { plural, kind, namespaced, shortNames, subresources, type } = resource;
  const own = {
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs: type === "review" ? ["create"] : storedVerbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
  };
  return [
    own,
    ...subresources.map((name) => ({
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      kind,
      verbs: ["get", "patch", "update"],
    })),
  ];
}
