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
  const { query, resource, namespace } = request;
  const page = pageOf(query.get("continue"), store);
  const limit = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
  const exact = query.get("resourceVersionMatch") === "Exact" ? resourceVersionOf(request) : undefined;
  const wanted = resourceVersionOf(request) ?? 0;
  if (wanted > store.revision()) throw tooLarge(wanted, store.revision());
  const revision = page?.revision ?? exact ?? store.revision();
  const all = objectsAt(store, request, revision);
  const selected = all.filter(selectorOf(request));
  const start = page === undefined ? 0 : selected.findIndex((object) => keyOf(object) > page.after);
  const rest = start < 0 ? [] : selected.slice(start);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const more = rest.length > items.length && last !== undefined;
  // With a selector the server does not know how many remain, and leaves the count out.
  const counted = !query.get("labelSelector") && !query.get("fieldSelector");
  return {
    items,
    metadata: {
      resourceVersion: String(revision),
      ...(more ? { continue: tokenOf({ revision, after: keyOf(last) }) } : {}),
      ...(more && counted ? { remainingItemCount: rest.length - items.length } : {}),
    },
  };

  function objectsAt(from: Store, { resource: { storage } }: ResourceRequest, then: number): KubeObject[] {
    const within = namespace === "" ? undefined : namespace;
    if (then === from.revision()) return from.list(storage, within);
    const objects = from.listAt(resource.storage, then, within);
    if (objects === undefined) throw tooOld();
    return objects;
  }
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
