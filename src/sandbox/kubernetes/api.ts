import { type Authorizer, review, type User } from "./access.ts";
import { applyConfiguration } from "./apply.ts";
import { fieldValidationOf, readConfiguration, readDraft, readPatched } from "./body.ts";
import { asServed } from "./events.ts";
import { isObject, type JsonObject, listAt, objectAt } from "./json.ts";
import { listObjects, selectorOf } from "./list.ts";
import type { Draft, KubeObject } from "./objects.ts";
import { applyJsonPatch, applyMergePatch } from "./patch.ts";
import { removalOf, removeObject } from "./remove.ts";
import type { ResourceRequest } from "./request.ts";
import { groupVersion, type Resources } from "./resources.ts";
import {
  badRequest,
  conflict,
  invalid,
  methodNotAllowed,
  notFound,
  StatusError,
  unsupportedMediaType,
} from "./status.ts";
import type { Store } from "./store.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";
import { kindSubject, subjectOf, type Writes, type Writing, writerOf } from "./write.ts";

/** The parts that answer requests for resources. */
export type Api = {
  readonly store: Store;
  readonly resources: Resources;
  readonly writes: Writes;
  readonly authorizer: Authorizer;
  readonly now: () => number;
};

/** Who asks and what came with the request. */
export type Caller = {
  readonly user: User;
  readonly userAgent: string;
  readonly contentType: string;
  readonly body: unknown;
};

/** An object, or the objects of a list, to be shown in the form that the client accepts; or a body as it is. */
export type Answer =
  | {
      readonly type: "object";
      readonly code: number;
      readonly object: KubeObject;
      readonly warnings?: readonly string[];
    }
  | { readonly type: "list"; readonly items: readonly KubeObject[]; readonly metadata: JsonObject }
  | { readonly type: "body"; readonly code: number; readonly body: JsonObject };

/** Everything but watches. Refusals throw StatusError. */
export function answer(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource } = request;
  if (resource.type === "review") return answerReview(api, request, caller);
  switch (request.verb) {
    case "get":
      return { type: "object", code: 200, object: stored(api, request) };
    case "list": {
      const { items, metadata } = listObjects(api.store, request);
      return { type: "list", items: items.map((object) => asServed(resource, object)), metadata };
    }
    case "create":
      return create(api, request, caller);
    case "update":
      return update(api, request, caller);
    case "patch":
      return caller.contentType.startsWith("application/apply-patch")
        ? apply(api, request, caller)
        : patch(api, request, caller);
    case "delete":
      return remove(api, request, caller);
    case "deletecollection":
      return removeAll(api, request, caller);
    case "watch":
      throw methodNotAllowed();
  }
}

function answerReview({ authorizer }: Api, { resource, verb }: ResourceRequest, { user, body }: Caller): Answer {
  if (verb !== "create") throw methodNotAllowed();
  const { draft } = readDraft(resource, body, "Ignore");
  return {
    type: "body",
    code: 201,
    body: review(resource.kind, { ...draft, apiVersion: groupVersion(resource) }, user, authorizer),
  };
}

function stored({ store }: Api, { resource, namespace, name = "" }: ResourceRequest): KubeObject {
  const object = store.get(resource.storage, namespace, name);
  if (object === undefined) throw notFound(subjectOf(resource, name));
  return asServed(resource, object);
}

function create(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, query } = request;
  requireNamespace(api, request);
  const { draft, warnings } = readDraft(resource, caller.body, fieldValidationOf(query));
  const object = api.writes.create(resource, namespace, draft, writingOf(request, caller));
  return { type: "object", code: 201, object, warnings };
}

function update(api: Api, request: ResourceRequest, caller: Caller): Answer {
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

function patch(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, query } = request;
  const previous = stored(api, request);
  const patched = patchedBy(previous, request, caller);
  const { draft, warnings } = readPatched(resource, patched, fieldValidationOf(query));
  const object = api.writes.update(resource, previous, draft, writingOf(request, caller));
  return { type: "object", code: 200, object, warnings };
}

function patchedBy(previous: KubeObject, { resource }: ResourceRequest, { contentType, body }: Caller): unknown {
  switch (contentType.split(";")[0]?.trim()) {
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

function apply(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, name = "", query, subresource } = request;
  const manager = query.get("fieldManager") ?? "";
  if (manager === "") throw missingManager();
  const configuration = readConfiguration(resource, caller.body);
  const { metadata } = configuration;
  if (metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  if (metadata.name !== undefined && metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  const writer = { ...writerOf(manager, subresource, api.now), operation: "Apply" as const };
  const writing = { ...writingOf(request, caller), apply: true };
  const force = query.get("force") === "true";
  if (api.store.get(resource.storage, namespace, name) === undefined) {
    requireNamespace(api, request);
    if (metadata.uid) {
      throw conflict(
        subjectOf(resource, name),
        `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`,
      );
    }
    const bare = bareObject(request);
    const draft = applyConfiguration(bare, configuration, writer, force);
    const object = api.writes.create(resource, namespace, withServerFields(draft, configuration), writing);
    return { type: "object", code: 201, object };
  }
  const previous = stored(api, request);
  const next = withServerFields(applyConfiguration(previous, configuration, writer, force), configuration);
  return { type: "object", code: 200, object: api.writes.update(resource, previous, next, writing) };
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

function remove(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, name = "", query } = request;
  const removal = removalOf(caller.body, query, isDryRun(query, caller.body));
  const { gone, object } = removeObject(api, resource, stored(api, request), removal);
  if (!gone || resource.kind === "Pod") return { type: "object", code: 200, object: asServed(resource, object) };
  const details = {
    name,
    ...(resource.group === "" ? {} : { group: resource.group }),
    kind: resource.plural,
    uid: object.metadata.uid,
  };
  return {
    type: "body",
    code: 200,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details },
  };
}

function removeAll(api: Api, request: ResourceRequest, caller: Caller): Answer {
  const { resource, namespace, query } = request;
  const removal = removalOf(caller.body, query, isDryRun(query, caller.body));
  const selected = api.store
    .list(resource.storage, namespace === "" ? undefined : namespace)
    .filter(selectorOf(request));
  const items = selected.map((object) => removeObject(api, resource, object, removal).object);
  return { type: "list", items, metadata: { resourceVersion: String(api.store.revision()) } };
}

function requireNamespace({ store }: Api, { resource, namespace, name = "" }: ResourceRequest): void {
  if (!resource.namespaced) return;
  const found = store.get("/namespaces", "", namespace);
  if (found === undefined) throw notFound({ group: "", kind: "namespaces", name: namespace });
  if (found.metadata.deletionTimestamp === undefined) return;
  const because = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const causes = [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ];
  throw new StatusError(403, "Forbidden", `${resource.plural} "${name}" is forbidden: ${because}`, {
    kind: resource.plural,
    causes,
  });
}

function writingOf({ query, subresource }: ResourceRequest, { userAgent, body }: Caller): Writing {
  const manager = query.get("fieldManager") || (userAgent.split("/")[0] ?? "unknown");
  return {
    manager,
    subresource,
    dryRun: isDryRun(query, isObject(body) && body["kind"] === "DeleteOptions" ? body : undefined),
  };
}

function isDryRun(query: URLSearchParams, options: unknown): boolean {
  const values = [...query.getAll("dryRun"), ...listAt(objectAt(options), "dryRun")];
  if (values.some((value) => value !== "All")) {
    const message = `Unsupported value: []string{"${values.join('","')}"}: supported values: "All"`;
    throw invalid({ group: "meta.k8s.io", kind: "Options", name: "" }, [
      { reason: "FieldValueNotSupported", message, field: "dryRun" },
    ]);
  }
  return values.length > 0;
}

function missingManager(): StatusError {
  const message = "Required value: is required for apply patch";
  return invalid({ group: "meta.k8s.io", kind: "PatchOptions", name: "" }, [
    { reason: "FieldValueRequired", message, field: "fieldManager" },
  ]);
}
