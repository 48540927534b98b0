import type { Arrangement, Policy, Stage, Translation, WireObject } from "./model.ts";

/** Reads the objects of one engine, and knows where the policies that every engine implements stand among them. */
export type Translator = {
  /** Whether the object is of one of this engine's own APIs. */
  readonly reads: (object: WireObject) => boolean;
  /** An object that is none of policy but only referred to (a Tier, a group) gives no policies. */
  readonly translate: (object: WireObject) => Translation;
  readonly arrangement: Arrangement;
};

const admin: Stage = { name: "Admin tier", order: 100 };
const networkPolicy: Stage = { name: "NetworkPolicy", order: 200 };
const baseline: Stage = { name: "Baseline tier", order: 300 };

/** The order of network-policy-api: Admin, NetworkPolicy, Baseline (KEP-2091; facts: network-policy §1, Upper tiers). */
export const plainArrangement: Arrangement = {
  admin: { stage: admin, rank: [] },
  networkPolicy: { stage: networkPolicy, rank: [] },
  baseline: { stage: baseline, rank: [] },
};

/** Rank by rank, elements compared as numbers or as strings; a prefix comes first. */
export function compareRanks(a: Policy["rank"], b: Policy["rank"]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = compareElements(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareElements(a: number | string | undefined, b: number | string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : 1;
}
