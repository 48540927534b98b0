import { groupVersions } from "./discovery.ts";
import type { JsonObject } from "./json.ts";
import { groupVersion, type Resource, type Resources } from "./resources.ts";
import { noSuchResource } from "./status.ts";

const parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
  name,
  in: "query",
  schema: { type: "string" },
}));

/**
 * /openapi/v3 with paths and their parameters, without schemas: from it kubectl learns that the server validates
 * fields, and it merges by its own types. Undefined for other paths.
 */
export function openApiV3(resources: Resources, path: string): JsonObject | undefined {
  if (path === "/openapi/v3") {
    const all = ["api/v1", ...groupVersions(resources).map((each) => `apis/${each}`)];
    return {
      paths: Object.fromEntries(all.map((each) => [each, { serverRelativeURL: `/openapi/v3/${each}?hash=0` }])),
    };
  }
  if (!path.startsWith("/openapi/v3/")) return undefined;
  const wanted = path.slice("/openapi/v3/".length).replace(/^apis?\//, "");
  const served = resources.all().filter((resource) => groupVersion(resource) === wanted);
  if (served.length === 0) throw noSuchResource();
  const paths = Object.fromEntries(served.flatMap(pathsOf));
  return { openapi: "3.0.0", info: { title: "Kubernetes", version: "v1.32.0" }, paths, components: { schemas: {} } };
}

/** /openapi/v2 for kubectl before 1.27, which reads only protobuf: a document without definitions turns its own validation off. */
export function openApiV2(): Buffer {
  const text = (field: number, value: string): Buffer => field_(field, Buffer.from(value));
  const info = Buffer.concat([text(1, "Kubernetes"), text(2, "v1.32.0")]);
  return Buffer.concat([text(1, "2.0"), field_(2, info), field_(8, Buffer.alloc(0)), field_(9, Buffer.alloc(0))]);
}

function pathsOf(resource: Resource): [string, JsonObject][] {
  const { group, kind, version } = resource;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const base = `${root}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}`;
  const operation = { "x-kubernetes-group-version-kind": { group, kind, version }, parameters, responses: {} };
  return [
    [base, { post: operation }],
    [`${base}/{name}`, { put: operation, patch: operation }],
  ];
}

/** A length-delimited protobuf field; all of these are shorter than 128 bytes. */
function field_(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}
