import type { FlowEnd, FlowRecord } from "./record.ts";

/** Whether a denied flow, whose event_type.type is given, is the second that tells of a packet. */
export type HubblePairs = { isSecond(record: FlowRecord, eventType: number | undefined): boolean };

/**
 * One dropped packet is two flows (facts: denied-flows §0.1): a policy's verdict (type 5), which alone names policies, and at
 * once the drop (type 1). Which of them come is up to the agent and to filters: so the first counts, whichever it is, and the
 * other kind of the same ends and ports is its second. What waits for a second is bounded; the oldest is forgotten.
 */
export function createHubblePairs(): HubblePairs {
  const waiting = new Map<string, Waiting>();
  return {
    isSecond(record, eventType) {
      if (!hasPair(record, eventType)) return false;
      const key = keyOf(record);
      const first = waiting.get(key);
      waiting.delete(key);
      const isNear = first !== undefined && Math.abs(record.fromMs - first.atMs) < nearMs(eventType);
      const isSecond = isNear && (first.eventType !== eventType || eventType === undefined);
      const before = isNear ? first.count : 0;
      const count = isSecond ? before - 1 : before + 1;
      if (count > 0)
        waiting.set(key, { eventType: isSecond ? first.eventType : eventType, count, atMs: record.fromMs });
      if (waiting.size > mostWaiting) forgetOldest(waiting);
      return isSecond;
    },
  };
}

/** Packets that have been told once: `count` of them, the last at `atMs`, all by the same type of event. */
type Waiting = { readonly eventType: number | undefined; readonly count: number; readonly atMs: number };

/** About 2 MB: a second of the highest rates (facts: denied-flows §8). */
const mostWaiting = 8192;

/** A proxy tells of what it denies once. With the type masked, only the source's port tells one packet's flows from another's. */
function hasPair({ verdict, fromPort, protocol }: FlowRecord, eventType: number | undefined): boolean {
  if (verdict.kind !== "denied" || verdict.reason === "l7") return false;
  return eventType !== undefined || fromPort !== undefined || protocol === "ICMP" || protocol === "ICMPv6";
}

/** TCP sends its first packet again after a second (RFC 6298). Where types are masked, only the time tells two packets apart. */
function nearMs(eventType: number | undefined): number {
  return eventType === undefined ? 10 : 1000;
}

function keyOf({ from, to, protocol, fromPort, toPort }: FlowRecord): string {
  return `${nameOf(from)} ${fromPort} ${nameOf(to)} ${toPort} ${protocol}`;
}

function nameOf({ address, namespace, pod }: FlowEnd): string {
  return address ?? `${namespace}/${pod}`;
}

function forgetOldest(waiting: Map<string, unknown>): void {
  const [oldest] = waiting.keys();
  if (oldest !== undefined) waiting.delete(oldest);
}
