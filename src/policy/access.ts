import { type Principal, principalKey } from "./principal.ts";

/** What one may be granted. `help` and `whoami` are for every identified person and need no grant. */
export type Verb = "quarantine" | "release" | "status" | "audit";

export const verbs: readonly Verb[] = ["quarantine", "release", "status", "audit"];

/** One line of the access section: these principals may do these verbs in these namespaces. */
export type AccessRule = {
  /** Keys as principalKey gives them. */
  readonly principals: readonly string[];
  readonly verbs: readonly (Verb | "*")[];
  /** Names, names with a trailing `*`, or `*` for all. */
  readonly namespaces: readonly string[];
};

/** Yes with the rule (1-based position in the section) that grants it, or no with the reason. */
export type Decision =
  | { readonly allowed: true; readonly rule: number }
  | { readonly allowed: false; readonly reason: string };

/**
 * The one function that decides who may do what. Fails closed: no rule is a no, an empty list means nobody, a principal
 * whom nobody could name has no right. Without a namespace the answer is whether some namespace is granted.
 */
export function decideAccess(
  rules: readonly AccessRule[],
  principal: Principal,
  verb: Verb,
  namespace: string | undefined,
): Decision {
  const key = principalKey(principal);
  if (key === undefined) return { allowed: false, reason: "nobody could tell who you are, so you have no rights" };
  const rule = rules.findIndex(
    (candidate) =>
      candidate.principals.includes(key) &&
      candidate.verbs.some((granted) => granted === "*" || granted === verb) &&
      candidate.namespaces.some((pattern) => namespace === undefined || covers(pattern, namespace)),
  );
  if (rule >= 0) return { allowed: true, rule: rule + 1 };
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  return { allowed: false, reason: `no rule of the access section lets ${key} ${verb}${where}` };
}

/** What the principal is granted, rule by rule, for `whoami`. */
export function grantsOf(
  rules: readonly AccessRule[],
  principal: Principal,
): readonly (AccessRule & { readonly rule: number })[] {
  const key = principalKey(principal);
  if (key === undefined) return [];
  return rules
    .map((rule, index) => ({ ...rule, rule: index + 1 }))
    .filter(({ principals }) => principals.includes(key));
}

function covers(pattern: string, namespace: string): boolean {
  if (pattern === "*") return true;
  return pattern.endsWith("*") ? namespace.startsWith(pattern.slice(0, -1)) : pattern === namespace;
}
