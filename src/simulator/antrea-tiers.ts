import { z } from "zod";
import { fields } from "./fields.ts";
import type { Arrangement, Problem, Stage, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";

/** A stage for each tier, at the tier's priority, and where the policies of all engines stand among them. */
export type Tiers = {
  /** Absent is `application`. A text says why the tier cannot be used. */
  readonly stageOf: (tier: string | undefined) => Stage | string;
  readonly arrangement: Arrangement;
};

/** NetworkPolicy comes after AdminNetworkPolicy (251) and before the baseline tier. */
const networkPolicyOrder = 252;

const fixed: ReadonlyMap<string, number> = new Map([
  ["emergency", 50],
  ["securityops", 100],
  ["networkops", 150],
  ["platform", 200],
  ["application", 250],
  ["baseline", 253],
]);

const schema = fields({
  spec: fields({ priority: z.int().min(0).max(255), description: z.string().exactOptional() }),
});

const ownSchema = fields({
  spec: fields({
    priority: z
      .int()
      .min(0)
      .refine((priority) => priority < 250, "must be below 250, from where on they are Antrea's own"),
    description: z.string().exactOptional(),
  }),
});

/** What is wrong in a Tier by itself. */
export function tierProblems(object: WireObject): readonly Problem[] {
  const { error } = schemaFor(object).safeParse({ spec: object["spec"] });
  return error === undefined ? [] : problemsOf(error);
}

/**
 * Antrea's own tiers are always there; others must be among the objects (Antrea's documentation, Tier). Pass leaves all of
 * them for NetworkPolicy; that of ClusterNetworkPolicy and AdminNetworkPolicy too, whose rules Antrea makes its own. They
 * stand at 220 and 251, and their baselines at 254 (clusternetworkpolicy.go, adminnetworkpolicy.go of its controller).
 */
export function tiersOf(objects: readonly WireObject[]): Tiers {
  const tiers = new Map(objects.filter(isTier).map((object) => [object.metadata.name, object]));
  const admin: Stage = { name: "Admin tier", order: 220, passTo: networkPolicyOrder };
  const stages = new Map([[admin.order, admin]]);
  const stageOf = (tier = "application"): Stage | string => {
    const name = fixed.has(tier.toLowerCase()) ? tier.toLowerCase() : tier;
    const object = tiers.get(name);
    if (object !== undefined && tierProblems(object).length > 0) return `names a Tier that could not be read, ${tier}`;
    const order = object === undefined ? fixed.get(name) : schema.parse({ spec: object["spec"] }).spec.priority;
    if (order === undefined) return `names a Tier that is not here, ${tier}`;
    const stage = stages.get(order) ?? stageAt(name, order);
    stages.set(order, stage);
    return stage;
  };
  return {
    stageOf,
    arrangement: {
      admin: { stage: admin, rank: [] },
      adminNetworkPolicy: { stage: { name: "AdminNetworkPolicy", order: 251, passTo: networkPolicyOrder }, rank: [] },
      networkPolicy: { stage: { name: "NetworkPolicy", order: networkPolicyOrder }, rank: [] },
      baseline: { stage: { name: "Baseline tier", order: 254 }, rank: [] },
    },
  };
}

function stageAt(tier: string, order: number): Stage {
  const stage = { name: `tier ${tier}`, order };
  return order < networkPolicyOrder ? { ...stage, passTo: networkPolicyOrder } : stage;
}

function isTier({ apiVersion, kind }: WireObject): boolean {
  return apiVersion === "crd.antrea.io/v1beta1" && kind === "Tier";
}

function schemaFor({ metadata }: WireObject): typeof schema {
  return fixed.has(metadata.name) ? schema : ownSchema;
}
