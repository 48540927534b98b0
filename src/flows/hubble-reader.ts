import { countIn, fieldsOf } from "./fields.ts";
import { itemOfHubble } from "./hubble-flow.ts";
import { createHubblePairs } from "./hubble-pairs.ts";
import { type HubbleFlow, hubbleEventType } from "./hubble-verdict.ts";
import type { Carried, FlowItem, FlowRecord } from "./record.ts";
import { createRemembered } from "./remembered.ts";

/**
 * Reads one stream of what Hubble tells: as `itemOfHubble`, but one dropped packet counts once where both of its flows come
 * (facts: denied-flows §0.1), and a record of the export's aggregation counts all that it stands for, by direction. A flow
 * that an agent sends again is passed, so that it is not taken for another packet's.
 */
export function createHubbleReader(): (response: unknown, carried: Carried) => readonly FlowItem[] {
  const pairs = createHubblePairs();
  const remembered = createRemembered(mostRemembered);
  return (response, carried) => {
    const item = itemOfHubble(response, carried);
    if (item.kind !== "flow") return [item];
    const { id, toMs } = item.record;
    if (id !== undefined && !remembered.isNew(id, toMs)) return [passed];
    const flow: HubbleFlow = fieldsOf(fieldsOf<"flow">(response).flow);
    if (flow.aggregate !== undefined) return aggregated(item.record, flow.aggregate);
    return [pairs.isSecond(item.record, hubbleEventType(flow)) ? passed : item];
  };
}

/** About 2 MB of ids: some batches of an agent's. */
const mostRemembered = 20_000;

const passed: FlowItem = { kind: "passed" };

/**
 * A record by direction: what is denied on its way out never arrives, so that of one key these are other packets. Both flows
 * of a packet may be in the count, which no line tells: its unit is events. Its time is the end of its window. An id would be that of the first flow in it.
 */
function aggregated(record: FlowRecord, aggregate: unknown): readonly FlowItem[] {
  const counts = fieldsOf<"ingress_flow_count" | "egress_flow_count" | "unknown_direction_flow_count">(aggregate);
  const window = { fromMs: record.toMs - aggregationMs, toMs: record.toMs };
  const parts = [
    { direction: "ingress", count: countIn(counts.ingress_flow_count) ?? 0 },
    { direction: "egress", count: countIn(counts.egress_flow_count) ?? 0 },
    { direction: record.direction, count: countIn(counts.unknown_direction_flow_count) ?? 0 },
  ] as const;
  const told = parts.filter(({ count }) => count > 0);
  if (told.length === 0) return [passed];
  return told.map((part) => ({ kind: "flow", record: { ...record, ...window, ...part, id: undefined } }));
}

/** No line tells how long it counted: AKS does it for 30 s, unless it is set otherwise (facts: denied-flows §4). */
const aggregationMs = 30_000;
