/** An end of a flow, as far as its source tells. */
export type FlowSide = {
  readonly address: string | undefined;
  /** What the source calls it where it is no pod: `host` is the node on which the other end runs. */
  readonly entity: string | undefined;
};

/** What is looked at of a flow; src/flows says more. Every string comes from outside. */
export type SeenFlow = {
  readonly record: {
    readonly verdict: { readonly kind: "forwarded" | "denied" | "audited" | "dropped" };
    readonly from: FlowSide;
    readonly to: FlowSide;
    readonly protocol: string;
    readonly fromPort: number | undefined;
    readonly toPort: number | undefined;
    readonly direction: "ingress" | "egress" | undefined;
    readonly isReply: boolean | undefined;
    readonly isNew: boolean | undefined;
    /** Milliseconds since the epoch, by whoever saw it; both the same for one event. */
    readonly fromMs: number;
    readonly toMs: number;
    readonly unit: "packets" | "connections" | "events";
  };
  readonly fromPod: SeenPodName | undefined;
  readonly toPod: SeenPodName | undefined;
  /** So far ahead of the bot's was the clock of whoever saw it, milliseconds; the times above are when it came, then. */
  readonly aheadMs: number;
};

type SeenPodName = { readonly uid: string };

/** A pod that a containment holds. */
export type HeldPod = {
  readonly uid: string;
  readonly addresses: readonly string[];
  /** Of the node on which it runs; undefined: not known. */
  readonly nodeAddress: string | undefined;
};

/** What is known of a containment in force. */
export type Holding = {
  readonly pods: ReadonlyMap<string, HeldPod>;
  /** When it was realised, milliseconds since the epoch by the bot's clock. */
  readonly realisedMs: number;
  /** How far clocks of nodes may be off, milliseconds. */
  readonly marginMs: number;
  /** Whether the card lists it as left open; undefined: that could not be told. */
  isListed(flow: SeenFlow, pod: HeldPod, direction: "ingress" | "egress"): boolean | undefined;
};

/** What a flow shows of a containment. `nothing` says why it proves nothing, in a clause. */
export type Observation =
  /** It got through, and began after the pod was cut off; where that is not `sure`, only perhaps. */
  | { readonly kind: "leak"; readonly sure: boolean }
  | { readonly kind: "denied" }
  | { readonly kind: "listed" }
  | { readonly kind: "nothing"; readonly why: string };

/**
 * What a flow shows of pods that are cut off. Got through counts only as what surely began afterwards, on the side of the
 * pod that is cut off; and what an audit mode would have denied got through.
 */
export function observationOf(flow: SeenFlow, holding: Holding): Observation {
  const { kind } = flow.record.verdict;
  if (kind === "dropped") return nothing("no policy dropped it");
  const held = heldIn(flow, holding);
  if (held === undefined) return nothing("it was not decided on the side of a pod that is cut off");
  if (kind === "denied") return deniedOf(flow, holding);
  const why = harmless(flow, held.pod) ?? untimely(flow, holding);
  if (why !== undefined) return nothing(why);
  const listed = holding.isListed(flow, held.pod, held.direction);
  if (listed === true) return { kind: "listed" };
  return { kind: "leak", sure: listed === false && beginsWithin(flow) };
}

type Held = { readonly pod: HeldPod; readonly direction: "ingress" | "egress" };

/**
 * What leaves the pod is held wherever it was seen to be let through. What comes to it may be let out by its sender and be
 * denied a moment later, so that only the word of the pod's own side counts.
 */
function heldIn({ record, fromPod, toPod }: SeenFlow, { pods }: Holding): Held | undefined {
  const { direction, verdict } = record;
  const [from, to] = [fromPod && pods.get(fromPod.uid), toPod && pods.get(toPod.uid)];
  const isDenied = verdict.kind === "denied";
  if (from !== undefined && !(isDenied && direction === "ingress")) return { pod: from, direction: "egress" };
  if (to !== undefined && (direction === "ingress" || (isDenied && direction === undefined))) {
    return { pod: to, direction: "ingress" };
  }
  return undefined;
}

function deniedOf({ record, aheadMs }: SeenFlow, { realisedMs, marginMs }: Holding): Observation {
  if (record.isReply === true) return nothing("it is a reply");
  if (aheadMs > marginMs) return nothing(clockIsWrong);
  return record.fromMs > realisedMs ? { kind: "denied" } : nothing("it was seen before the pod was cut off");
}

/** What policies do not hold, or need not: a clause; undefined for anything else. */
function harmless(flow: SeenFlow, pod: HeldPod): string | undefined {
  const { record } = flow;
  if (record.isReply === true) return "it is a reply";
  if (record.isReply === undefined && looksLikeReply(record)) return "it may be a reply";
  if (isToMany(record.to.address ?? "", record.protocol)) return "it is multicast, broadcast or neighbour discovery";
  return ownTraffic(flow, pod);
}

/** "Traffic to and from the node where a Pod is running is always allowed" (Kubernetes' documentation of NetworkPolicy). */
function ownTraffic({ record, fromPod, toPod }: SeenFlow, pod: HeldPod): string | undefined {
  const peer = fromPod?.uid === pod.uid ? record.to : record.from;
  const isItself = peer.address !== undefined && pod.addresses.includes(peer.address);
  if (isItself || (fromPod !== undefined && fromPod.uid === toPod?.uid)) return "it is between the pod and itself";
  if (peer.entity === "health") return "it is a probe of the network plugin";
  const isNode = peer.entity === "host" || (peer.address !== undefined && peer.address === pod.nodeAddress);
  return isNode ? "it is between the pod and its own node" : undefined;
}

/** IANA's registered ports end at 49151; Linux takes the ports of clients from 32768 on (net.ipv4.ip_local_port_range). */
const firstEphemeral = 32_768;

function looksLikeReply({ fromPort, toPort }: SeenFlow["record"]): boolean {
  return fromPort !== undefined && toPort !== undefined && fromPort < firstEphemeral && toPort >= firstEphemeral;
}

function isToMany(address: string, protocol: string): boolean {
  if (/^(22[4-9]|23\d)\.|^255\.255\.255\.255$|^ff[0-9a-f]{2}:/i.test(address)) return true;
  return protocol === "ICMPv6" && /^fe[89ab][0-9a-f]:/i.test(address);
}

/** Why it may have begun before, or when is not known. */
function untimely({ record, aheadMs }: SeenFlow, { realisedMs, marginMs }: Holding): string | undefined {
  const { fromMs, toMs, isNew } = record;
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs)) return "when it was seen is not known";
  // When it came says nothing of when it began: it may have been on its way for minutes.
  if (aheadMs > marginMs) return clockIsWrong;
  if (fromMs <= realisedMs + marginMs) {
    return toMs <= realisedMs
      ? "it was seen before the pod was cut off"
      : "its window begins before the pod was cut off";
  }
  return isNew === false ? "its connection was open already" : undefined;
}

const clockIsWrong = "it was seen in the future: a clock is wrong";

/** Packets alone may be of a connection that was open before. */
function beginsWithin({ record: { isNew, unit } }: SeenFlow): boolean {
  return isNew === true || unit === "connections";
}

function nothing(why: string): Observation {
  return { kind: "nothing", why };
}
