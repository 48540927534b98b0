import type { LabelSelector, LabelSelectorRequirement } from "../policy/objects.ts";

/** Requirements that all must hold. */
export type Term = readonly LabelSelectorRequirement[];

/** A selector as one list, with `key` making the key of it. */
export function termOf(selector: LabelSelector | undefined, key: (key: string) => string): Term {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const pairs = Object.entries(matchLabels).map(([name, value]) => ({
    key: name,
    operator: "In" as const,
    values: [value],
  }));
  return [...pairs, ...matchExpressions].map((requirement) => ({ ...requirement, key: key(requirement.key) }));
}

/** What is in one of the terms, and not in the other: none of the results is a part of another. */
export function excluding(terms: readonly Term[], other: Term): readonly Term[] {
  return smallest(
    terms.flatMap((term) =>
      other.flatMap((each) => {
        const rest = both(term, [negated(each)]);
        return rest === undefined ? [] : [rest];
      }),
    ),
  );
}

/** What is in both; undefined where nothing can be. */
export function both(a: Term, b: Term): Term | undefined {
  const keys = [...new Set([...a, ...b].map(({ key }) => key))];
  const parts = keys.map((key) =>
    onKey(
      key,
      [...a, ...b].filter((each) => each.key === key),
    ),
  );
  const known = parts.filter((part) => part !== undefined);
  return known.length < parts.length ? undefined : known.flat();
}

/** Without those that lie in another. */
export function smallest(terms: readonly Term[]): readonly Term[] {
  const asked = terms.map((term) => term.map((each) => JSON.stringify(each)));
  const isWithin = (inner: readonly string[], at: number): boolean =>
    asked.some((outer, other) => {
      if (other === at || !outer.every((each) => inner.includes(each))) return false;
      return outer.length < inner.length || other < at;
    });
  return terms.filter((_, at) => !isWithin(asked[at] ?? [], at));
}

const opposite = { In: "NotIn", NotIn: "In", Exists: "DoesNotExist", DoesNotExist: "Exists" } as const;

/** NotIn and DoesNotExist hold where the key is absent, so that each pair leaves nothing out. */
function negated(requirement: LabelSelectorRequirement): LabelSelectorRequirement {
  return { ...requirement, operator: opposite[requirement.operator] };
}

/** All that is asked of one key, in one way of saying it; undefined where it contradicts itself. */
function onKey(key: string, asked: Term): Term | undefined {
  const has = (operator: LabelSelectorRequirement["operator"]) => asked.some((each) => each.operator === operator);
  const not = new Set(asked.flatMap(({ operator, values = [] }) => (operator === "NotIn" ? values : [])));
  if (has("DoesNotExist")) return has("In") || has("Exists") ? undefined : [{ key, operator: "DoesNotExist" }];
  const unwanted: Term = not.size === 0 ? [] : [{ key, operator: "NotIn", values: [...not].toSorted() }];
  if (!has("In")) return has("Exists") ? [{ key, operator: "Exists" }, ...unwanted] : unwanted;
  const sets = asked.filter(({ operator }) => operator === "In").map(({ values = [] }) => values);
  const values = [...new Set(sets.flat())]
    .filter((value) => !not.has(value) && sets.every((set) => set.includes(value)))
    .toSorted();
  return values.length === 0 ? undefined : [{ key, operator: "In", values }];
}
