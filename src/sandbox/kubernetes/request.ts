import { parse as parseYaml } from "yaml";
import { decodeProtobuf, isProtobuf } from "./protobuf.ts";
import type { Resource, Resources } from "./resources.ts";
import { badRequest, noSuchResource, unsupportedMediaType } from "./status.ts";

/** A request for a resource, as its path, method and query say. */
export type ResourceRequest = {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";
  readonly resource: Resource;
  /** Empty for a cluster-scoped resource and for a list over all namespaces. */
  readonly namespace: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly query: URLSearchParams;
};

/** Undefined where the method does not fit; 404 where nothing is served under the path. */
export function resourceRequest(resources: Resources, method: string, url: URL): ResourceRequest | undefined {
  const query = url.searchParams;
  const target = targetOf(resources, url.pathname);
  const verb = verbOf(method, target.name !== undefined, isTrue(query.get("watch")));
  const overAll = target.resource.namespaced && target.namespace === "";
  const fits = verb !== undefined && (!overAll || verb === "list" || verb === "watch");
  return fits ? { ...target, verb, query } : undefined;
}

/** Whether a parameter of the query is set, as Go reads it. */
export function isTrue(value: string | null): boolean {
  return value === "1" || value === "true";
}

type Target = Pick<ResourceRequest, "resource" | "namespace" | "name" | "subresource">;

function targetOf(resources: Resources, path: string): Target {
  const { group, version, rest } = splitPath(path);
  const namespace = namespaceOf(rest);
  const [plural = "", name, subresource, ...more] = namespace === "" ? rest : rest.slice(2);
  const resource = resources.find(group, version, plural);
  if (resource === undefined || more.length > 0 || (namespace !== "" && !resource.namespaced)) throw noSuchResource();
  if (subresource !== undefined && !resource.subresources.includes(subresource)) throw noSuchResource();
  return { resource, namespace, name, subresource };
}

/** /namespaces/x/status is the namespace's own; /namespaces/x/pods lies in it. */
function namespaceOf([first, namespace = "", third]: readonly string[]): string {
  return first === "namespaces" && third !== undefined && third !== "status" && third !== "finalize" ? namespace : "";
}

/** The body as a value: JSON, YAML, or one of the few protobuf messages that kubectl insists on. */
export function readBody(bytes: Buffer, contentType: string): unknown {
  if (bytes.length === 0) return undefined;
  if (isProtobuf(bytes)) return decodeProtobuf(bytes);
  const type = contentType.split(";")[0]?.trim() ?? "";
  const text = bytes.toString("utf8");
  try {
    if (type.endsWith("yaml") && !text.trimStart().startsWith("{")) return parseYaml(text);
    if (type === "" || type.endsWith("json") || type.endsWith("yaml")) return JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

function splitPath(path: string): { group: string; version: string; rest: string[] } {
  const [root, ...parts] = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  if (root === "api") return { group: "", version: parts[0] ?? "", rest: parts.slice(1) };
  if (root === "apis") return { group: parts[0] ?? "", version: parts[1] ?? "", rest: parts.slice(2) };
  throw noSuchResource();
}

function verbOf(method: string, named: boolean, watch: boolean): ResourceRequest["verb"] | undefined {
  switch (method) {
    case "GET":
      return named ? "get" : watch ? "watch" : "list";
    case "POST":
      return named ? undefined : "create";
    case "PUT":
      return named ? "update" : undefined;
    case "PATCH":
      return named ? "patch" : undefined;
    case "DELETE":
      return named ? "delete" : "deletecollection";
    default:
      return undefined;
  }
}
