import type { Authorizer, User } from "./access.ts";
import { asServed } from "./events.ts";
import { isObject, type JsonObject, listAt, objectAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import type { ResourceRequest } from "./request.ts";
import type { Resources } from "./resources.ts";
import { invalid, notFound, StatusError } from "./status.ts";
import type { Store } from "./store.ts";
import { subjectOf } from "./subjects.ts";
import type { Writes, Writing } from "./write.ts";

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

/** The object that the path names, as its resource serves it; 404 where it is not there. */
export function stored({ store }: Api, { resource, namespace, name = "" }: ResourceRequest): KubeObject {
  const object = store.get(resource.storage, namespace, name);
  if (object === undefined) throw notFound(subjectOf(resource, name));
  return asServed(resource, object);
}

/** 404 where the namespace of a new object is not there, 403 where it is going. */
export function requireNamespace({ store }: Api, { resource, namespace, name = "" }: ResourceRequest): void {
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

/** As whom and how a request writes. */
export function writingOf({ query, subresource }: ResourceRequest, { userAgent, body }: Caller): Writing {
  const manager = query.get("fieldManager") || (userAgent.split("/")[0] ?? "unknown");
  return {
    manager,
    subresource,
    dryRun: isDryRun(query, isObject(body) && body["kind"] === "DeleteOptions" ? body : undefined),
  };
}

/** Whether the query or the DeleteOptions ask for a dry run; 422 for a value other than `All`. */
export function isDryRun(query: URLSearchParams, options: unknown): boolean {
  const values = [...query.getAll("dryRun"), ...listAt(objectAt(options), "dryRun")];
  if (values.some((value) => value !== "All")) {
    const message = `Unsupported value: []string{"${values.join('","')}"}: supported values: "All"`;
    throw invalid({ group: "meta.k8s.io", kind: "Options", name: "" }, [
      { reason: "FieldValueNotSupported", message, field: "dryRun" },
    ]);
  }
  return values.length > 0;
}
