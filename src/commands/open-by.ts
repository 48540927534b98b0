import type { Namespace, Pod } from "../policy/objects.ts";
import type { SeenFlow } from "../policy/observation.ts";
import { compile } from "../simulator/compile.ts";
import { decide, type Endpoint } from "../simulator/decide.ts";
import type { Protocol, WireObject } from "../simulator/model.ts";
import type { Settings } from "../simulator/snapshot.ts";
import { snapshotOf } from "./simulated.ts";

/**
 * Whether a rule of some policies allows a flow on one of its sides; undefined where that cannot be told: an end
 * or a port that is not known, a protocol of which policies say nothing.
 */
export type OpenBy = (flow: SeenFlow, direction: Direction) => boolean | undefined;

type Direction = "ingress" | "egress";

/** The policies that are asked, as if there were no others; and whom the cluster has. */
export type Ground = {
  readonly policies: readonly WireObject[];
  readonly namespaces: readonly Namespace[];
  readonly pods: ReadonlyMap<string, Pod>;
};

/** As in drift-left.ts: by the policies alone. */
const settings: Settings = { engine: undefined, ipBlockMatchesPods: "unknown" };
/** Each costs about a millisecond: of a scan the first ones are told. */
const mostAsked = 300;

/** Answers are remembered: the same two ends and port are asked once. */
export function createOpenBy(ground: Ground): OpenBy {
  const known = new Map<string, boolean | undefined>();
  return (flow, direction) => {
    const key = keyOf(flow, direction);
    if (known.has(key)) return known.get(key);
    if (known.size >= mostAsked) return undefined;
    const answer = ask(ground, flow, direction);
    known.set(key, answer);
    return answer;
  };
}

function keyOf({ record, fromPod, toPod }: SeenFlow, direction: Direction): string {
  const { from, to, protocol, toPort } = record;
  return JSON.stringify([fromPod?.uid ?? from.address, toPod?.uid ?? to.address, protocol, toPort, direction]);
}

function ask(ground: Ground, flow: SeenFlow, direction: Direction): boolean | undefined {
  const { protocol, toPort: port, from, to } = flow.record;
  if (port === undefined || !isProtocol(protocol)) return undefined;
  const ends = [flow.fromPod, flow.toPod].map((pod) => (pod === undefined ? undefined : ground.pods.get(pod.uid)));
  const snapshot = snapshotOf({
    ...ground,
    pods: ends.filter((pod) => pod !== undefined),
    services: [],
    workloads: [],
  });
  const endpoint = (pod: Pod | undefined, address: string | undefined): Endpoint | undefined => {
    const simulated = snapshot.pods.find(({ namespace, name }) => namespace === pod?.namespace && name === pod.name);
    if (simulated !== undefined) return { kind: "pod", pod: simulated };
    return address === undefined ? undefined : outside(ground, address);
  };
  const [source, target] = [endpoint(ends[0], from.address), endpoint(ends[1], to.address)];
  if (source === undefined || target === undefined) return undefined;
  const answer = decide(compile(snapshot, settings), { from: source, to: target, protocol, port })[direction];
  const isByRule = answer.because.some(({ kind }) => kind === "rule");
  return answer.verdict === "undecided" ? undefined : answer.verdict === "allowed" && isByRule;
}

function isProtocol(protocol: string): protocol is Protocol {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP";
}

/** A node by its address, which pods tell; else the world. */
function outside({ pods }: Ground, address: string): Endpoint {
  const there = [...pods.values()].find(({ hostIP }) => hostIP === address);
  if (there?.nodeName === undefined) return { kind: "external", address };
  return { kind: "node", name: there.nodeName, addresses: [address] };
}
