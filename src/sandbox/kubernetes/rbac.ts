import type { Action, Authorizer, ResourceRule, User } from "./access.ts";
import { listAt, objectAt, textAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import type { Store } from "./store.ts";

const group = "rbac.authorization.k8s.io";

/**
 * Decides by the roles and bindings that are stored in the cluster, as the RBAC authoriser of a real one does.
 * Members of system:masters may do everything.
 */
export function roleAuthorizer(store: Store): Authorizer {
  const rulesFor = (user: User, namespace: string): ResourceRule[] => {
    const everywhere = store.list(`${group}/clusterrolebindings`);
    const here = namespace === "" ? [] : store.list(`${group}/rolebindings`, namespace);
    const bound = [...everywhere, ...here].filter((binding) =>
      listAt(binding, "subjects").some((each) => isFor(user, each)),
    );
    return bound.flatMap((binding) => rulesOf(store, binding));
  };
  return {
    rulesFor: (user, namespace) => (isMaster(user) ? [everything] : rulesFor(user, namespace)),
    allows: (user, action) => isMaster(user) || rulesFor(user, action.namespace).some((rule) => covers(rule, action)),
  };
}

/** What members of system:masters may. */
export const everything: ResourceRule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"] };

export function isMaster({ groups }: User): boolean {
  return groups.includes("system:masters");
}

function isFor({ name, groups }: User, subject: unknown): boolean {
  const given = textAt(subject, "name") ?? "";
  switch (textAt(subject, "kind") ?? "") {
    case "User":
      return given === name;
    case "Group":
      return groups.includes(given);
    case "ServiceAccount":
      return name === `system:serviceaccount:${textAt(subject, "namespace") ?? ""}:${given}`;
    default:
      return false;
  }
}

/** The rules of the role that the binding names; none where there is no such role. */
function rulesOf(store: Store, binding: KubeObject): ResourceRule[] {
  const reference = objectAt(binding, "roleRef");
  const name = textAt(reference, "name") ?? "";
  const inNamespace = textAt(reference, "kind") === "Role";
  const role = inNamespace
    ? store.get(`${group}/roles`, binding.metadata.namespace ?? "", name)
    : store.get(`${group}/clusterroles`, "", name);
  return listAt(role, "rules").map((rule) => {
    const texts = (field: string): string[] => listAt(rule, field).map(String);
    const names = texts("resourceNames");
    return {
      verbs: texts("verbs"),
      apiGroups: texts("apiGroups"),
      resources: texts("resources"),
      ...(names.length === 0 ? {} : { resourceNames: names }),
    };
  });
}

function covers(rule: ResourceRule, { verb, group: wanted, resource, name }: Action): boolean {
  const subresource = resource.split("/")[1];
  return (
    includes(rule.verbs, verb) &&
    includes(rule.apiGroups, wanted) &&
    (includes(rule.resources, resource) ||
      (subresource !== undefined && rule.resources.includes(`*/${subresource}`))) &&
    (rule.resourceNames === undefined || (name !== undefined && rule.resourceNames.includes(name)))
  );
}

function includes(values: readonly string[], wanted: string): boolean {
  return values.includes("*") || values.includes(wanted);
}
