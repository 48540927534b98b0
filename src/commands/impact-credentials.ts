import type { SecretUse } from "../kubernetes/pod-details.ts";
import type { Binding, ServiceAccount } from "../kubernetes/surroundings.ts";
import type { ImpactFacts } from "./impact-facts.ts";
import { someOf } from "./impact-words.ts";

/**
 * What whoever was in these pods could have read, and so is to be rotated: by name, a sentence each. Secrets themselves
 * are never read.
 */
export function credentialWords(facts: ImpactFacts): readonly string[] {
  const { pods } = facts;
  if (pods.length === 0) return [];
  const stores = distinct(pods.flatMap(({ secretStores }) => secretStores));
  const pull = distinct(pods.flatMap(({ pullSecrets }) => pullSecrets));
  return [
    ...secretWords(pods.flatMap(({ secrets }) => secrets)),
    ...(stores.length === 0 ? [] : [`What SecretProviderClass ${named(stores)} fetches into its volumes.`]),
    ...distinct(pods.map(({ serviceAccount }) => serviceAccount)).flatMap((name) => accountWords(facts, name)),
    ...(pull.length === 0 ? [] : [`Not readable in the pod, used by its node: image pull Secret ${named(pull)}.`]),
    "Not looked at: values written into the pod's environment, ConfigMaps, and what the application fetched itself.",
  ];
}

/** So many of a kind are named on a card; the plan's record has all. */
const most = 10;

function named(names: readonly string[]): string {
  return someOf(names, most, "of them");
}

function secretWords(uses: readonly SecretUse[]): readonly string[] {
  return (["volume", "environment"] as const).flatMap((where) => {
    const names = distinct(uses.filter((use) => use.where === where).map(({ name }) => name));
    const place = where === "volume" ? "mounted as a volume" : "in the environment";
    return names.length === 0 ? [] : [`Secret ${named(names)} (${place}).`];
  });
}

function accountWords(facts: ImpactFacts, name: string): readonly string[] {
  const users = facts.pods.filter(({ serviceAccount }) => serviceAccount === name);
  const tokens = distinct(users.flatMap(({ tokens }) => tokens));
  const account = facts.accounts.find((each) => each.name === name);
  return [
    `ServiceAccount ${facts.namespace}/${name}: ${tokenWords(tokens)}; ${grantWords(facts, name)}.`,
    ...(account === undefined ? [] : cloudIdentities(account)),
  ];
}

function tokenWords(tokens: readonly string[]): string {
  if (tokens.length === 0) return "no token of it is mounted";
  const others = tokens.filter((audience) => audience !== "");
  const also = others.length === 0 ? "" : ` for ${named(others)}`;
  return tokens.includes("")
    ? `its token is mounted${others.length === 0 ? "" : `, and one${also}`}`
    : `a token${also} is mounted`;
}

function grantWords({ bindings, namespace, unread }: ImpactFacts, name: string): string {
  const grants = bindings.filter((binding) => !binding.builtIn && isBoundTo(binding, namespace, name)).map(grantName);
  const missing = unread.filter(({ what }) => what.includes("rolebindings")).map(({ what }) => what);
  const not =
    missing.length === 0
      ? ""
      : `${grants.length === 0 ? "" : ", and "}what else it is bound to is not known (${missing.join(", ")} not read)`;
  if (grants.length === 0)
    return not === "" ? `bound to nothing in ${namespace} or cluster-wide` : not.replace(" else", "");
  return `bound to ${named(distinct(grants))}${not}`;
}

function grantName({ role, name, namespace }: Binding): string {
  return `${role} (${namespace === undefined ? "ClusterRoleBinding" : "RoleBinding"} ${name})`;
}

/** By itself, by its user name, or by the groups that it is in (Kubernetes' documentation, Referring to subjects). */
function isBoundTo({ subjects, namespace: own }: Binding, namespace: string, name: string): boolean {
  const users = [`system:serviceaccount:${namespace}:${name}`];
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return subjects.some((subject) => {
    if (subject.kind === "ServiceAccount") return subject.name === name && (subject.namespace ?? own) === namespace;
    return subject.kind === "Group" ? groups.includes(subject.name) : users.includes(subject.name);
  });
}

/** The annotations by which the clouds tie a ServiceAccount to an identity of theirs. */
const clouds = {
  "eks.amazonaws.com/role-arn": "AWS IAM role",
  "iam.gke.io/gcp-service-account": "Google service account",
  "azure.workload.identity/client-id": "Azure identity with client id",
};

function cloudIdentities({ annotations }: ServiceAccount): readonly string[] {
  return Object.entries(clouds).flatMap(([key, what]) => {
    const value = annotations[key];
    return value === undefined ? [] : [`${what} ${value}: end its sessions, whoever has its token has its rights.`];
  });
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}
