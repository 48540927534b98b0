import type { Redis } from "ioredis";
import type { Spool } from "./spool.ts";
import { readBounds, storedBytes } from "./stream.ts";

export type AuditHealth = {
  /** Entries that the store holds. */
  readonly entries: number;
  /** What they take of Redis's memory. */
  readonly bytes: number;
  /** All of Redis's memory that is in use, and how much may be; undefined where the server does not tell, or has no limit. */
  readonly usedBytes: number | undefined;
  readonly maxBytes: number | undefined;
  /** Up to which number an export was confirmed; 0 where none was. */
  readonly confirmedSeq: number;
  /** What waits in this replica's spool. */
  readonly spooledBytes: number;
  /** What somebody has to do something about, as sentences. */
  readonly warnings: readonly string[];
};

export type HealthLimits = {
  /** Warn from this share of the memory on, 0 to 1. Default 0.7. */
  readonly warnAtShare?: number;
  /** What the chain may take of Redis's memory, bytes; besides the server's own limit. */
  readonly budgetBytes?: number;
};

type Observed = Omit<AuditHealth, "warnings"> & { readonly lossSeq: number | undefined };

/** How the chain's store is. Throws where it cannot be reached. */
export async function readHealth(
  redis: Redis,
  { spool, ...limits }: HealthLimits & { readonly spool: Spool | undefined },
): Promise<AuditHealth> {
  const [{ base, head, confirmed, lossSeq }, bytes, memory, spooledBytes] = await Promise.all([
    readBounds(redis),
    storedBytes(redis),
    redis.info("memory"),
    spool?.waitingBytes() ?? 0,
  ]);
  const observed = {
    entries: head.seq - base.seq,
    bytes,
    usedBytes: numberIn(memory, "used_memory"),
    maxBytes: numberIn(memory, "maxmemory") || undefined,
    confirmedSeq: confirmed.seq,
    spooledBytes,
  };
  return { ...observed, warnings: healthWarnings({ ...observed, lossSeq }, limits) };
}

/** What is to be said of it; nothing where all is well. */
export function healthWarnings(
  { bytes, usedBytes, maxBytes, confirmedSeq, spooledBytes, lossSeq }: Observed,
  { warnAtShare = 0.7, budgetBytes }: HealthLimits,
): readonly string[] {
  const free = "bulkhead audit export, then audit confirm, lets old entries leave Redis";
  const full = share(usedBytes, maxBytes);
  const spent = share(bytes, budgetBytes);
  return [
    ...(full >= warnAtShare ? [`Redis uses ${percent(full)} of its maxmemory (${megabytes(usedBytes)}): ${free}`] : []),
    ...(spent >= warnAtShare
      ? [`the audit chain takes ${percent(spent)} of its budget (${megabytes(bytes)}): ${free}`]
      : []),
    ...(lossSeq !== undefined && lossSeq > confirmedSeq
      ? [
          `REDIS LOST audit entries that it had acknowledged: entry #${lossSeq} of the chain says which; their copies are on standard output`,
        ]
      : []),
    ...(spooledBytes > 0 ? [`${spooledBytes} bytes of audit entries wait in this replica's spool`] : []),
  ];
}

function share(part: number | undefined, whole: number | undefined): number {
  return part === undefined || whole === undefined || whole === 0 ? 0 : part / whole;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function megabytes(bytes: number | undefined): string {
  return `${((bytes ?? 0) / 1_048_576).toFixed(1)} MiB`;
}

/** A field of INFO (https://redis.io/docs/latest/commands/info/). */
function numberIn(info: string, field: string): number | undefined {
  const found = new RegExp(`^${field}:(\\d+)\\r?$`, "m").exec(info);
  return found === null ? undefined : Number(found[1]);
}
