import { type BoundRule, bindRule } from "./bound.ts";
import type { PodClass } from "./classes.ts";
import type { Column, Columns } from "./columns.ts";
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

/** Policies of one rank: each lane is top-down, and which of them comes first is not defined. */
export type Group = readonly (readonly BoundRule[])[];

/** Layers of a class, in order of stage. Classes under the same rules get the same array, so that it can stand for them. */
export type Layers = readonly Layer[];

type Laid = { readonly policy: Policy; readonly rules: readonly BoundRule[] };

/** A policy with its selectors looked up. */
export type BoundPolicy = {
  /** Unlike that of any other bound with the same columns. */
  readonly id: number;
  readonly policy: Policy;
  readonly subject: Column;
  readonly ingress: readonly BoundRule[];
  readonly egress: readonly BoundRule[];
};

export function bindPolicy(policy: Policy, columns: Columns): BoundPolicy {
  return {
    id: columns.nextId(),
    policy,
    subject: columns.of(policy.subject),
    ingress: policy.ingress.map((rule) => bindRule(policy, rule, columns)),
    egress: policy.egress.map((rule) => bindRule(policy, rule, columns)),
  };
}

/** In the order in which they are asked. */
export function compareBound({ policy: a }: BoundPolicy, { policy: b }: BoundPolicy): number {
  return a.stage.order - b.stage.order || compareRanks(a.rank, b.rank);
}

/** Layers that were made, by the policies and rules in them: a changed cluster goes on with those that stay the same. */
export type KnownLayers = Map<string, Layers>;

/** Gives the layers of a class. `sorted`: by `compareBound`. */
export function createLayering(
  direction: Direction,
  sorted: readonly BoundPolicy[],
  known: KnownLayers,
): (podClass: PodClass) => Layers {
  const candidatesFor = createCandidates(
    sorted.filter((bound) => bound[direction].length > 0 || bound.policy.isolates[direction]),
  );
  return ({ index, identity }) => {
    const laid: Laid[] = [];
    let key: string = direction;
    for (const { bound } of candidatesFor(identity.namespace.name)) {
      if (!bound.subject.has(index)) continue;
      const all = bound[direction];
      const rules = all.filter((rule) => rule.subject?.has(index) !== false);
      laid.push({ policy: bound.policy, rules });
      key += `;${bound.id}:${rules.length === all.length ? "all" : rules.map((rule) => all.indexOf(rule)).join()}`;
    }
    const layers = known.get(key) ?? stack(laid, direction);
    known.set(key, layers);
    return layers;
  };
}

type Numbered = { readonly bound: BoundPolicy; readonly number: number };

/** Which policies may select a pod of a namespace, in order: those of that namespace, and those of all. */
function createCandidates(sorted: readonly BoundPolicy[]): (namespace: string) => readonly Numbered[] {
  const numbered = sorted.map((bound, number) => ({ bound, number }));
  const byNamespace = Map.groupBy(numbered, ({ bound }) => bound.policy.subject.namespace);
  const everywhere = byNamespace.get(undefined) ?? [];
  const merged = new Map<string, readonly Numbered[]>();
  return (namespace) => {
    const here = byNamespace.get(namespace) ?? [];
    if (everywhere.length === 0) return here;
    const both = merged.get(namespace) ?? [...here, ...everywhere].toSorted((a, b) => a.number - b.number);
    merged.set(namespace, both);
    return both;
  };
}

/** Stages are the same by what they say: in a changed cluster they are other objects. */
function stack(laid: readonly Laid[], direction: Direction): Layers {
  const byStage = Map.groupBy(laid, ({ policy: { stage } }) => `${stage.order} ${stage.name}`);
  return [...byStage.values()].flatMap((here) => {
    const policies = here.map(({ policy }) => policy);
    const isolating = policies.filter((policy) => policy.isolates[direction]);
    return policies.slice(0, 1).map(({ stage }) => ({ stage, groups: groupByRank(here), isolating, policies }));
  });
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
  if (new Set(rules.map(({ rule }) => rule.action)).size === 1) return [rules];
  return ordersOf(laid) ?? lanes;
}

/** All the rules in each of the orders that there may be; undefined where no order at all is known. */
function ordersOf(laid: readonly Laid[]): Group | undefined {
  const ways = Math.min(...laid.map(({ policy }) => policy.among?.length ?? 0));
  if (ways === 0) return undefined;
  const orders = Array.from({ length: ways }, (_, way) =>
    laid.toSorted((a, b) => compareTexts(a.policy.among?.[way] ?? "", b.policy.among?.[way] ?? "")),
  );
  const different = new Map(orders.map((order) => [order.map((each) => laid.indexOf(each)).join(), order]));
  return [...different.values()].map((order) => order.flatMap(({ rules }) => rules));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
