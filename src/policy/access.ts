import { keysOf, type Person } from "./people.ts";
import type { Principal } from "./principal.ts";

/** What one may be granted. `help` and `whoami` are for every identified person and need no grant. */
export type Verb =
  | "quarantine"
  | "lockdown"
  | "release"
  | "allow"
  | "rollback"
  | "approve"
  | "break-glass"
  | "status"
  | "audit"
  | "verify-enforcement";

export const verbs: readonly Verb[] = [
  "quarantine",
  "lockdown",
  "release",
  "allow",
  "rollback",
  "approve",
  "break-glass",
  "status",
  "audit",
  "verify-enforcement",
];

/** One line of the access section: these principals may do these verbs in these namespaces of these clusters. */
export type AccessRule = {
  /** Keys as keysOf gives them. */
  readonly principals: readonly string[];
  readonly verbs: readonly (Verb | "*")[];
  /** Names, names with a trailing `*`, or `*` for all. */
  readonly namespaces: readonly string[];
  /** Names, or `*` for all; absent is all, an empty list none. */
  readonly clusters?: readonly string[] | undefined;
};

/** Who may do what, and which ids are one person. */
export type Access = { readonly rules: readonly AccessRule[]; readonly people: readonly Person[] };

/** What a decision is about; undefined asks whether any is granted. */
export type Place = { readonly cluster: string | undefined; readonly namespace: string | undefined };

/** Yes with the rule (1-based position in the section) that grants it, or no with the reason. */
export type Decision =
  | { readonly allowed: true; readonly rule: number }
  | { readonly allowed: false; readonly reason: string };

/**
 * The one function that decides who may do what. Fails closed: no rule is a no, an empty list means nobody, a principal
 * whom nobody could name has no right. Without a namespace or a cluster the answer is whether some is granted.
 */
export function decideAccess(access: Access, principal: Principal, verb: Verb, place: Place): Decision {
  const keys = keysOf(access.people, principal);
  const [key] = keys;
  if (key === undefined) return { allowed: false, reason: "nobody could tell who you are, so you have no rights" };
  const rule = access.rules.findIndex((candidate) => grants(candidate, keys, verb, place));
  if (rule >= 0) return { allowed: true, rule: rule + 1 };
  return { allowed: false, reason: `no rule of the access section lets ${key} ${verb}${placeWords(access, place)}` };
}

/** A rule that names the principal, with its 1-based position and the key that it names the principal by. */
export type Grant = AccessRule & { readonly rule: number; readonly by: string };

/** What the principal is granted, rule by rule, for `whoami`. */
export function grantsOf({ rules, people }: Access, principal: Principal): readonly Grant[] {
  const keys = keysOf(people, principal);
  return rules.flatMap((rule, index) => {
    const by = keys.find((key) => rule.principals.includes(key));
    return by === undefined ? [] : [{ ...rule, rule: index + 1, by }];
  });
}

/** Every key that the rules grant the verb in all of these places, by itself. */
export function granteesOf({ rules }: Access, verb: Verb, places: readonly Place[]): readonly string[] {
  const keys = new Set(rules.flatMap(({ principals }) => principals));
  return [...keys].filter((key) => places.every((place) => rules.some((rule) => grants(rule, [key], verb, place))));
}

function grants(rule: AccessRule, keys: readonly string[], verb: Verb, { cluster, namespace }: Place): boolean {
  const { clusters = ["*"] } = rule;
  return (
    keys.some((key) => rule.principals.includes(key)) &&
    rule.verbs.some((granted) => granted === "*" || granted === verb) &&
    clusters.some((granted) => granted === "*" || cluster === undefined || granted === cluster) &&
    rule.namespaces.some((pattern) => namespace === undefined || covers(pattern, namespace))
  );
}

function covers(pattern: string, namespace: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith("*") ? namespace.startsWith(pattern.slice(0, -1)) : pattern === namespace;
}

/** The cluster is said where some rule tells clusters apart: elsewhere it is not the reason. */
function placeWords({ rules }: Access, { cluster, namespace }: Place): string {
  const told = cluster !== undefined && rules.some(({ clusters }) => clusters !== undefined);
  const where = namespace === undefined ? "" : namespace === "" ? " in all namespaces" : ` in namespace ${namespace}`;
  if (!told) return where;
  return namespace === undefined ? ` in cluster ${cluster}` : `${where} of cluster ${cluster}`;
}
