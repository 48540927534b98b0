import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { readCopies } from "./audit/copies.ts";
import type { ChainHead } from "./audit/entry.ts";
import { type ChainStore, createAuditLog } from "./audit/log.ts";
import type { Stamp } from "./audit/loss.ts";
import { judgeUnchained } from "./audit/unchained.ts";
import { verifyChain } from "./audit/verify.ts";
import { exportTimeline, type TimelineWanted } from "./audit-timeline.ts";
import type { AuditTool } from "./cli-arguments.ts";
import type { Environment } from "./config.ts";
import { isInPod } from "./config-kubeconfig.ts";
import type { Principal } from "./policy/principal.ts";
import { connectRedis, type RedisAccess, untilReady } from "./redis.ts";

export type ToolResult = { readonly ok: boolean; readonly line: string };

export type ToolOptions = {
  readonly redisUrl: string | undefined;
  readonly redisAccess: RedisAccess;
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Who confirms an export, and when. */
  readonly by: { readonly stamp: Stamp; readonly actor: Principal };
};

/** `audit verify`, `audit export` and `audit confirm`, on the chain in Redis or on the copies in a file. */
export async function runAuditTool(tool: AuditTool, options: ToolOptions): Promise<ToolResult> {
  if (tool.kind === "export") return runExport(tool.timeline, options);
  if (tool.kind === "confirm") return onChain(options, (log) => confirmFile(log, tool.from, options.by));
  const head = tool.head === undefined ? undefined : parseHead(tool.head);
  if (tool.head !== undefined && head === undefined) {
    return { ok: false, line: "--head takes SEQ:HASH, as a card shows them: 42:0123456789ab" };
  }
  if (tool.from !== undefined) return verifyFile(tool.from, head);
  return onChain(options, async (log) => {
    const bounds = await log.bounds();
    return told(await verifyChain(log.all(), head ?? bounds.head, bounds));
  });
}

function runExport(timeline: TimelineWanted | undefined, options: ToolOptions): Promise<ToolResult> {
  if (timeline === undefined) return onChain(options, (log) => exportAll(log, options.write));
  return timeline.from === undefined
    ? onChain(options, (log) => timelineOfChain(timeline, log, options))
    : timelineOfFile(timeline, timeline.from, options);
}

async function onChain(
  { redisUrl, redisAccess: access }: ToolOptions,
  work: (log: ChainStore) => Promise<ToolResult>,
): Promise<ToolResult> {
  if (redisUrl === undefined) {
    return { ok: false, line: "REDIS_URL is not set: the chain is in Redis. Copies: audit verify --from FILE." };
  }
  const redis = connectRedis(redisUrl, { onError: () => undefined, access });
  try {
    if (!(await untilReady(redis, 2_000))) return { ok: false, line: "Redis does not answer at REDIS_URL." };
    return await work(createAuditLog(redis, { onEntry: () => undefined }));
  } finally {
    redis.disconnect();
  }
}

/** Who runs a tool: no API server is asked, so at a terminal it is whom the configuration names. */
export function toolUser(env: Environment, configured: string | undefined): Principal {
  if (isInPod(env)) return { kind: "in-pod" };
  return configured === undefined
    ? { kind: "terminal", user: undefined, source: "unknown" }
    : { kind: "terminal", user: configured, source: "configured" };
}

async function exportAll(log: ChainStore, write: ToolOptions["write"]): Promise<ToolResult> {
  let entries = 0;
  const { base } = await log.bounds();
  if (base.seq > 0) write(JSON.stringify({ base }));
  for await (const entry of log.all()) {
    write(typeof entry === "string" ? entry : JSON.stringify(entry));
    entries += 1;
  }
  return { ok: true, line: `${entries} entries exported` };
}

async function timelineOfChain(wanted: TimelineWanted, log: ChainStore, options: ToolOptions): Promise<ToolResult> {
  const bounds = await log.bounds();
  const verify = async (entries: AsyncIterable<unknown>) => told(await verifyChain(entries, bounds.head, bounds));
  return exportTimeline(wanted, { entries: log.all(), verify }, options);
}

async function timelineOfFile(wanted: TimelineWanted, path: string, options: ToolOptions): Promise<ToolResult> {
  const { entries, base } = await readCopies(createReadStream(path, "utf8"));
  const verify = async (copies: AsyncIterable<unknown>) => {
    const { ok, line } = told(await verifyChain(copies, undefined, { base }));
    return { ok, line: `From copies in a file, where a cut tail is not found. ${line}` };
  };
  return exportTimeline(wanted, { entries: Readable.from(entries), verify }, options);
}

async function confirmFile(log: ChainStore, path: string, by: ToolOptions["by"]): Promise<ToolResult> {
  const result = await log.confirm(await readCopies(createReadStream(path, "utf8")), by);
  if (result.kind === "refused") return { ok: false, line: `Not confirmed: ${result.why}.` };
  const { head, entry } = result;
  return {
    ok: true,
    line: `Confirmed: the export holds all up to #${head.seq} ${head.hash} (audit #${entry.seq}). Keep the file: these entries leave Redis once they are older than audit.keep.`,
  };
}

/** Copies in a file have no head beside them: a cut tail is found only against one that is given (a card shows it). */
async function verifyFile(path: string, head: ChainHead | undefined): Promise<ToolResult> {
  const copies = await readCopies(createReadStream(path, "utf8"));
  const { entries, base, cutLine } = copies;
  const { ok: intact, line } = told(await verifyChain(entries, head, { base }));
  const unchained = judgeUnchained(copies);
  const ok = intact && unchained.ok;
  const cut = cutLine === undefined ? "" : ` Line ${cutLine}, the last, is cut in the middle.`;
  const caveat =
    head === undefined && ok ? " A cut tail is found only with --head SEQ:HASH, from a card or /np status." : "";
  const lost =
    copies.lost.length === 0
      ? ""
      : ` Redis lost ${copies.lost.length} more entries, as the chain says itself; their copies are in the file.`;
  return { ok, line: line + lost + unchained.line + cut + caveat };
}

function told(result: Awaited<ReturnType<typeof verifyChain>>): ToolResult {
  if (!result.ok) return { ok: false, line: `The chain is BROKEN at entry ${result.seq}: ${result.why}` };
  const { entries, base } = result;
  const { seq, hash } = result.head;
  const from =
    base.seq === 0
      ? ""
      : ` It begins after #${base.seq} ${base.hash}: what was before is in the exports that were confirmed.`;
  return {
    ok: true,
    line:
      seq === 0
        ? "The chain is empty."
        : `The chain is intact: ${entries} entries, head #${seq} ${hash}${from && "."}${from}`,
  };
}

/** `SEQ:HASH`, the hash as cards show it (12 digits) or whole; undefined where the text is not of that form. */
function parseHead(text: string): ChainHead | undefined {
  const found = /^#?(\d{1,15}):([0-9a-f]{12,64})$/.exec(text);
  return found === null ? undefined : { seq: Number(found[1]), hash: found[2] ?? "" };
}
