import { z } from "zod";
import type { LabelSelector } from "../policy/objects.ts";
import {
  type CidrRule,
  domainNames,
  type Entity,
  egressPeers,
  ingressPeers,
  sourcedSelector,
} from "./cilium-peer-schema.ts";
import { denyPorts, egressPorts, ingressPorts, type PortRule } from "./cilium-port-schema.ts";
import { exactlyOne, fields } from "./fields.ts";
import { cidr } from "./selector-schema.ts";

/**
 * Schema of CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy and CiliumCIDRGroup. What the agent refuses is a problem
 * here too: it enforces nothing of such a policy (cilium: pkg/policy/api/rule_validation.go, `Valid=False` in the status).
 */

/** One entry of ingress, ingressDeny, egress or egressDeny. A list that is empty is not the same as an absent one. */
export type CiliumRule = {
  readonly endpoints: readonly LabelSelector[] | undefined;
  readonly cidrs: readonly string[] | undefined;
  readonly cidrSet: readonly CidrRule[] | undefined;
  readonly entities: readonly Entity[] | undefined;
  readonly nodes: readonly LabelSelector[] | undefined;
  readonly groups: readonly unknown[];
  readonly services: readonly unknown[];
  readonly names: readonly unknown[];
  readonly toPorts: readonly PortRule[];
  readonly icmps: readonly unknown[];
  readonly authentication: "disabled" | "required" | "test-always-fail";
};

const icmps = z
  .array(
    fields({
      fields: z
        .array(fields({ family: z.enum(["IPv4", "IPv6"]).exactOptional(), type: z.union([z.int(), z.string()]) }))
        .max(40)
        .exactOptional(),
    }),
  )
  .exactOptional();

const authentication = fields({ mode: z.enum(["disabled", "required", "test-always-fail"]) }).exactOptional();

const ingressRule = fields({ ...ingressPeers, toPorts: ingressPorts, icmps, authentication })
  .superRefine(standsAlone)
  .transform(fromIngress);

const ingressDenyRule = fields({ ...ingressPeers, toPorts: denyPorts, icmps })
  .superRefine(standsAlone)
  .transform(fromIngress);

const egressRule = fields({ ...egressPeers, toFQDNs: domainNames, toPorts: egressPorts, icmps, authentication })
  .superRefine(standsAlone)
  .transform(fromEgress);

const egressDenyRule = fields({ ...egressPeers, toPorts: denyPorts, icmps })
  .superRefine(standsAlone)
  .transform(fromEgress);

const spec = fields({
  endpointSelector: sourcedSelector.exactOptional(),
  nodeSelector: sourcedSelector.exactOptional(),
  ingress: z.array(ingressRule).exactOptional(),
  ingressDeny: z.array(ingressDenyRule).exactOptional(),
  egress: z.array(egressRule).exactOptional(),
  egressDeny: z.array(egressDenyRule).exactOptional(),
  enableDefaultDeny: fields({
    ingress: z.boolean().exactOptional(),
    egress: z.boolean().exactOptional(),
  }).exactOptional(),
  labels: z.array(z.unknown()).exactOptional(),
  description: z.string().exactOptional(),
  log: fields({ value: z.string().exactOptional() }).exactOptional(),
})
  .superRefine(exactlyOne(["endpointSelector", "nodeSelector"]))
  .superRefine(({ ingress = [], ingressDeny = [], egress = [], egressDeny = [] }, context) => {
    if (ingress.length + ingressDeny.length + egress.length + egressDeny.length > 0) return;
    context.addIssue({
      code: "custom",
      message:
        "has no rule in ingress, ingressDeny, egress or egressDeny, and Cilium enforces none such; deny all by [{}]",
    });
  });

export type CiliumSpec = z.infer<typeof spec>;

const apiVersion = z.literal("cilium.io/v2");

/** Without the kind and the metadata, which are known. */
export const ciliumPolicy = fields({
  apiVersion,
  spec: spec.exactOptional(),
  specs: z.array(spec).exactOptional(),
  status: z.unknown().exactOptional(),
}).superRefine(({ spec: one, specs }, context) => {
  if (one === undefined && specs === undefined)
    context.addIssue({ code: "custom", path: ["spec"], message: "is missing, and so is specs" });
});

/** A CiliumCIDRGroup: addresses under a name. */
export const ciliumCidrGroup = fields({
  apiVersion: z.enum(["cilium.io/v2", "cilium.io/v2alpha1"]),
  spec: fields({ externalCIDRs: z.array(cidr) }),
});

/** `Combining … is not supported yet`, says the agent. */
function standsAlone(rule: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  const given = Object.entries(rule).filter(([, value]) => Array.isArray(value) && value.length > 0);
  const [first, second] = given.map(([name]) => name).filter((name) => name !== "toPorts" && name !== "icmps");
  if (first !== undefined && second !== undefined)
    context.addIssue({ code: "custom", path: [second], message: `cannot stand beside ${first} in one rule` });
  if (given.some(([name]) => name === "icmps") && given.some(([name]) => name === "toPorts"))
    context.addIssue({ code: "custom", path: ["icmps"], message: "cannot stand beside toPorts in one rule" });
}

type Rest = {
  readonly toPorts?: readonly PortRule[];
  readonly icmps?: readonly unknown[];
  readonly authentication?: { readonly mode: CiliumRule["authentication"] };
};

type Ingress = Rest & {
  readonly fromEndpoints?: readonly LabelSelector[];
  readonly fromCIDR?: readonly string[];
  readonly fromCIDRSet?: readonly CidrRule[];
  readonly fromEntities?: readonly Entity[];
  readonly fromNodes?: readonly LabelSelector[];
  readonly fromGroups?: readonly unknown[];
};

type Egress = Rest & {
  readonly toEndpoints?: readonly LabelSelector[];
  readonly toCIDR?: readonly string[];
  readonly toCIDRSet?: readonly CidrRule[];
  readonly toEntities?: readonly Entity[];
  readonly toNodes?: readonly LabelSelector[];
  readonly toGroups?: readonly unknown[];
  readonly toServices?: readonly unknown[];
  readonly toFQDNs?: readonly unknown[];
};

function fromIngress(rule: Ingress): CiliumRule {
  return {
    endpoints: rule.fromEndpoints,
    cidrs: rule.fromCIDR,
    cidrSet: rule.fromCIDRSet,
    entities: rule.fromEntities,
    nodes: rule.fromNodes,
    groups: rule.fromGroups ?? [],
    services: [],
    names: [],
    ...restOf(rule),
  };
}

function fromEgress(rule: Egress): CiliumRule {
  return {
    endpoints: rule.toEndpoints,
    cidrs: rule.toCIDR,
    cidrSet: rule.toCIDRSet,
    entities: rule.toEntities,
    nodes: rule.toNodes,
    groups: rule.toGroups ?? [],
    services: rule.toServices ?? [],
    names: rule.toFQDNs ?? [],
    ...restOf(rule),
  };
}

function restOf({ toPorts = [], icmps: types = [], authentication: required }: Rest) {
  return { toPorts, icmps: types, authentication: required?.mode ?? ("disabled" as const) };
}
