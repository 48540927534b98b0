import { countIn, type Fields, fieldsOf, momentOf, portIn, wholeIn } from "./fields.ts";
import { goldmaneEnd } from "./goldmane-end.ts";
import { type GoldmaneKey, goldmaneVerdict } from "./goldmane-verdict.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, FlowItem, FlowRecord } from "./record.ts";

/**
 * What Calico's Goldmane tells in one flow.Flow (facts: denied-flows §2), which counts a window of 15 s or more: as it pushes
 * it (numbers for enums), and as proto-loader decodes it (names; longs as strings). Either end of a flow reports it; it is
 * denied by whoever denies it, and forwarded when the last of those who report it lets it through, so nothing counts twice.
 */
export function itemsOfGoldmane(flow: unknown, carried: Carried): readonly FlowItem[] {
  const told: GoldmaneFlow = fieldsOf(flow);
  if (typeof told.Key !== "object" || told.Key === null)
    return [{ kind: "unreadable", why: "A Goldmane flow without its key." }];
  const key: GoldmaneKey = fieldsOf(told.Key);
  const decided = goldmaneVerdict(key);
  const amount = amountOf(told);
  if (decided === undefined || amount.count === 0) return [{ kind: "passed" }];
  const window = windowOf(told, carried.atMs);
  return [{ kind: "flow", record: { ...trafficOf(key), ...amount, ...window, ...decided, node: carried.node } }];
}

type GoldmaneFlow = Fields<
  "Key" | "start_time" | "end_time" | "packets_in" | "packets_out" | "num_connections_started"
>;

/** Connections that began in the window; where none did, packets of those that were open, or of what is denied unseen. */
function amountOf(flow: GoldmaneFlow): Pick<FlowRecord, "count" | "unit" | "isNew"> {
  const started = countIn(flow.num_connections_started) ?? 0;
  if (started > 0) return { count: started, unit: "connections", isNew: true };
  const packets = (countIn(flow.packets_in) ?? 0) + (countIn(flow.packets_out) ?? 0);
  return { count: packets, unit: "packets", isNew: undefined };
}

/** Seconds since the epoch, the end not in it. */
function windowOf(flow: GoldmaneFlow, atMs: number): Pick<FlowRecord, "fromMs" | "toMs"> {
  const toMs = momentOf((wholeIn(flow.end_time) ?? Number.NaN) * 1000) ?? atMs;
  const fromMs = momentOf((wholeIn(flow.start_time) ?? Number.NaN) * 1000) ?? toMs;
  return { fromMs: Math.min(fromMs, toMs), toMs };
}

function trafficOf(
  key: GoldmaneKey,
): Pick<
  FlowRecord,
  "format" | "id" | "from" | "to" | "protocol" | "fromPort" | "toPort" | "isReply" | "atLeast" | "dnsQuery"
> {
  return {
    format: "goldmane",
    id: undefined,
    from: goldmaneEnd({ type: key.source_type, name: key.source_name, namespace: key.source_namespace }),
    to: goldmaneEnd({ type: key.dest_type, name: key.dest_name, namespace: key.dest_namespace }),
    protocol: protocolNamed(key.proto),
    fromPort: undefined,
    toPort: portIn(key.dest_port),
    isReply: undefined,
    atLeast: false,
    dnsQuery: undefined,
  };
}
