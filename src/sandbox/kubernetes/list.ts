import { at, numberAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import type { ResourceRequest } from "./request.ts";
import type { Resource } from "./resources.ts";
import { fieldQuery, labelQuery, type Selector } from "./selectors.ts";
import { badRequest, expired, StatusError } from "./status.ts";
import type { Store } from "./store.ts";

export type Listing = {
  readonly items: readonly KubeObject[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
};

/** What a continue token holds: the revision that all pages show, and the last key of the page before. */
type Page = { readonly revision: number; readonly after: string };

/** A list or one page of it. All pages of a list show the same revision; 410 where the history no longer holds it. */
export function listObjects(store: Store, request: ResourceRequest): Listing {
  const { query } = request;
  const page = pageOf(query.get("continue"), store);
  const revision = page?.revision ?? wantedRevision(store, request);
  const selected = objectsAt(store, request, revision).filter(selectorOf(request));
  const rest = page === undefined ? selected : selected.filter((object) => keyOf(object) > page.after);
  const items = rest.slice(0, Number(query.get("limit")) || rest.length);
  const resourceVersion = String(revision);
  const last = items.at(-1);
  const remainingItemCount = rest.length - items.length;
  if (remainingItemCount === 0 || last === undefined) return { items, metadata: { resourceVersion } };
  const token = tokenOf({ revision, after: keyOf(last) });
  // With a selector the server does not know how many remain, and leaves the count out.
  const counted = !query.get("labelSelector") && !query.get("fieldSelector");
  return { items, metadata: { resourceVersion, continue: token, ...(counted ? { remainingItemCount } : {}) } };
}

/** `labelSelector` and `fieldSelector` of the query, and the name where the path has one. */
export function selectorOf({ query, resource, name }: ResourceRequest): Selector {
  const byLabels = labelQuery(query.get("labelSelector") ?? "");
  const byFields = fieldQuery(query.get("fieldSelector") ?? "", fieldsOf(resource));
  return (object) => byLabels(object) && byFields(object) && (name === undefined || object.metadata.name === name);
}

/** The resourceVersion of the query; undefined where there is none. 400 where it is no number. */
export function resourceVersionOf({ query }: ResourceRequest): number | undefined {
  const text = query.get("resourceVersion") ?? "";
  if (text === "") return undefined;
  if (!/^\d+$/.test(text)) {
    throw badRequest(`resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`);
  }
  return Number(text);
}

/** The revision that a first page shows: the latest, or the very one that was asked for. */
function wantedRevision(store: Store, request: ResourceRequest): number {
  const wanted = resourceVersionOf(request) ?? 0;
  if (wanted > store.revision()) throw tooLarge(wanted, store.revision());
  return request.query.get("resourceVersionMatch") === "Exact" ? wanted : store.revision();
}

function objectsAt(store: Store, { resource, namespace }: ResourceRequest, revision: number): KubeObject[] {
  const within = namespace === "" ? undefined : namespace;
  if (revision === store.revision()) return store.list(resource.storage, within);
  const objects = store.listAt(resource.storage, revision, within);
  if (objects === undefined) throw tooOld();
  return objects;
}

const knownFields = new Map<string, readonly string[]>([
  [
    "Pod",
    [
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.phase",
      "status.podIP",
      "status.nominatedNodeName",
    ],
  ],
  [
    "Event",
    [
      "involvedObject.kind",
      "involvedObject.namespace",
      "involvedObject.name",
      "involvedObject.uid",
      "involvedObject.apiVersion",
      "involvedObject.resourceVersion",
      "involvedObject.fieldPath",
      "reason",
      "reportingComponent",
      "source",
      "type",
    ],
  ],
  ["Namespace", ["status.phase"]],
  ["Node", ["spec.unschedulable"]],
  ["Secret", ["type"]],
  ["Job", ["status.successful"]],
  ["ReplicaSet", ["status.replicas"]],
  ["ReplicationController", ["status.replicas"]],
]);

function fieldsOf({ kind }: Resource): readonly string[] {
  return ["metadata.name", "metadata.namespace", ...(knownFields.get(kind) ?? [])];
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function tokenOf(page: Page): string {
  return Buffer.from(JSON.stringify(page)).toString("base64url");
}

function pageOf(token: string | null, store: Store): Page | undefined {
  if (token === null || token === "") return undefined;
  const page = decodeToken(token);
  const revision = numberAt(page, "revision");
  const after = at(page, "after");
  if (revision === undefined || typeof after !== "string")
    throw badRequest("continue key is not valid: it was not issued here");
  if (revision < store.oldest()) throw tooOld();
  return { revision, after };
}

function decodeToken(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

function tooOld(): StatusError {
  return expired(
    "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
  );
}

function tooLarge(wanted: number, current: number): StatusError {
  return new StatusError(504, "Timeout", `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
