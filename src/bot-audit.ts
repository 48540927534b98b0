import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ChainHead } from "./audit/entry.ts";
import { type ChainStore, createAuditLog } from "./audit/log.ts";
import { createSpool } from "./audit/spool.ts";
import type { Config } from "./config.ts";
import type { StoredOperations } from "./scheduler/operations.ts";

/** The bot's audit log: the chain in Redis, the spool on disk, and a line of standard output for every entry. */
export function openAudit({ spool, audit }: Pick<Config, "spool" | "audit">, redis: Redis, log: Logger): ChainStore {
  const onProblem = (problem: string) => log.error({ error: problem }, "spool");
  const seen = readSeen(spool.folder);
  return createAuditLog(redis, {
    onEntry: (entry) => log.info({ audit: entry }, "audit"),
    spooling: {
      spool: createSpool(spool.folder, { maxBytes: spool.maxBytes, now: Date.now, onProblem }),
      onUnchained: (entry, standing, why) => log.warn({ audit: entry, standing, why }, "audit, not in the chain"),
    },
    limits: audit.limits,
    ...(seen === undefined ? {} : { seen }),
  });
}

type Kept = { readonly audit: ChainStore; readonly operations: Pick<StoredOperations, "liveIds"> };

/**
 * To be done again and again: a loss is recorded, what was spooled goes into the chain, what nobody told of is told, and
 * what was exported and is old leaves Redis, unless its operation is live.
 */
export async function keepAudit(
  { audit, operations }: Kept,
  config: Pick<Config, "spool" | "audit">,
  replica: string,
): Promise<void> {
  const stamp = { at: new Date().toISOString(), replica };
  await audit.witness(stamp);
  await audit.replaySpool();
  await audit.tellMissed();
  await writeSeen(config.spool.folder, await audit.witness(stamp));
  const { base, confirmed } = await audit.bounds();
  if (base.seq === confirmed.seq) return;
  // By their ids alone: one that a newer replica wrote cannot be read here, and is live all the same.
  const live = new Set(await operations.liveIds());
  await audit.trim({
    olderThanMs: Date.now() - config.audit.keepMs,
    keeps: ({ operation }) => operation !== undefined && live.has(operation),
  });
}

/** Beside the spool, so that a restarted container still knows what the chain had reached before Redis was emptied. */
const seenFile = "head.json";

function readSeen(folder: string): ChainHead | undefined {
  try {
    const { seq, hash } = JSON.parse(readFileSync(join(folder, seenFile), "utf8")) as Partial<ChainHead>;
    return typeof seq === "number" && typeof hash === "string" ? { seq, hash } : undefined;
  } catch {
    return undefined;
  }
}

/** A convenience, not a promise: without a volume there is no folder, and memory has to do. */
async function writeSeen(folder: string, { seq, hash }: ChainHead): Promise<void> {
  await writeFile(join(folder, seenFile), JSON.stringify({ seq, hash })).catch(() => undefined);
}
