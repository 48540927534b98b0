import { isClusterDns } from "../policy/cluster-dns.ts";
import type { DeltaRow } from "../simulator/delta.ts";
import { noPorts, type PortSet, unitePorts } from "../simulator/ports.ts";
import type { ReachedEnd } from "../simulator/reach.ts";
import type { SimulatedPod, WorkloadName } from "../simulator/snapshot.ts";

/** `out`: the contained pods open the connection; `in`: the peer does. */
export type Way = "out" | "in";

/** What one workload and the contained pods cannot open to each other any more. */
export type LostPeer = {
  readonly way: Way;
  readonly workload: WorkloadName;
  readonly hostNetwork: boolean;
  readonly pods: readonly SimulatedPod[];
  readonly ports: PortSet;
};

/** The same with addresses outside of the cluster. */
export type LostRange = { readonly way: Way; readonly range: string; readonly ports: PortSet };

export type Lost = {
  readonly peers: readonly LostPeer[];
  readonly ranges: readonly LostRange[];
  /** What the contained pods cannot open to each other any more. */
  readonly among: PortSet;
};

/** What the rows close for these pods, workload by workload. */
export function lostBy(rows: readonly DeltaRow[], contained: ReadonlySet<SimulatedPod>): Lost {
  const closing = rows.filter(({ closed }) => closed.length > 0);
  const peers = new Map<string, Gathered>();
  const ranges: LostRange[] = [];
  let among = noPorts;
  for (const { from, to, closed } of closing) {
    const [sends, receives] = [holds(from, contained), holds(to, contained)];
    if (sends && receives) among = unitePorts(among, closed);
    if (sends) add({ way: "out", peer: to, ports: closed });
    if (receives) add({ way: "in", peer: from, ports: closed });
  }
  return { peers: [...peers.values()].map(({ pods, ...rest }) => ({ ...rest, pods: [...pods] })), ranges, among };

  function add({ way, peer, ports }: { way: Way; peer: ReachedEnd; ports: PortSet }): void {
    if (peer.kind === "range") ranges.push({ way, range: peer.range, ports });
    else gather(peers, { way, ports, pods: peer.pods.filter((pod) => !contained.has(pod)) });
  }
}

type Gathered = Omit<LostPeer, "pods"> & { readonly pods: Set<SimulatedPod> };

function gather(
  peers: Map<string, Gathered>,
  { way, ports, pods }: { way: Way; ports: PortSet; pods: readonly SimulatedPod[] },
): void {
  for (const [key, some] of Map.groupBy(pods, (pod) => keyOf(way, pod))) {
    const [first] = some;
    if (first === undefined) continue;
    const known = peers.get(key);
    const { workload, hostNetwork } = first;
    const united = known === undefined ? ports : unitePorts(known.ports, ports);
    peers.set(key, { way, workload, hostNetwork, ports: united, pods: new Set([...(known?.pods ?? []), ...some]) });
  }
}

/** The cluster's DNS stays apart where workloads are not told apart, since losing it is said by itself. */
function keyOf(way: Way, { hostNetwork, labels, workload: { namespace, kind, name } }: SimulatedPod): string {
  return `${way} ${hostNetwork} ${isClusterDns(labels)} ${namespace}/${kind}/${name}`;
}

function holds(end: ReachedEnd, contained: ReadonlySet<SimulatedPod>): boolean {
  return end.kind === "pods" && end.pods.some((pod) => contained.has(pod));
}
