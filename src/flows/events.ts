import type { FlowRecord } from "./record.ts";

/** What every source tells of an event. */
type Told = Pick<FlowRecord, "format" | "verdict" | "from" | "to" | "protocol" | "unit"> &
  Partial<FlowRecord> & {
    /** Milliseconds since the epoch. */
    readonly atMs: number;
  };

/** A record of an event as a line of text tells it: once, at one moment, and nothing else known, unless `told` says so. */
export function eventOf(told: Told): FlowRecord {
  const { atMs, ...said } = told;
  return { ...unsaid, fromMs: atMs, toMs: atMs, ...said };
}

const unsaid = {
  id: undefined,
  fromPort: undefined,
  toPort: undefined,
  direction: undefined,
  isReply: undefined,
  isNew: undefined,
  count: 1,
  atLeast: false,
  policies: [],
  node: undefined,
  dnsQuery: undefined,
} as const;
