import { z } from "zod";
import type { LabelSelector } from "../policy/objects.ts";
import { exactlyOne, fields } from "./fields.ts";
import { cidr, labelSelector, portNumber } from "./selector-schema.ts";

/** What the policies of policy.networking.k8s.io share, in both versions (network-policy-api v0.1.8 and v0.2.0). */

/** Exactly one of them is given. */
export type TierPeer = {
  readonly namespaces?: LabelSelector;
  readonly pods?: NamespacedPods;
  readonly nodes?: LabelSelector;
  readonly networks?: readonly string[];
  readonly domainNames?: readonly string[];
};

type NamespacedPods = { readonly namespaceSelector?: LabelSelector; readonly podSelector?: LabelSelector };

/**
 * The CRD asks for both selectors, but programs that read policies as their Go types say take an absent one for an empty one,
 * and there are such policies: so does this, and the policy says so in `notEvaluated`.
 */
export const v1Peers = peersOf(
  fields({ namespaceSelector: labelSelector.exactOptional(), podSelector: labelSelector.exactOptional() }),
);

/** An absent namespaceSelector selects all namespaces. */
export const v2Peers = peersOf(
  fields({ namespaceSelector: labelSelector.exactOptional(), podSelector: labelSelector }),
);

export const ruleName = z.string().max(100).exactOptional();

export const priority = z.int().min(0).max(1_000);

/** Of a range of ports, both inclusive. */
export const portEnds = { start: portNumber, end: portNumber };

/** For `superRefine` on an egress rule that asks for a named port: only pods have any. */
export function reachesOnlyPods({ to }: { readonly to: readonly TierPeer[] }, context: z.RefinementCtx): void {
  for (const [index, { networks, nodes, domainNames }] of to.entries()) {
    if ((networks ?? nodes ?? domainNames) === undefined) continue;
    const message = "has no named ports, and the rule asks for one";
    context.addIssue({ code: "custom", path: ["to", index], message });
  }
}

/** Ingress knows no peers but pods, and the same shape is a policy's subject. */
function peersOf(namespacedPods: z.ZodType<NamespacedPods>) {
  const pods = { namespaces: labelSelector.exactOptional(), pods: namespacedPods.exactOptional() };
  const networks = z.array(cidr).min(1).max(25).exactOptional();
  const unnamed = { ...pods, nodes: labelSelector.exactOptional(), networks };
  const all = { ...unnamed, domainNames: z.array(domainName()).min(1).max(25).exactOptional() };
  return {
    pods: fields(pods).superRefine(exactlyOne(Object.keys(pods))),
    /** As BaselineAdminNetworkPolicy has it. */
    unnamed: fields(unnamed).superRefine(exactlyOne(Object.keys(unnamed))),
    all: fields(all).superRefine(exactlyOne(Object.keys(all))),
  };
}

function domainName() {
  const label = "[a-z0-9]([a-z0-9_-]*[a-z0-9])?";
  const form = new RegExp(`^(\\*\\.)?(${label}\\.)+${label}\\.?$`, "i");
  return z.string().regex(form, "is no domain name such as example.com or *.example.com");
}
