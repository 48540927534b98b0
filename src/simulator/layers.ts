import { type BoundRule, bindRule } from "./bound.ts";
import type { PodClass } from "./classes.ts";
import type { Columns } from "./columns.ts";
import type { Direction, Policy, Stage } from "./model.ts";
import { compareRanks } from "./stages.ts";

/** What a stage does to the pods of one class in one direction. */
export type Layer = {
  readonly stage: Stage;
  /** In order of rank. */
  readonly groups: readonly Group[];
  /** Those that deny what no rule matched. */
  readonly isolating: readonly Policy[];
  /** All that select the class, whether or not they have rules in this direction. */
  readonly policies: readonly Policy[];
};

/** Policies of one rank: each lane is top-down, and no order is defined between lanes. */
export type Group = readonly (readonly BoundRule[])[];

/** Layers of a class, in order of stage. Classes under the same rules get the same array, so that it can stand for them. */
export type Layers = readonly Layer[];

type Laid = { readonly policy: Policy; readonly rules: readonly BoundRule[] };

/** For each class, by its index. */
export function layClasses(
  classes: readonly PodClass[],
  policies: readonly Policy[],
  columns: Columns,
): Readonly<Record<Direction, readonly Layers[]>> {
  const sorted = policies.toSorted((a, b) => a.stage.order - b.stage.order || compareRanks(a.rank, b.rank));
  return { ingress: lay("ingress", classes, sorted, columns), egress: lay("egress", classes, sorted, columns) };
}

function lay(
  direction: Direction,
  classes: readonly PodClass[],
  sorted: readonly Policy[],
  columns: Columns,
): readonly Layers[] {
  const bound = sorted.map((policy) => ({
    policy,
    subject: columns.of(policy.subject),
    rules: policy[direction].map((rule) => bindRule(policy, rule, columns)),
  }));
  const indices = new Map(bound.flatMap(({ rules }) => rules).map((rule, index) => [rule, index]));
  const selecting = bound.filter(({ policy, rules }) => rules.length > 0 || policy.isolates[direction]);
  const known = new Map<string, Layers>();
  return classes.map(({ index }) => {
    const laid: Laid[] = [];
    let key = "";
    for (const [number, { policy, subject, rules }] of selecting.entries()) {
      if (!subject.has(index)) continue;
      const mine = rules.filter((rule) => rule.subject?.has(index) !== false);
      laid.push({ policy, rules: mine });
      key += `${number}${mine.length === rules.length ? "" : mine.map((rule) => `:${indices.get(rule)}`).join("") || ":"},`;
    }
    const layers = known.get(key) ?? stack(laid, direction);
    known.set(key, layers);
    return layers;
  });
}

function stack(laid: readonly Laid[], direction: Direction): Layers {
  return [...Map.groupBy(laid, ({ policy }) => policy.stage)].map(([stage, here]) => ({
    stage,
    groups: groupByRank(here),
    isolating: here.map(({ policy }) => policy).filter((policy) => policy.isolates[direction]),
    policies: here.map(({ policy }) => policy),
  }));
}

function groupByRank(laid: readonly Laid[]): readonly Group[] {
  const groups: Laid[][] = [];
  for (const each of laid) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    if (last !== undefined && first !== undefined && compareRanks(first.policy.rank, each.policy.rank) === 0)
      last.push(each);
    else groups.push([each]);
  }
  return groups.map(joinLanes);
}

/** Where all verdicts of a rank are the same, the order between its policies cannot matter: one lane. */
function joinLanes(laid: readonly Laid[]): Group {
  const lanes = laid.map(({ rules }) => rules).filter((rules) => rules.length > 0);
  const rules = lanes.flat();
  return new Set(rules.map(({ rule }) => rule.action)).size === 1 ? [rules] : lanes;
}
