import { type JsonObject, objectAt, textAt } from "./json.ts";
import type { ResourceRequest } from "./request.ts";
import { StatusError } from "./status.ts";

export type User = { readonly name: string; readonly groups: readonly string[] };

/** What somebody wants to do. `resource` is the plural, with the subresource after a slash; group `""` is core. */
export type Action = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** Empty for cluster scope and for all namespaces. */
  readonly namespace: string;
  readonly name: string | undefined;
};

/** Rules that a user has in a namespace, as SelfSubjectRulesReview lists them. */
export type ResourceRule = {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
};

export type Authorizer = {
  allows(user: User, action: Action): boolean;
  rulesFor(user: User, namespace: string): readonly ResourceRule[];
};

const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/**
 * Who sends the request. Without any configured token everybody is the administrator; with tokens, a request without
 * one is anonymous (and 403 at the first thing it wants), one with an unknown token is refused with 401.
 */
export function authenticate(tokens: ReadonlyMap<string, User>, authorization: string | undefined): User {
  if (tokens.size === 0) return { name: "sandbox-admin", groups: ["system:masters", "system:authenticated"] };
  if (authorization === undefined) return anonymous;
  const user = tokens.get(authorization.replace(/^Bearer\s+/i, ""));
  if (user === undefined) throw new StatusError(401, "Unauthorized", "Unauthorized");
  return user;
}

export function actionOf({ verb, resource, subresource, namespace, name }: ResourceRequest): Action {
  const path = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  // A namespace itself is asked about within itself, so that a Role can grant it.
  const scope = resource.kind === "Namespace" && name !== undefined ? name : namespace;
  return { verb, group: resource.group, resource: path, namespace: scope, name };
}

/** 403 as the server words it. */
export function forbiddenTo(user: User, { verb, group, resource, namespace, name }: Action): StatusError {
  const plural = resource.split("/")[0] ?? "";
  const subject = `${plural}${group === "" ? "" : `.${group}`}${name === undefined ? "" : ` "${name}"`}`;
  const scope = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const message = `${subject} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group "${group}" ${scope}`;
  const details = { ...(name === undefined ? {} : { name }), ...(group === "" ? {} : { group }), kind: plural };
  return new StatusError(403, "Forbidden", message, details);
}

/** The answer to a SelfSubject…Review; nothing of it is stored. */
export function review(kind: string, body: JsonObject, user: User, authorizer: Authorizer): JsonObject {
  const answer = { ...body, kind, metadata: { ...objectAt(body, "metadata"), creationTimestamp: null } };
  if (kind === "SelfSubjectReview") {
    return { ...answer, status: { userInfo: { username: user.name, groups: user.groups } } };
  }
  if (kind === "SelfSubjectRulesReview") {
    const resourceRules = authorizer.rulesFor(user, textAt(body, "spec", "namespace") ?? "");
    return { ...answer, status: { resourceRules, nonResourceRules: [], incomplete: false } };
  }
  const allowed = authorizer.allows(user, reviewedAction(body));
  return { ...answer, status: allowed ? { allowed, reason: "allowed by the sandbox" } : { allowed } };
}

function reviewedAction(body: JsonObject): Action {
  const attributes = objectAt(body, "spec", "resourceAttributes");
  const path = textAt(body, "spec", "nonResourceAttributes", "path");
  const subresource = textAt(attributes, "subresource");
  const name = textAt(attributes, "name");
  const verb = textAt(attributes, "verb") ?? textAt(body, "spec", "nonResourceAttributes", "verb") ?? "";
  return {
    verb,
    group: textAt(attributes, "group") ?? "",
    resource: path ?? `${textAt(attributes, "resource") ?? ""}${subresource ? `/${subresource}` : ""}`,
    namespace: textAt(attributes, "namespace") ?? "",
    name: name === "" ? undefined : name,
  };
}
