import { addressIn } from "./address.ts";
import { endOf, podNamed } from "./ends.ts";
import { eventOf } from "./events.ts";
import { type Fields, fieldsOf, momentOf, portIn, wholeIn } from "./fields.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, FlowEnd, FlowItem, FlowProtocol, FlowRecord } from "./record.ts";

/** A line of its log: its JSON, or what `packetLineOf` makes of a line of its text. `ts` is milliseconds since the epoch. */
export type PacketLine = Fields<"ts" | "msg" | "id" | "srcPod" | "dstPod" | "packet">;

/**
 * Reads what kube-network-policies logs with -v=2, of one stream (facts: denied-flows §4): "Evaluating packet" tells a packet, once
 * or twice, and a later line of the same id what became of it. Ids are of one process, so they count together with the node.
 * Packets that wait are bounded: the oldest is forgotten, and its decision is then unreadable.
 */
export function createPacketReader(): (line: PacketLine, carried: Carried) => FlowItem {
  const waiting = new Map<string, Packet>();
  return (line, carried) => {
    const id = wholeIn(line.id);
    const decided = decisions.get(line.msg);
    const isOfPacket = decided !== undefined || line.msg === "Evaluating packet" || line.packet !== undefined;
    if (id === undefined || !isOfPacket) return { kind: "passed" };
    const key = `${id} ${carried.node ?? ""}`;
    const packet = waiting.get(key);
    waiting.delete(key);
    if (decided !== undefined) return itemOf(packet, decided, { ...carried, atMs: momentIn(line.ts) ?? carried.atMs });
    waiting.set(key, { ...packet, ...podsOf(line), ...layersOf(line.packet) });
    if (waiting.size > mostWaiting) forgetOldest(waiting);
    return { kind: "passed" };
  };
}

/** Each is decided within a millisecond, and takes some hundred bytes. */
const mostWaiting = 1024;

type Pod = Pick<FlowEnd, "namespace" | "pod">;

type Layers = {
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly protocol: FlowProtocol;
  readonly fromPort: number | undefined;
  readonly toPort: number | undefined;
};

type Packet = Partial<Layers> & { readonly fromPod?: Pod; readonly toPod?: Pod };

type Decided = Pick<FlowRecord, "verdict" | "direction">;

/** NetworkPolicies only allow: what they deny is denied by default. */
const denied = { kind: "denied", reason: "no-rule" } as const;

const decisions: ReadonlyMap<unknown, Decided> = new Map<unknown, Decided>([
  ["Packet denied by egress policy", { verdict: denied, direction: "egress" }],
  ["Packet denied by ingress policy", { verdict: denied, direction: "ingress" }],
  ["Packet accepted by policy", { verdict: { kind: "forwarded" }, direction: undefined }],
]);

function itemOf(packet: Packet | undefined, decided: Decided, { atMs, node }: Carried): FlowItem {
  if (packet?.source === undefined)
    return { kind: "unreadable", why: "A decision on a packet that no line before it told." };
  const { source, destination, fromPod, toPod, protocol = "unknown", fromPort, toPort } = packet;
  const [from, to] = [endOf({ ...fromPod, address: source }), endOf({ ...toPod, address: destination })];
  const ends = { from, to, protocol, fromPort, toPort };
  return {
    kind: "flow",
    record: eventOf({ format: "kube-network-policies", ...ends, ...decided, unit: "packets", atMs, node }),
  };
}

function momentIn(ts: unknown): number | undefined {
  return typeof ts === "number" ? momentOf(ts) : undefined;
}

/** `namespace/name`, or `external`. */
function podsOf({ srcPod, dstPod }: PacketLine): Pick<Packet, "fromPod" | "toPod"> {
  return srcPod === undefined ? {} : { fromPod: podNamed(srcPod), toPod: podNamed(dstPod) };
}

function layersOf(packet: unknown): Layers | undefined {
  if (typeof packet !== "object" || packet === null) return undefined;
  const { SrcIP, DstIP, Proto, SrcPort, DstPort } = fieldsOf<"SrcIP" | "DstIP" | "Proto" | "SrcPort" | "DstPort">(
    packet,
  );
  return {
    source: addressIn(SrcIP),
    destination: addressIn(DstIP),
    protocol: protocolNamed(Proto),
    fromPort: portIn(SrcPort),
    toPort: portIn(DstPort),
  };
}

function forgetOldest(waiting: Map<string, unknown>): void {
  const [oldest] = waiting.keys();
  if (oldest !== undefined) waiting.delete(oldest);
}
