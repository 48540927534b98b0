import { noAddresses, parseCidr, uniteAddresses } from "./addresses.ts";
import { podsAcross } from "./matcher.ts";
import type { Matcher, PeerTerm, PortTerm, Rule, RuleAction } from "./model.ts";
import { protocols } from "./ports.ts";
import type { TierPeer } from "./tier-schema.ts";

/** A rule of any policy of policy.networking.k8s.io, its action and ports in the model's words. */
export type TierRule = {
  readonly name?: string;
  readonly action: RuleAction;
  readonly peers: readonly TierPeer[];
  readonly ports: Rule["ports"];
};

/** The pods that a subject or a peer selects; a peer of any other kind has none. */
export function podsSelected({ namespaces, pods }: TierPeer): Matcher | undefined {
  if (namespaces !== undefined) return podsAcross(namespaces, undefined);
  return pods && podsAcross(pods.namespaceSelector, pods.podSelector);
}

/**
 * One rule, or two: an engine that does not know a peer of the experimental channel must fail closed, so that its allow
 * matches nothing, and its deny or pass denies everything (comments on AdminNetworkPolicyEgressPeer and
 * ClusterNetworkPolicyEgressPeer). Which engine it is, is not known here: both readings are kept.
 */
export function tierRules(direction: string, rules: readonly TierRule[]): readonly Rule[] {
  return rules.flatMap(({ name: given, action, peers, ports }, index): readonly Rule[] => {
    const name = given === undefined ? `${direction}[${index}]` : `${direction}[${index}] (${given})`;
    const rule: Rule = { action, name, peers: peers.map(termOf), ports };
    const kinds = (["nodes", "domainNames"] as const).filter((kind) => peers.some((peer) => peer[kind] !== undefined));
    if (kinds.length === 0) return [rule];
    const unknown = `engines that do not know ${kinds.join(" and ")} as peers`;
    if (action === "allow") return [{ ...rule, maybe: `${unknown} allow nothing by this rule` }];
    return [
      { action: "deny", name, peers: "all", ports: "all", maybe: `${unknown} deny everything by this rule` },
      rule,
    ];
  });
}

/** A port's name says nothing of the protocol. */
export function namedPort(name: string): readonly PortTerm[] {
  return protocols.map((protocol) => ({ protocol, name }));
}

/** "Cluster-internal traffic will be checked against the rule as well" (`networks`): pods by their addresses. */
function termOf(peer: TierPeer): PeerTerm {
  const pods = podsSelected(peer);
  if (pods !== undefined) return { on: ["pod"], pods };
  if (peer.nodes !== undefined) return { on: ["node"], maybe: "nodes: their labels are not evaluated" };
  if (peer.domainNames !== undefined) {
    // Names of pods and of headless Services are supported (NPEP-133), so a pod may be meant too.
    return { on: ["pod", "node", "external"], maybe: "domainNames: names are not evaluated" };
  }
  const addresses = uniteAddresses((peer.networks ?? []).map((cidr) => parseCidr(cidr) ?? noAddresses));
  return { on: ["pod", "node", "external"], addresses, podsByAddress: "yes" };
}
