import { z } from "zod";
import { exactlyOne, fields } from "./fields.ts";
import { portNumber } from "./selector-schema.ts";
import { portEnds, priority, reachesOnlyPods, ruleName, v2Peers } from "./tier-schema.ts";

/** policy.networking.k8s.io/v1alpha2 as the CRD of the experimental channel validates it (network-policy-api v0.2.0). */

const portKinds = {
  number: portNumber.exactOptional(),
  range: fields(portEnds)
    .refine(({ start, end }) => start < end, "must start before it ends")
    .exactOptional(),
};
const destinationPort = fields(portKinds).superRefine(exactlyOne(Object.keys(portKinds)));

export type V2DestinationPort = z.infer<typeof destinationPort>;

const byPort = fields({ destinationPort }).exactOptional();
const protocolKinds = {
  tcp: byPort,
  udp: byPort,
  sctp: byPort,
  destinationNamedPort: z.string().min(1).exactOptional(),
};
const match = fields(protocolKinds).superRefine(exactlyOne(Object.keys(protocolKinds)));
const protocols = z.array(match).min(1).max(25).exactOptional();

export type V2Protocol = z.infer<typeof match>;

const action = z.enum(["Accept", "Deny", "Pass"]);

export const clusterNetworkPolicySpec = fields({
  tier: z.enum(["Admin", "Baseline"]),
  priority,
  subject: v2Peers.pods,
  ingress: rules(fields({ name: ruleName, action, from: z.array(v2Peers.pods).min(1).max(25), protocols })),
  egress: rules(
    fields({ name: ruleName, action, to: z.array(v2Peers.all).min(1).max(25), protocols }).superRefine(
      namesPortsOfPods,
    ),
  ),
});

function rules<Rule extends z.ZodType>(rule: Rule) {
  return z.array(rule).max(25).default([]);
}

function namesPortsOfPods(
  rule: Parameters<typeof reachesOnlyPods>[0] & { readonly protocols?: readonly V2Protocol[] },
  context: z.RefinementCtx,
): void {
  if (rule.protocols?.some(({ destinationNamedPort }) => destinationNamedPort !== undefined))
    reachesOnlyPods(rule, context);
}
