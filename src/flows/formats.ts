import { isAntreaLine, itemOfAntrea } from "./antrea-line.ts";
import { type AwsLine, itemOfAws, itemOfAwsCloudWatch } from "./aws-flow.ts";
import { opened } from "./carriers.ts";
import { type Fields, fieldsOf, timeIn } from "./fields.ts";
import { type GkeEntry, itemOfGke } from "./gke-entry.ts";
import { itemsOfGoldmane } from "./goldmane-flow.ts";
import { createHubbleReader } from "./hubble-reader.ts";
import { packetLineOf } from "./klog-line.ts";
import { createPacketReader, type PacketLine } from "./kube-network-policies.ts";
import { type OtherObject, otherObject, otherText } from "./other-formats.ts";
import { itemOfOvn } from "./ovn-line.ts";
import type { Carried, FlowItem } from "./record.ts";

/** Reads one stream of entries, each by itself known for what it is. */
export type FlowReader = {
  /** What an entry says: a line, or an object that was read from one. Never throws: what cannot be read is an item as well. */
  read(entry: string | object, carried: Carried): readonly FlowItem[];
  /** What was held back until the stream's end. */
  end(): readonly FlowItem[];
};

/** One for each stream: some formats tell of one packet in several lines. What it remembers of them is bounded. */
export function createFlowReader(): FlowReader {
  const hubble = createHubbleReader();
  const packets = createPacketReader();

  function ofObject(object: object, carried: Carried, depth: number): readonly FlowItem[] {
    const known: Known = fieldsOf(object);
    if (isGoldmane(known)) return itemsOfGoldmane(known.flow ?? known, carried);
    if (hubbleFields.some((name) => known[name] !== undefined)) return hubble(known, carried);
    if (isGke(known)) return [itemOfGke(known, carried)];
    if (isAws(known)) return [itemOfAws(known, carried)];
    if (known.msg !== undefined && known.caller !== undefined) return [packets(known, carried)];
    const other = otherObject(known);
    if (other !== undefined) return [other];
    const inside = depth < deepest ? opened(object) : undefined;
    return inside?.flatMap((one) => read(one.entry, { ...carried, ...one.carried }, depth + 1)) ?? [unknown];
  }

  function ofText(line: string, carried: Carried): FlowItem {
    if (line.includes("acl_log(")) return itemOfOvn(line, carried);
    if (isAntreaLine(line)) return itemOfAntrea(line, carried);
    if (line.startsWith("Node: ")) return itemOfAwsCloudWatch(line, carried);
    if (line.includes("Flow Info: ")) return itemOfAws({ msg: line }, carried);
    const packet = packetLineOf(line, carried.atMs);
    return packet === undefined ? (otherText(line) ?? unknown) : packets(packet, carried);
  }

  function read(entry: string | object, carried: Carried, depth: number): readonly FlowItem[] {
    if (typeof entry !== "string") return ofObject(entry, carried, depth);
    if (entry.length > longestLine) return [tooLong];
    const line = entry.trimEnd();
    const { time, rest = line } = containerLine.exec(line)?.groups ?? {};
    const known = { ...carried, atMs: timeIn(time) ?? carried.atMs };
    if (!rest.startsWith("{")) return [ofText(rest, known)];
    const object = parsed(rest);
    return object === undefined ? [notJson] : ofObject(object, known, depth);
  }

  return { read: (entry, carried) => read(entry, carried, 0), end: () => [] };
}

/** 64 Ki characters; the longest that are known, with every label and header of HTTP, have some ten. */
const longestLine = 65_536;
const tooLong: FlowItem = { kind: "unreadable", why: "A line of more than 65536 characters." };
const notJson: FlowItem = { kind: "unreadable", why: "A line that begins as JSON, and is none: it may have been cut." };
const unknown: FlowItem = { kind: "unreadable", why: "It is of no format that is known here." };

/** A line in an object in a line: as deep as an agent may have wrapped it. */
const deepest = 4;

/** What container runtimes (CRI) and `kubectl logs --timestamps` put before a line. */
const containerLine =
  /^(?<time>\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d)) (?:(?:stdout|stderr) [FP] )?(?<rest>.*)$/s;

type Known = Fields<HubbleField | "Key"> & GkeEntry & AwsLine & PacketLine & OtherObject & Fields<"caller">;

type HubbleField = (typeof hubbleFields)[number];

/** What a GetFlowsResponse or a line of the export is one of. */
const hubbleFields = ["flow", "lost_events", "node_status", "agent_event", "debug_event"] as const;

/** Pushed it is a flow, streamed a flow with a number. */
function isGoldmane({ Key, flow }: Known): boolean {
  return Key !== undefined || fieldsOf<"Key">(flow).Key !== undefined;
}

function isGke({ connection, disposition, jsonPayload }: Known): boolean {
  if (connection !== undefined) return disposition !== undefined;
  return fieldsOf<"connection">(jsonPayload).connection !== undefined;
}

function isAws(line: Known): boolean {
  return line["Src IP"] !== undefined || (typeof line.msg === "string" && line.msg.startsWith("Flow Info:"));
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
