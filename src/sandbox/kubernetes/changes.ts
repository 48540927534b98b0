import { fieldValidationOf, readDraft, readPatched } from "./body.ts";
import { type Answer, type Api, type Caller, requireNamespace, stored, writingOf } from "./exchange.ts";
import { isObject, type JsonObject } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { applyJsonPatch, applyMergePatch } from "./patch.ts";
import type { ResourceRequest } from "./request.ts";
import { badRequest, conflict, invalid, unsupportedMediaType } from "./status.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";
import { kindSubject, subjectOf } from "./subjects.ts";

/** POST. */
export function createObject(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, query } = request;
  requireNamespace(api, request);
  const { draft, warnings } = readDraft(resource, caller.body, fieldValidationOf(query));
  const object = api.writes.create(resource, namespace, draft, writingOf(request, caller));
  return { type: "object", code: 201, object, warnings };
}

/** PUT. A uid in the body is a precondition; some kinds insist on a resourceVersion. */
export function updateObject(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, name = "", query } = request;
  const previous = stored(api, request);
  const { draft, warnings } = readDraft(resource, caller.body, fieldValidationOf(query));
  const { uid, resourceVersion } = draft.metadata;
  if (uid && uid !== previous.metadata.uid) {
    throw conflict(
      subjectOf(resource, name),
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${previous.metadata.uid}`,
    );
  }
  if (
    !resourceVersion &&
    (resource.custom || resource.kind === "Lease" || resource.kind === "CustomResourceDefinition")
  ) {
    const message = "Invalid value: 0x0: must be specified for an update";
    throw invalid(kindSubject(resource, name), [
      { reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" },
    ]);
  }
  const object = api.writes.update(resource, previous, draft, writingOf(request, caller));
  return { type: "object", code: 200, object, warnings };
}

/** PATCH of every type but server-side apply. */
export function patchObject(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, query } = request;
  const previous = stored(api, request);
  const patched = patchedBy(previous, request, caller);
  const { draft, warnings } = readPatched(resource, patched, fieldValidationOf(query));
  const object = api.writes.update(resource, previous, draft, writingOf(request, caller));
  return { type: "object", code: 200, object, warnings };
}

function patchedBy(previous: KubeObject, { resource }: ResourceRequest, { contentType, body }: Caller): unknown {
  switch (contentType.split(";")[0]?.trim() ?? "") {
    case "application/json-patch+json":
      return applyJsonPatch(previous, body);
    case "application/merge-patch+json":
      return applyMergePatch(previous, objectBody(body));
    case "application/strategic-merge-patch+json":
      if (!resource.custom) return applyStrategicMerge(previous, objectBody(body));
      break;
    default:
  }
  throw unsupportedMediaType("415: Unsupported Media Type");
}

function objectBody(body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest("error decoding patch: it must be an object");
  return body;
}
