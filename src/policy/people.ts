import { type Principal, principalKey } from "./principal.ts";

/** Several ids of one person, as the configuration maps them: `slack:TEAM/USER` or `terminal:USER`, never a display name. */
export type Person = { readonly name: string; readonly ids: readonly string[] };

/** The person that this id is mapped to; undefined where it is mapped to nobody. */
export function personOf(people: readonly Person[], principal: Principal): Person | undefined {
  const key = principalKey(principal);
  return key === undefined ? undefined : people.find(({ ids }) => ids.includes(key));
}

/**
 * One key for all ids of a human being: `person:jane` where configuration maps them, else the principal's own. Those whom
 * nobody can name share one.
 */
export function personKey(people: readonly Person[], principal: Principal): string {
  const person = personOf(people, principal);
  return person === undefined ? (principalKey(principal) ?? "nobody") : `person:${person.name}`;
}

/**
 * Every key that rules of the access section may name this principal by, its own first: `slack:T1/U1`, `person:jane`,
 * `slack-group:T1/S1`. Empty for a terminal whose user nobody could tell. The groups of a person's other ids are not
 * known here, so a group counts only for the id that is in it.
 */
export function keysOf(people: readonly Person[], principal: Principal): readonly string[] {
  const key = principalKey(principal);
  if (key === undefined) return [];
  const person = personOf(people, principal);
  const groups = principal.kind === "slack" ? (principal.groups ?? []) : [];
  return [
    key,
    ...(person === undefined ? [] : [`person:${person.name}`]),
    ...groups.filter((group) => group.startsWith("slack-group:")),
  ];
}

/**
 * Whether two principals are to be taken for one human being where two are needed (invariant 8). Two ids that are both
 * mapped are one exactly where they are mapped to one person. Otherwise what looks alike counts as one: the same Slack
 * user in two workspaces, `terminal:jane@corp` and a display name Jane. Who cannot be told apart from anybody (the
 * shared in-pod principal, a terminal without a name) counts as the same as everybody.
 */
export function samePerson(people: readonly Person[], a: Principal, b: Principal): boolean {
  if (isNobodyInParticular(a) || isNobodyInParticular(b)) return true;
  if (principalKey(a) === principalKey(b)) return true;
  if (a.kind === "scheduler" || b.kind === "scheduler") return false;
  const [first, second] = [personOf(people, a), personOf(people, b)];
  if (first !== undefined && second !== undefined) return first.name === second.name;
  const names = namesOf(b, second);
  return namesOf(a, first).some((name) => names.some((other) => looksLike(name, other)));
}

function isNobodyInParticular(principal: Principal): boolean {
  return principal.kind === "in-pod" || principalKey(principal) === undefined;
}

/** Everything that this human being is called, by any of the ids. */
function namesOf(principal: Principal, person: Person | undefined): readonly string[] {
  const shown = principal.kind === "slack" ? principal.displayName : undefined;
  const ids = [principalKey(principal) ?? "", ...(person?.ids ?? [])];
  return [...(shown === undefined ? [] : [shown]), ...(person === undefined ? [] : [person.name]), ...ids.map(nameIn)];
}

/** `slack:T1/U1` says U1 and `terminal:jane@corp` says jane. */
function nameIn(id: string): string {
  return id.startsWith("slack:") ? (id.split("/")[1] ?? "") : (id.replace("terminal:", "").split("@")[0] ?? "");
}

/** One is a form of the other: `jane.doe`, `janedoe`, `jdoe`, `janed`, `doej`, `jane` and `doe` for Jane Doe. */
function looksLike(a: string, b: string): boolean {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  return formsOf(left).has(right.join("")) || formsOf(right).has(left.join(""));
}

function wordsOf(name: string): readonly string[] {
  const bare = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return bare.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
}

function formsOf(words: readonly string[]): ReadonlySet<string> {
  const [first = "", last = ""] = [words.at(0), words.at(-1)];
  const initials = [first.slice(0, 1) + last, first + last.slice(0, 1), last + first.slice(0, 1)];
  const forms = [words.join(""), ...(words.length > 1 ? [...words, ...initials, first + last] : [])];
  return new Set(forms.filter((form) => form.length > 1));
}
