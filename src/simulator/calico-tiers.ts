import { tier as schema } from "./calico-schema.ts";
import type { Stage, WireObject } from "./model.ts";

export type Tier = {
  readonly stage: Stage /** Its subjects are denied what none of its policies decides. */;
  readonly denies: boolean;
};

type Described = { readonly name: string; readonly order: number; readonly denies: boolean };

/** Calico makes these itself, with these orders (Calico documentation, Get started with policy tiers; api tier.go). */
const builtIn: readonly Described[] = [
  { name: "kube-admin", order: 1_000, denies: false },
  { name: "default", order: 1_000_000, denies: true },
  { name: "kube-baseline", order: 10_000_000, denies: false },
];

/**
 * All tiers by name, each with a stage of its own, in the order in which they are asked: the lowest `order` first, equal
 * ones by name, those without an order last (Calico reference, Tier; felix/calc/policy_sorter.go, TierLess).
 */
export function readTiers(objects: readonly WireObject[]): ReadonlyMap<string, Tier> {
  const given = objects.filter(({ kind }) => kind === "Tier").flatMap(describe);
  const missing = builtIn.filter(({ name }) => !given.some((tier) => tier.name === name));
  const sorted = [...new Map([...missing, ...given].map((tier) => [tier.name, tier])).values()].toSorted(inOrder);
  return new Map(
    sorted.map(({ name, denies }, index) => [name, { stage: { name: `tier ${name}`, order: index }, denies }]),
  );
}

/** Of a tier that is there, as those that Calico makes are. */
export function stageNamed(tiers: ReadonlyMap<string, Tier>, name: string): Stage {
  return tiers.get(name)?.stage ?? { name: `tier ${name}`, order: tiers.size };
}

/** The same tier may be there twice, in both API groups. */
function describe({ spec, metadata }: WireObject): readonly Described[] {
  const parsed = schema.safeParse({ spec });
  if (!parsed.success) return [];
  const { order = Number.POSITIVE_INFINITY, defaultAction = "Deny" } = parsed.data.spec ?? {};
  return [{ name: metadata.name, order, denies: defaultAction === "Deny" }];
}

function inOrder(a: Described, b: Described): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
