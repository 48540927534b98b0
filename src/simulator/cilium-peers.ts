import {
  type AddressSet,
  allAddresses,
  noAddresses,
  parseCidr,
  subtractAddresses,
  uniteAddresses,
} from "./addresses.ts";
import { entityTerms } from "./cilium-entities.ts";
import type { CidrGroups } from "./cilium-groups.ts";
import type { CidrRule } from "./cilium-peer-schema.ts";
import type { CiliumRule } from "./cilium-schema.ts";
import { endpointTerms } from "./cilium-selector.ts";
import type { Direction, PeerTerm } from "./model.ts";

/** Where a rule stands, and what it may refer to. */
export type PeerContext = {
  /** The policy's; undefined in a clusterwide one. */
  readonly namespace: string | undefined;
  readonly groups: CidrGroups;
  readonly direction: Direction;
};

/**
 * The L3 part of a rule; `"all"` where it has none. A list that is there and empty selects nothing (cilium:
 * pkg/policy/utils, mergeEndpointSelectors; pull request 29608).
 */
export function peersOf(rule: CiliumRule, context: PeerContext): "all" | readonly PeerTerm[] {
  const lists = [rule.endpoints, rule.nodes, rule.entities, rule.cidrs, rule.cidrSet];
  if (lists.some((list) => list?.length === 0)) return [];
  const terms = [
    ...(rule.endpoints ?? []).flatMap((selector) => endpointTerms(selector, context.namespace)),
    ...entityTerms(rule.entities ?? [], context.direction),
    ...(rule.cidrs ?? []).map((text) => withAddresses(parseCidr(text) ?? noAddresses)),
    ...(rule.cidrSet ?? []).map((each) => cidrTerm(each, context)),
    ...notEvaluated(rule),
  ];
  return lists.every((list) => list === undefined) && terms.length === 0 ? "all" : terms;
}

function cidrTerm(rule: CidrRule, { groups }: PeerContext): PeerTerm {
  const holes = uniteAddresses((rule.except ?? []).map((text) => parseCidr(text) ?? noAddresses));
  if (rule.cidr !== undefined) return withAddresses(subtractAddresses(parseCidr(rule.cidr) ?? noAddresses, holes));
  const group = groups(rule);
  if (group !== undefined) return withAddresses(subtractAddresses(group, holes));
  const named = rule.cidrGroupRef === undefined ? "that is selected" : `${rule.cidrGroupRef}`;
  return {
    ...withAddresses(subtractAddresses(allAddresses, holes)),
    maybe: `the CiliumCIDRGroup ${named} is not known`,
  };
}

/**
 * CIDRs select what Cilium has no labels for: neither pods nor nodes, unless `policy-cidr-match-mode` says so
 * (documentation: Layer 3 Policies, IP/CIDR based; facts: network-policy §1, ipBlock vs pod IPs).
 */
function withAddresses(addresses: AddressSet): PeerTerm {
  return { on: ["pod", "external"], addresses, podsByAddress: "engine" };
}

function notEvaluated({ nodes = [], groups, services, names }: CiliumRule): readonly PeerTerm[] {
  const terms: readonly PeerTerm[] = [
    { on: ["node"], maybe: "labels of nodes are not evaluated" },
    { on: ["external"], maybe: "groups of a cloud provider are not evaluated" },
    { on: ["pod", "external"], maybe: "toServices is not evaluated" },
    { on: ["external"], maybe: "toFQDNs: names are not evaluated" },
  ];
  const given = [nodes, groups, services, names];
  return terms.filter((_, index) => (given[index] ?? []).length > 0);
}
