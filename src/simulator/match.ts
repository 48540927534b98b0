import { type AddressSet, covers, type Family, hasAddress } from "./addresses.ts";
import type { BoundRule, BoundTerm } from "./bound.ts";
import type { PodAddress } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import { isSelected, selectsAll } from "./matcher.ts";
import type { ContainerPort, Matcher, PodIdentity } from "./model.ts";
import { allPorts, type PortSet, portRange, unitePorts } from "./ports.ts";
import type { Settings } from "./snapshot.ts";

/** The other end, as a rule sees it. */
export type Peer =
  | { readonly kind: "pod"; readonly index: number; readonly addresses: readonly PodAddress[] }
  /** `own`: the subject runs on it; undefined: not known. */
  | { readonly kind: "node"; readonly addresses: readonly PodAddress[]; readonly own?: boolean | undefined }
  | { readonly kind: "external"; readonly addresses: readonly [PodAddress] };

/**
 * A pod that is not in the snapshot, its addresses unknown. Without an identity it stands for any: whatever asks for more
 * than a pod then matches perhaps.
 */
export type Stranger = {
  readonly kind: "stranger";
  readonly identity: PodIdentity | undefined;
  readonly addresses: readonly [];
};

/** What a rule is held against: the peer, where the traffic arrives, and the families that both ends can talk. */
export type Encounter = {
  readonly peer: Peer | Stranger;
  /** Named ports of the destination pod; empty where the destination is no pod. */
  readonly ports: readonly ContainerPort[];
  /** Undefined: not known. */
  readonly families: ReadonlySet<Family> | undefined;
} & Reading;

/** How the engine reads an ipBlock. */
type Reading = {
  readonly ipBlockMatchesPods: Settings["ipBlockMatchesPods"];
  readonly ipBlockMatchesNodes: boolean;
};

/** Cilium takes a node for no address outside (its documentation, Selecting nodes with CIDR / ipBlock: off by default). */
export function readingOf({ settings, engine }: Pick<Simulator, "settings" | "engine">): Reading {
  return { ipBlockMatchesPods: settings.ipBlockMatchesPods, ipBlockMatchesNodes: engine !== "cilium" };
}

/** Those of a pod; undefined where its addresses are not known. */
export function familiesOf(addresses: readonly PodAddress[]): Encounter["families"] {
  if (addresses.length === 0) return undefined;
  return new Set(addresses.map(({ family }) => family));
}

/** Yes, no, or why only perhaps. */
export type Match = true | false | { readonly maybe: string };

/** Whether one of the rule's peers is this one. */
export function matchPeers({ peers, maybe }: BoundRule, encounter: Encounter): Match {
  if (peers === "all") return maybe === undefined ? true : { maybe };
  let perhaps: Match = false;
  for (const term of peers) {
    const match = matchTerm(term, encounter);
    if (match === true) return maybe === undefined ? true : { maybe };
    if (match !== false && perhaps === false) perhaps = match;
  }
  return perhaps !== false && maybe !== undefined ? { maybe } : perhaps;
}

/** The ports of the destination that the rule speaks of. */
export function matchPorts({ ports, namedPorts }: BoundRule, { ports: declared }: Encounter): PortSet {
  if (ports === "all") return allPorts;
  if (namedPorts.length === 0) return ports;
  return namedPorts
    .flatMap((wanted) => declared.filter(({ name, protocol }) => name === wanted.name && protocol === wanted.protocol))
    .reduce((sum, { protocol, port }) => unitePorts(sum, portRange(protocol, port, port)), ports);
}

function matchTerm(bound: BoundTerm, encounter: Encounter): Match {
  const { term } = bound;
  const kind = isOfKind(bound, encounter.peer);
  if (kind === false) return false;
  const wanted = term.addresses === undefined ? true : matchAddresses(term.addresses, term, encounter);
  if (wanted === false) return false;
  const unwanted = term.notAddresses === undefined ? false : matchAddresses(term.notAddresses, term, encounter);
  if (unwanted === true) return false;
  if (term.maybe !== undefined) return { maybe: term.maybe };
  if (kind !== true) return kind;
  return wanted === true && unwanted !== false ? unwanted : wanted;
}

function isOfKind({ term, pods, notPods }: BoundTerm, peer: Encounter["peer"]): Match {
  if (peer.kind === "stranger") return isStranger(term, peer);
  if (!term.on.includes(peer.kind)) return false;
  if (peer.kind === "node" && term.node !== undefined) {
    return peer.own === undefined ? { maybe: "which node is the pod's own is not known" } : isNode(term.node, peer.own);
  }
  return peer.kind !== "pod" || (pods?.has(peer.index) !== false && notPods?.has(peer.index) !== true);
}

function isNode(wanted: "own" | "other", own: boolean): boolean {
  return own === (wanted === "own");
}

function isStranger({ on, pods, notPods }: BoundTerm["term"], { identity }: Stranger): Match {
  if (!on.includes("pod")) return false;
  const asks = (matcher: Matcher | undefined): matcher is Matcher => matcher !== undefined && !selectsAll(matcher);
  if (identity !== undefined)
    return !(asks(pods) && !isSelected(pods, identity)) && !(notPods !== undefined && isSelected(notPods, identity));
  return asks(pods) || notPods !== undefined ? { maybe: "which pods it means was not worked out" } : true;
}

function matchAddresses(
  set: AddressSet,
  { podsByAddress }: BoundTerm["term"],
  { peer, families, ipBlockMatchesPods, ipBlockMatchesNodes }: Encounter,
): Match {
  if (peer.kind === "node" && podsByAddress === "engine" && !ipBlockMatchesNodes) return false;
  if (peer.kind !== "pod" && peer.kind !== "stranger") return isWithin(set, peer.addresses, families);
  if (podsByAddress === undefined) return false;
  const reading = podsByAddress === "yes" ? true : ipBlockMatchesPods;
  if (reading === false) return false;
  const within = isWithin(set, peer.addresses, families);
  if (reading === true || within === false) return within;
  return { maybe: "engines differ on whether an ipBlock matches the addresses of pods" };
}

function isWithin(set: AddressSet, addresses: readonly PodAddress[], families: Encounter["families"]): Match {
  const shared = addresses.filter(({ family }) => families?.has(family) !== false);
  const asked = shared.length > 0 ? shared : addresses;
  if (asked.length === 0) return isWithinUnknown(set);
  const inside = asked.filter(({ family, value }) => hasAddress(set, family, value));
  if (inside.length === asked.length) return true;
  if (inside.length === 0) return false;
  const only = inside.some(({ family }) => family === "ipv4") ? "IPv4" : "IPv6";
  return { maybe: `only its ${only} address is in the range` };
}

/** An address that is not known, as in a manifest, is taken for IPv4: it is in 0.0.0.0/0, and elsewhere perhaps. */
function isWithinUnknown(set: AddressSet): Match {
  if (set.ipv4.length === 0) return set.ipv6.length === 0 ? false : { maybe: "its addresses are not known" };
  return covers(set, { ipv4: wholeOfIpv4, ipv6: [] }) ? true : { maybe: "its addresses are not known" };
}

const wholeOfIpv4 = [{ first: 0n, last: 0xffff_ffffn }];
