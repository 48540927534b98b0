import { z } from "zod";
import { exactlyOne, fields } from "./fields.ts";
import { portNumber, protocol } from "./selector-schema.ts";
import { portEnds, priority, reachesOnlyPods, ruleName, v1Peers } from "./tier-schema.ts";

/** policy.networking.k8s.io/v1alpha1 as the CRDs of the experimental channel validate it (network-policy-api v0.1.8). */

const portKinds = {
  portNumber: fields({ protocol: protocol.default("TCP"), port: portNumber }).exactOptional(),
  // The types ask for a start below the end, and no CRD checks it: equal ends are one port to the engines.
  portRange: fields({ protocol: protocol.default("TCP"), ...portEnds })
    .refine(({ start, end }) => start <= end, "must not end before it starts")
    .exactOptional(),
  namedPort: z.string().min(1).exactOptional(),
};

const port = fields(portKinds).superRefine(exactlyOne(Object.keys(portKinds)));
const ports = z.array(port).min(1).max(100).exactOptional();

export type V1Port = z.infer<typeof port>;

const adminAction = z.enum(["Allow", "Deny", "Pass"]);
const baselineAction = z.enum(["Allow", "Deny"]);
const from = z.array(v1Peers.pods).min(1).max(100);

export const adminNetworkPolicySpec = fields({
  priority,
  subject: v1Peers.pods,
  ingress: rules(fields({ name: ruleName, action: adminAction, from, ports })),
  egress: rules(
    fields({ name: ruleName, action: adminAction, to: z.array(v1Peers.all).min(1).max(100), ports }).superRefine(
      namesPortsOfPods,
    ),
  ),
});

export const baselineAdminNetworkPolicySpec = fields({
  subject: v1Peers.pods,
  ingress: rules(fields({ name: ruleName, action: baselineAction, from, ports })),
  egress: rules(
    fields({ name: ruleName, action: baselineAction, to: z.array(v1Peers.unnamed).min(1).max(100), ports }).superRefine(
      namesPortsOfPods,
    ),
  ),
});

function rules<Rule extends z.ZodType>(rule: Rule) {
  return z.array(rule).max(100).default([]);
}

function namesPortsOfPods(
  rule: Parameters<typeof reachesOnlyPods>[0] & { readonly ports?: readonly V1Port[] },
  context: z.RefinementCtx,
): void {
  if (rule.ports?.some(({ namedPort }) => namedPort !== undefined)) reachesOnlyPods(rule, context);
}
