import { isApiServer, isClusterDns } from "../policy/cluster-dns.ts";
import { hasPort } from "../simulator/ports.ts";
import type { SimulatedPod, SimulatedService } from "../simulator/snapshot.ts";
import type { Lost, LostPeer, LostRange, Way } from "./impact-peers.ts";
import { type KnownPort, knownPorts, type PortWords, portWords } from "./impact-ports.ts";
import { counted, someOf } from "./impact-words.ts";
import { unseen } from "./unseen.ts";

/** Where the ports' words are taken from. */
export type Listeners = {
  /** Of the whole cluster. */
  readonly services: readonly SimulatedService[];
  /** The contained pods as they were: their Services selected the old labels. */
  readonly contained: readonly SimulatedPod[];
  /** More ports of theirs, which have no name. */
  readonly unnamed: readonly KnownPort[];
};

/** So many lines each way, and so many workloads a line; the others are counted. */
const mostLines = 4;
const mostPeers = 5;

/**
 * What is lost, in sentences, most important first: DNS and the API server, then the peers that a policy, a Service or a
 * named port tells of, then the others, then addresses outside of the cluster. Names come from outside: escape.
 */
export function lossWords({ peers, ranges, among }: Lost, listeners: Listeners): readonly string[] {
  const byNamespace = Map.groupBy(listeners.services, ({ namespace }) => namespace);
  const own = ownPorts(listeners, byNamespace);
  const [first] = listeners.contained;
  const described = peers.map((peer) => ({
    peer,
    words: portWords(peer.ports, peer.way === "in" ? own : portsOf(peer, byNamespace)),
    near: peer.workload.namespace === first?.namespace,
    special: specialOf(peer, byNamespace),
  }));
  const ordinary = described.filter(({ special }) => special === undefined).toSorted(byImportance);
  return [
    ...specials(described),
    ...(among.length === 0 ? [] : [`The contained pods no longer reach each other ${portWords(among, own).text}.`]),
    ...lines(ordinary, "in"),
    ...lines(ordinary, "out"),
    ...outside(ranges, "in", own),
    ...outside(ranges, "out", []),
  ];
}

type ByNamespace = ReadonlyMap<string, readonly SimulatedService[]>;
type Described = {
  readonly peer: LostPeer;
  readonly words: PortWords;
  readonly near: boolean;
  readonly special: "dns" | "api" | undefined;
};

function ownPorts({ contained: [first], unnamed }: Listeners, services: ByNamespace): readonly KnownPort[] {
  if (first === undefined) return [];
  const known = knownPorts(first, services.get(first.namespace) ?? []);
  const isNew = (port: KnownPort) => !known.some((one) => one.protocol === port.protocol && one.port === port.port);
  return [...known, ...unnamed.filter(isNew)];
}

/** Pods of one workload listen alike. */
function portsOf({ pods: [first] }: LostPeer, services: ByNamespace): readonly KnownPort[] {
  return first === undefined ? [] : knownPorts(first, services.get(first.workload.namespace) ?? []);
}

function specialOf(peer: LostPeer, services: ByNamespace): Described["special"] {
  const { way, pods } = peer;
  if (way === "in") return undefined;
  if (pods.some(({ labels }) => isClusterDns(labels))) return losesNames(peer, services) ? "dns" : undefined;
  return pods.some(({ labels }) => isApiServer(labels)) ? "api" : undefined;
}

/** A lockdown closes all but DNS to the pods that answer it. Resolvers ask by UDP first. */
function losesNames(peer: LostPeer, services: ByNamespace): boolean {
  const asked = portsOf(peer, services).filter(({ protocol }) => protocol === "UDP");
  const ports = asked.length === 0 ? [53] : asked.map(({ port }) => port);
  return ports.some((port) => hasPort(peer.ports, "UDP", port));
}

function specials(described: readonly Described[]): readonly string[] {
  const named = (which: "dns" | "api"): string => {
    const peers = described.filter(({ special }) => special === which).map(({ peer }) => nameOf(peer));
    return someOf(peers, mostPeers, "workloads");
  };
  const [dns, api] = [named("dns"), named("api")];
  return [
    ...(dns === "" ? [] : [`DNS: it can no longer resolve names: ${dns}.`]),
    ...(api === "" ? [] : [`The Kubernetes API server: it can no longer reach it: ${api}.`]),
  ];
}

function byImportance(a: Described, b: Described): number {
  const [left, right] = [rankOf(a), rankOf(b)];
  const at = left.findIndex((value, i) => value !== right[i]);
  return at < 0 ? nameOf(a.peer).localeCompare(nameOf(b.peer)) : (left[at] ?? 0) - (right[at] ?? 0);
}

/** Lower first. Who speaks of single ports means it; who shares a namespace is likelier to talk at all. */
function rankOf({ peer, words, near }: Described): readonly number[] {
  return [peer.hostNetwork ? 1 : 0, words.byPolicy ? 0 : 1, words.known ? 0 : 1, near ? 0 : 1, -peer.pods.length];
}

/** A line for each set of ports. The map keeps the order of importance. */
function lines(all: readonly Described[], way: Way): readonly string[] {
  const described = all.filter(({ peer }) => peer.way === way);
  const groups = [...Map.groupBy(described, ({ words }) => words.text)];
  const shown = groups.slice(0, mostLines).map(([ports, same]) => {
    const names = someOf(
      same.map(({ peer }) => nameOf(peer)),
      mostPeers,
      "workloads",
    );
    return way === "in" ? `No longer reached ${ports} by ${names}.` : `No longer reaches ${names} ${ports}.`;
  });
  const left = groups.slice(mostLines).reduce((sum, [, same]) => sum + same.length, 0);
  if (left === 0) return shown;
  const more = `${left} more ${left === 1 ? "workload" : "workloads"}`;
  return [...shown, way === "in" ? `And no longer reached by ${more}.` : `And no longer reaches ${more}.`];
}

function nameOf({ workload, pods, hostNetwork }: LostPeer): string {
  if (workload.namespace === unseen.namespace) {
    return `${counted(pods.length, "pod")} of other namespaces${hostNetwork ? " on the host's network" : ""} (no right to see which)`;
  }
  const { namespace, name, kind } = workload;
  const many = pods.length > 1 ? `, ${counted(pods.length, "pod")}` : "";
  return `${namespace}/${name} (${kind}${many}${hostNetwork ? ", on the host's network" : ""})`;
}

/** So many ranges are written out. */
const mostRanges = 3;

const everything = ["0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];

function outside(ranges: readonly LostRange[], way: Way, known: readonly KnownPort[]): readonly string[] {
  const groups = [
    ...Map.groupBy(
      ranges.filter((each) => each.way === way),
      ({ ports }) => portWords(ports, known).text,
    ),
  ];
  const shown = groups.slice(0, mostLines).map(([ports, same]) => {
    const where = addresses(same.map(({ range }) => range));
    return way === "in" ? `No longer reached ${ports} by ${where}.` : `No longer reaches ${where} ${ports}.`;
  });
  const left = groups.length - mostLines;
  return left > 0
    ? [...shown, `And ${left} more sets of ports ${way === "in" ? "from" : "to"} outside of the cluster.`]
    : shown;
}

function addresses(ranges: readonly string[]): string {
  const distinct = [...new Set(ranges)];
  if (everything.every((range) => distinct.includes(range))) return "any address outside of the cluster";
  return `addresses outside of the cluster: ${someOf(distinct.map(shortRange), mostRanges, "ranges")}`;
}

function shortRange(range: string): string {
  if (range === everything[0]) return "any of IPv4";
  if (range === everything[1]) return "any of IPv6";
  const [first = "", last] = range.split("-");
  return first === last ? first : range;
}
