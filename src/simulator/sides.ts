import type { BoundRule, BoundTerm } from "./bound.ts";
import { type PodClass, parseAddresses } from "./classes.ts";
import type { Column } from "./columns.ts";
import type { Simulator } from "./compile.ts";
import type { Layers } from "./layers.ts";
import { type Encounter, familiesOf, type Peer, readingOf } from "./match.ts";
import type { ContainerPort, Direction } from "./model.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import { allPorts, intersectPorts, noPorts, type PortSet, subtractPorts } from "./ports.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** The ports on which a connection is surely allowed, and those on which that is undecided. */
export type Openness = { readonly allow: PortSet; readonly undecided: PortSet };

/** Something that can be at one end: pods of a class, a node, or an address. */
export type End = { readonly peer: Peer; readonly podClass: PodClass | undefined };

/** What the policies of one end in one direction say of another end, for all ports. */
export type Side = (other: End) => Outcome;

/** Where there is no policy. */
export const open: Outcome = { allow: allPorts, deny: noPorts };

export function endOfPod({ classOf }: Simulator, pod: SimulatedPod): End {
  const podClass = classOf.get(pod);
  if (podClass !== undefined) return endOfClass(podClass);
  return { peer: { kind: "node", addresses: parseAddresses(pod.addresses) }, podClass: undefined };
}

export function endOfClass(podClass: PodClass): End {
  return { peer: { kind: "pod", index: podClass.index, addresses: podClass.addresses }, podClass };
}

/** Answers are remembered by what the rules of this one end can tell apart in another, which is little. */
export function sideOf(simulator: Simulator, direction: Direction, subject: End): Side {
  const { podClass } = subject;
  const layers = podClass === undefined ? [] : simulator.layersOf(direction, podClass);
  if (podClass === undefined || layers.length === 0) return () => open;
  const families = familiesOf(podClass.addresses);
  const reading = readingOf(simulator);
  const known = new Map<string, Outcome>();
  const tell = createTeller(layers, direction);
  return (other) => {
    const destination = direction === "egress" ? other.podClass : podClass;
    const key = tell(other);
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const encounter: Encounter = { peer: other.peer, ports: destination?.ports ?? [], families, ...reading };
    const outcome = outcomeOf(layers, encounter);
    known.set(key, outcome);
    return outcome;
  };
}

/**
 * The same question the other way round: what others' policies in one direction say of this end. Answers are remembered
 * by the others' rules, which many pods share.
 */
function sideOnto(simulator: Simulator, direction: Direction, self: End): Side {
  const reading = readingOf(simulator);
  const known = new Map<Layers, Map<string, Outcome>>();
  return ({ podClass }) => {
    const layers = podClass === undefined ? [] : simulator.layersOf(direction, podClass);
    if (podClass === undefined || layers.length === 0) return open;
    const families = familiesOf(podClass.addresses);
    const { ports } = direction === "egress" ? (self.podClass ?? { ports: [] }) : podClass;
    const own = known.get(layers) ?? new Map<string, Outcome>();
    known.set(layers, own);
    const key = [...(families ?? []), ...(direction === "egress" ? [] : ports.map(portKey))].join();
    const outcome = own.get(key) ?? outcomeOf(layers, { peer: self.peer, ports, families, ...reading });
    own.set(key, outcome);
    return outcome;
  };
}

/** All connections of one end: to others, and from them. Not for the end itself, though for others of its class. */
export type View = { readonly to: (other: End) => Openness; readonly from: (other: End) => Openness };

export function viewOf(simulator: Simulator, self: End): View {
  const [egress, ingress] = [sideOf(simulator, "egress", self), sideOf(simulator, "ingress", self)];
  const [theirIngress, theirEgress] = [sideOnto(simulator, "ingress", self), sideOnto(simulator, "egress", self)];
  return {
    to: (other) => joinSides(egress(other), theirIngress(other)),
    from: (other) => joinSides(theirEgress(other), ingress(other)),
  };
}

/** Both sides must allow; what both may allow and either may deny is undecided. */
export function joinSides(egress: Outcome, ingress: Outcome): Openness {
  const may = intersectPorts(egress.allow, ingress.allow);
  const allow = subtractPorts(subtractPorts(may, egress.deny), ingress.deny);
  return { allow, undecided: subtractPorts(may, allow) };
}

export function isOpen({ allow, undecided }: Openness): boolean {
  return allow.length + undecided.length > 0;
}

/** Names an end by all that these layers can see of it. */
function createTeller(layers: Layers, direction: Direction): (other: End) => string {
  const rules = layers.flatMap(({ groups }) => groups.flat(2));
  const terms = rules.flatMap(({ peers }) => (peers === "all" ? [] : peers));
  const columns = [...new Set(terms.flatMap(({ pods, notPods }) => [pods, notPods]))].filter(
    (column) => column !== undefined,
  );
  const seesPorts = direction === "egress" && rules.some(({ namedPorts }: BoundRule) => namedPorts.length > 0);
  const seesAddresses = terms.some(
    ({ term }: BoundTerm) => term.addresses !== undefined || term.notAddresses !== undefined,
  );
  return ({ peer, podClass }) => {
    const seen = peer.kind === "pod" ? bitsOf(columns, peer.index) : kindOf(peer);
    const ports = seesPorts ? (podClass?.ports ?? []).map(portKey) : [];
    const addresses = seesAddresses ? peer.addresses.map(({ family, value }) => `${family}${value}`) : [];
    return ports.length + addresses.length === 0 ? seen : [seen, ports.join(), addresses.join()].join("|");
  };
}

function kindOf(peer: Peer): string {
  return peer.kind === "node" ? `node ${peer.own}` : peer.kind;
}

function portKey({ name, protocol, port }: ContainerPort): string {
  return `${name}/${protocol}/${port}`;
}

function bitsOf(columns: readonly Column[], index: number): string {
  let bits = "";
  for (const column of columns) bits += column.has(index) ? "1" : "0";
  return bits;
}
