import { hash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { FlowSource } from "./flow-source.ts";
import { FlowTrouble } from "./flow-trouble.ts";
import { type FollowOptions, follow, type Report } from "./follow.ts";
import { createFlowReader, type FlowReader } from "./formats.ts";
import { lossesBetween } from "./gaps.ts";
import { connectLoki, type LokiAddress, type LokiConnection, type LokiLine } from "./loki-query.ts";
import type { FlowItem } from "./record.ts";
import { createRemembered, type Remembered } from "./remembered.ts";
import type { FlowSink } from "./sink.ts";
import { untilTaken } from "./until-taken.ts";

export type LokiOptions = FollowOptions &
  LokiAddress & {
    /** How often it is asked, milliseconds. */
    readonly everyMs?: number | undefined;
    /** Lines of one answer; Loki's own limit is 5 000 unless it is set otherwise (max_entries_limit_per_query). */
    readonly limit?: number | undefined;
    readonly sink: FlowSink;
    /** From when on, where it was asked before; milliseconds since the epoch. Undefined: from now. */
    readonly sinceMs?: number | undefined;
  };

const defaultEveryMs = 10_000;
const defaultLimit = 1_000;
const mostLimit = 5_000;
/** Agents ship lines late, and Loki gives them by the lines' own times. */
const overlapMs = 120_000;
/** No query spans more, so that none is too much for Loki after an outage; and so far ahead clocks of nodes may be. */
const stepMs = 300_000;
/** What is older is not read any more, and said to be lost. */
const oldestMs = 3_600_000;
const mostRemembered = 100_000;

/** What outlives a connection. Times are milliseconds by Loki's clock. */
type Progress = {
  readonly reader: FlowReader;
  readonly remembered: Remembered;
  /** Nothing before is read: somebody else may have counted it. */
  startMs: number | undefined;
  /** Up to where everything was read that was there then. */
  readMs: number;
};

/** One connection, while it stands. */
type Here = {
  readonly options: LokiOptions;
  readonly progress: Progress;
  readonly connection: LokiConnection;
  readonly report: Report;
  readonly stopped: AbortSignal;
};

/**
 * Asks Loki for lines again and again, each time with an overlap: its tail is no complete account (facts: denied-flows §5). Each
 * line counts once, by its time, its stream and its text. After an outage it catches up in steps, from up to an hour back.
 */
export function pollLoki(options: LokiOptions): FlowSource {
  const { sinceMs, everyMs = defaultEveryMs } = options;
  const remembered = createRemembered(mostRemembered);
  const progress: Progress = { reader: createFlowReader(), remembered, startMs: sinceMs, readMs: sinceMs ?? 0 };
  const source = follow(options, { kind: "loki", expected: "Loki" }, async (report, stopped) => {
    const connection = await connectLoki(options, options.now);
    const here = { options, progress, connection, report, stopped };
    try {
      await begin(here);
      while (!stopped.aborted) {
        await catchUp(here);
        await wait(everyMs, undefined, { signal: stopped }).catch(() => undefined);
      }
    } finally {
      connection.close();
    }
  });
  const positionMs = () => (progress.readMs === 0 ? undefined : progress.readMs);
  return { ...source, state: () => ({ ...source.state(), positionMs: positionMs() }) };
}

/** Its present is told by its first answer, whatever that is. */
async function begin({ options, progress, connection, report, stopped }: Here): Promise<void> {
  const nowNs = nsOf(options.now());
  await connection.lines({ fromNs: nowNs - 1n, toNs: nowNs, limit: 1 }, stopped);
  report.connected();
  if (progress.startMs !== undefined) return;
  progress.startMs = options.now() + connection.aheadMs();
  progress.readMs = progress.startMs;
}

/** To Loki's present, a window after the other; the last one reaches beyond it. */
async function catchUp(here: Here): Promise<void> {
  const { options, progress, connection, stopped } = here;
  const clockMs = () => options.now() + connection.aheadMs();
  await passOver(here, clockMs() - oldestMs);
  do {
    const { startMs = 0, readMs, remembered } = progress;
    const fromMs = Math.max(startMs, readMs - overlapMs, remembered.forgottenMs() + 1);
    const toMs = Math.max(fromMs, readMs) + stepMs;
    await readBetween(here, nsOf(fromMs), nsOf(toMs));
    if (!stopped.aborted) progress.readMs = Math.max(readMs, Math.min(toMs, clockMs()));
  } while (!stopped.aborted && progress.readMs < clockMs() - overlapMs);
}

async function passOver({ options, progress, stopped }: Here, untilMs: number): Promise<void> {
  if (progress.readMs >= untilMs) return;
  await untilTaken(options.sink, options.cluster, lossesBetween(progress.readMs, untilMs), stopped);
  progress.readMs = untilMs;
  progress.startMs = untilMs;
}

/** Page by page, each from the time of the last line of the one before. */
async function readBetween(here: Here, fromNs: bigint, toNs: bigint): Promise<void> {
  const { options, connection, stopped } = here;
  let most = mostLimit;
  let limit = options.limit ?? defaultLimit;
  let nextNs = fromNs;
  while (!stopped.aborted) {
    const lines = await connection.lines({ fromNs: nextNs, toNs, limit }, stopped);
    if (lines === "limit") {
      if (limit === 1) throw new FlowTrouble("Loki gives no lines at all: see its max_entries_limit_per_query");
      most = Math.floor(limit / 2);
      limit = most;
      continue;
    }
    await deliver(here, lines);
    const lastNs = lines.at(-1)?.ns ?? toNs;
    if (lines.length < limit) return;
    if (lastNs > nextNs) nextNs = lastNs;
    else if (limit < most) limit = Math.min(limit * 2, most);
    else nextNs = await leaveRest(here, lastNs);
  }
}

/** More lines of one nanosecond than Loki gives at once: those that it does not give are lost. */
async function leaveRest({ options, stopped }: Here, ns: bigint): Promise<bigint> {
  const lost: FlowItem = { kind: "lost", count: 1, atMs: msOf(ns), node: undefined };
  await untilTaken(options.sink, options.cluster, [lost], stopped);
  return ns + 1n;
}

async function deliver(
  { options, progress, connection, report, stopped }: Here,
  lines: readonly LokiLine[],
): Promise<void> {
  const { reader, remembered } = progress;
  const clockMs = options.now() + connection.aheadMs();
  const fresh = lines.filter((line) => remembered.isNew(idOf(line), Math.min(msOf(line.ns), clockMs)));
  const items = fresh.flatMap(({ ns, line, node }) => reader.read(line, { atMs: msOf(ns), node }));
  await untilTaken(options.sink, options.cluster, items, stopped);
  for (const item of items) if (item.kind === "flow") report.heard(item.record.format);
  if (items.length > 0) report.degraded(wordsOn(items));
}

function idOf({ ns, line, stream }: LokiLine): string {
  return hash("sha1", `${ns} ${stream} ${line}`, "base64");
}

/** Where nothing of what came is of use the query is at fault. */
function wordsOn(items: readonly FlowItem[]): string | undefined {
  const unsupported = items.find((item) => item.kind === "unsupported");
  if (unsupported !== undefined) return `${unsupported.what}: ${unsupported.advice}`;
  const nothing = items.every((item) => item.kind === "unreadable");
  return nothing ? "none of the lines that its query selects can be read: have it select flows alone" : undefined;
}

function nsOf(ms: number): bigint {
  return BigInt(Math.floor(ms)) * 1_000_000n;
}

function msOf(ns: bigint): number {
  return Number(ns / 1_000_000n);
}
