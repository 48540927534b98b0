import { applyConfiguration } from "./apply.ts";
import { readConfiguration } from "./body.ts";
import { type Answer, type Api, type Caller, requireNamespace, stored, writingOf } from "./exchange.ts";
import type { Draft, KubeObject } from "./objects.ts";
import type { ResourceRequest } from "./request.ts";
import { groupVersion } from "./resources.ts";
import { badRequest, conflict, invalid, type StatusError } from "./status.ts";
import { subjectOf } from "./subjects.ts";
import { writerOf } from "./write.ts";

/** PATCH by server-side apply: creates what is absent, unless the configuration bears a uid. */
export function applyObject(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, name = "", query, subresource } = request;
  const configuration = readConfiguration(resource, caller.body);
  checkConfiguration(request, configuration);
  const force = query.get("force") === "true";
  const writer = { ...writerOf(query.get("fieldManager") ?? "", subresource, api.now), operation: "Apply" as const };
  const writing = { ...writingOf(request, caller), apply: true };
  const absent = api.store.get(resource.storage, namespace, name) === undefined;
  if (absent) checkAbsent(api, request, configuration);
  const previous = absent ? bareObject(request) : stored(api, request);
  const next = withServerFields(applyConfiguration(previous, configuration, writer, force), configuration);
  const object = absent
    ? api.writes.create(resource, namespace, next, writing)
    : api.writes.update(resource, previous, next, writing);
  return { type: "object", code: absent ? 201 : 200, object };
}

function checkConfiguration({ query, name }: ResourceRequest, { metadata }: Draft): void {
  if (!query.get("fieldManager")) throw missingManager();
  if (metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
}

function checkAbsent(api: Api, request: ResourceRequest, { metadata: { uid } }: Draft): void {
  requireNamespace(api, request);
  if (!uid) return;
  const because = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  throw conflict(subjectOf(request.resource, request.name ?? ""), because);
}

function bareObject({ resource, name = "" }: ResourceRequest): KubeObject {
  const metadata = { name, uid: "", resourceVersion: "", creationTimestamp: "", managedFields: [] };
  return { apiVersion: groupVersion(resource), kind: resource.kind, metadata };
}

/** uid and resourceVersion of the configuration are preconditions, never owned. */
function withServerFields(next: KubeObject, { metadata }: Draft): Draft {
  const { uid, resourceVersion } = metadata;
  return { ...next, metadata: { ...next.metadata, ...(uid ? { uid } : {}), resourceVersion: resourceVersion ?? "" } };
}

function missingManager(): StatusError {
  const message = "Required value: is required for apply patch";
  return invalid({ group: "meta.k8s.io", kind: "PatchOptions", name: "" }, [
    { reason: "FieldValueRequired", message, field: "fieldManager" },
  ]);
}
