import type { Endpoint } from "../policy/endpoint.ts";
import type { LabelSelector } from "../policy/objects.ts";
import { subtractCidrs, wholeFamilies } from "./cidrs.ts";
import type { Denial } from "./denial.ts";
import { inNamespace, podsOf } from "./namespaces.ts";
import { chunks, numbersOf, type PortNumbers } from "./port-ranges.ts";
import { allowName } from "./rule-names.ts";

type Pods = { readonly pods: { readonly namespaceSelector: LabelSelector; readonly podSelector: LabelSelector } };
type AdminPeer = Pods | { readonly namespaces: LabelSelector } | { readonly networks: readonly string[] };

export type AdminRule = {
  readonly name: string;
  readonly allows: boolean;
  readonly peers: readonly AdminPeer[];
  readonly numbers: PortNumbers;
};

export type AdminLimits = {
  readonly kind: string;
  readonly rules: number;
  readonly peers: number;
  readonly ports: number;
};
export type AdminRules = { readonly rules: readonly AdminRule[]; readonly notes: readonly string[] };

/** As many CIDRs as one peer may have, in both versions. */
const mostNetworks = 25;

export function adminSubject({ namespace, subject }: Denial): Pods {
  return { pods: { namespaceSelector: inNamespace(namespace), podSelector: subject } };
}

/**
 * One direction: the endpoints that are pods, the deny of all pods, and on egress the endpoints outside and the deny of all
 * networks; ingress knows no peers but pods (facts: network-policy §0.2). Networks also match the addresses of pods, which
 * not every engine's ipBlock does: so pods are denied first.
 */
export function adminRules(denial: Denial, direction: Endpoint["direction"], limits: AdminLimits): AdminRules {
  const { namespace } = denial;
  const read = denial.endpoints
    .filter((each) => each.direction === direction)
    .map((endpoint, index) => ({ endpoint, ...allowsOf(endpoint, index, { ...limits, namespace }) }));
  const kept = read.reduce<readonly Allows[]>((before, each) => [...before, fitting(before, each, limits)], []);
  const allows = (outside: boolean): readonly AdminRule[] =>
    kept.filter(({ endpoint }) => (endpoint.peer.ipBlock !== undefined) === outside).flatMap(({ rules }) => rules);
  return {
    rules: [
      ...allows(false),
      { name: "deny-pods", allows: false, peers: [{ namespaces: {} }], numbers: "all" },
      ...(direction === "egress" ? [...allows(true), denyNetworks] : []),
    ],
    notes: kept.flatMap(({ notes }) => notes),
  };
}

type Allows = AdminRules & { readonly endpoint: Endpoint };

const denyNetworks: AdminRule = {
  name: "deny-networks",
  allows: false,
  peers: [{ networks: wholeFamilies }],
  numbers: "all",
};

/** What cannot come in from outside by these rules cannot be denied by them either. */
export function ingressNote({ kind }: AdminLimits): string {
  return `${kind} denies ingress from pods only: what comes from nodes and from outside the cluster is left to NetworkPolicies.`;
}

function allowsOf(endpoint: Endpoint, index: number, given: AdminLimits & { readonly namespace: string }): AdminRules {
  const { numbers, names } = numbersOf(endpoint.ports);
  const { peers, note } = peersOf(endpoint, given);
  const closed = `Endpoint ${endpoint.name} stays denied on port ${names.join(", ")}: not every engine resolves names of ports in ${given.kind}.`;
  const sets: readonly PortNumbers[] = numbers === "all" ? ["all"] : chunks(numbers, given.ports);
  const name = allowName(endpoint, index);
  return {
    rules: peers.length === 0 ? [] : sets.map((each) => ({ name, allows: true, peers, numbers: each })),
    notes: [...(names.length === 0 ? [] : [closed]), ...(note === undefined ? [] : [note])],
  };
}

type Peers = { readonly peers: readonly AdminPeer[]; readonly note?: string };

function peersOf(
  { name, direction, peer }: Endpoint,
  { kind, peers: most, namespace }: AdminLimits & { readonly namespace: string },
): Peers {
  const { ipBlock } = peer;
  if (ipBlock === undefined) return { peers: [{ pods: podsOf(peer, namespace) }] };
  const note = `Endpoint ${name} is open outside the cluster only: pods in ${ipBlock.cidr} stay denied.`;
  if (direction === "ingress") return { peers: [], note };
  const networks = chunks(subtractCidrs([ipBlock.cidr], ipBlock.except ?? []), mostNetworks);
  if (networks.length <= most) return { peers: networks.map((each) => ({ networks: each })), note };
  return {
    peers: [],
    note: `Endpoint ${name} stays denied: its exceptions leave more networks than a rule of ${kind} may have.`,
  };
}

/** The last two places are the denies'. */
function fitting(before: readonly Allows[], given: Allows, { kind, rules: most }: AdminLimits): Allows {
  const used = before.reduce((sum, { rules }) => sum + rules.length, 0);
  if (used + given.rules.length + 2 <= most) return given;
  const note = `Endpoint ${given.endpoint.name} stays denied: ${kind} may have no more than ${most} rules.`;
  return { ...given, rules: [], notes: [...given.notes, note] };
}
