import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type ChainStore, createAuditLog } from "./audit/log.ts";
import { createSpool } from "./audit/spool.ts";
import type { Config } from "./config.ts";

/** The bot's audit log: the chain in Redis, the spool on disk, and a line of standard output for every entry. */
export function openAudit({ spool }: Pick<Config, "spool">, redis: Redis, log: Logger): ChainStore {
  const onProblem = (problem: string) => log.error({ error: problem }, "spool");
  return createAuditLog(redis, {
    onEntry: (entry) => log.info({ audit: entry }, "audit"),
    spooling: {
      spool: createSpool(spool.folder, { maxBytes: spool.maxBytes, now: Date.now, onProblem }),
      onUnchained: (entry, standing, why) => log.warn({ audit: entry, standing, why }, "audit, not in the chain"),
    },
  });
}

/** To be done again and again: what was spooled goes into the chain, and what nobody told of is told. */
export async function keepAudit(audit: ChainStore): Promise<void> {
  await audit.replaySpool();
  await audit.tellMissed();
}
