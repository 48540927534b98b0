import type { Redis } from "ioredis";

export const minuteMs = 60_000;
export const quarterMs = 15 * minuteMs;
/** Minutes are kept for so long after the end of their quarter of an hour, all of them until the same moment. */
const keepMinutesMs = 3 * 3_600_000;

/**
 * Where counts lie. Of each minute of a cluster a hash, with one field for each process that wrote; of each quarter one
 * text; and by cluster the quarters of which there is anything, by their beginning.
 */
const keys = {
  minute: (cluster: string, startMs: number) => `{bulkhead}:flows:minute:${startMs}:${cluster}`,
  quarter: (cluster: string, startMs: number) => `{bulkhead}:flows:quarter:${startMs}:${cluster}`,
  quarters: (cluster: string) => `{bulkhead}:flows:quarters:${cluster}`,
  /** Hashes by cluster: when it was first and last heard of, milliseconds since the epoch. */
  first: "{bulkhead}:flows:first",
  heard: "{bulkhead}:flows:heard",
};

const firstLibrary = `
local function first(key, cluster, moment)
  local before = tonumber(redis.call("HGET", key, cluster) or moment)
  if before >= tonumber(moment) then redis.call("HSET", key, cluster, moment) end
end`;

/**
 * KEYS: minute, quarters, first. ARGV: field, value, when it goes, beginning of the quarter, cluster, beginning of the minute.
 * Done again it changes nothing. It is refused where Redis is out of memory: what is enforced needs the rest of it more.
 */
const putScript = `#!lua
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
redis.call("PEXPIREAT", KEYS[1], ARGV[3])
redis.call("ZADD", KEYS[2], ARGV[4], ARGV[4])
${firstLibrary}
first(KEYS[3], ARGV[5], ARGV[6])
return 1`;

/** KEYS: first, heard. ARGV: cluster, moment. */
const heardScript = `#!lua
${firstLibrary}
first(KEYS[1], ARGV[1], ARGV[2])
local before = tonumber(redis.call("HGET", KEYS[2], ARGV[1]) or 0)
if before < tonumber(ARGV[2]) then redis.call("HSET", KEYS[2], ARGV[1], ARGV[2]) end
return 1`;

export type Minute = { readonly cluster: string; readonly startMs: number };

/** Packed buckets in Redis; whatever it does throws where Redis is away. */
export type LedgerStore = ReturnType<typeof createLedgerStore>;

export function createLedgerStore(redis: Redis, keepMs: number) {
  return { ...writesOf(redis, keepMs), ...readsOf(redis) };
}

function writesOf(redis: Redis, keepMs: number) {
  return {
    async put({ cluster, startMs }: Minute, writer: string, packed: Buffer): Promise<void> {
      const quarter = quarterOf(startMs);
      const all = [keys.minute(cluster, startMs), keys.quarters(cluster), keys.first];
      const goesMs = quarter + quarterMs + Math.min(keepMinutesMs, keepMs);
      await redis.eval(putScript, all.length, ...all, writer, packed, goesMs, quarter, cluster, startMs);
    },
    async heard(cluster: string, atMs: number): Promise<void> {
      await redis.eval(heardScript, 2, keys.first, keys.heard, cluster, atMs);
    },
    async putQuarter({ cluster, startMs }: Minute, packed: Buffer): Promise<void> {
      await redis.set(keys.quarter(cluster, startMs), packed, "PXAT", `${startMs + quarterMs + keepMs}`);
    },
    async forget(cluster: string, beforeMs: number): Promise<void> {
      await redis.zremrangebyscore(keys.quarters(cluster), "-inf", `(${quarterOf(beforeMs)}`);
    },
  };
}

function readsOf(redis: Redis) {
  return {
    /** What this process wrote of it; undefined: nothing. */
    async own({ cluster, startMs }: Minute, writer: string): Promise<Buffer | undefined> {
      return (await redis.hgetBuffer(keys.minute(cluster, startMs), writer)) ?? undefined;
    },
    /** What each process wrote of it, in the order of their names. */
    async minute({ cluster, startMs }: Minute): Promise<readonly Buffer[]> {
      const fields = await redis.hgetallBuffer(keys.minute(cluster, startMs));
      return Object.entries(fields)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, packed]) => packed);
    },
    async quarter({ cluster, startMs }: Minute): Promise<Buffer | undefined> {
      return (await redis.getBuffer(keys.quarter(cluster, startMs))) ?? undefined;
    },
    /** Beginnings of the quarters of which there may be anything, in their order. */
    async quarters(cluster: string, fromMs: number, toMs: number): Promise<readonly number[]> {
      return (await redis.zrangebyscore(keys.quarters(cluster), `${fromMs}`, `(${toMs}`)).map(Number);
    },
    /** Of each of these, how many of its minutes are there. */
    async minutesThere(cluster: string, quarters: readonly number[]): Promise<readonly number[]> {
      const minutes = (startMs: number) => minutesOf(startMs).map((minute) => keys.minute(cluster, minute));
      return Promise.all(quarters.map((startMs) => redis.exists(...minutes(startMs))));
    },
    async hasQuarter({ cluster, startMs }: Minute): Promise<boolean> {
      return (await redis.exists(keys.quarter(cluster, startMs))) === 1;
    },
    clusters: (): Promise<readonly string[]> => redis.hkeys(keys.first),
    /** When the cluster was first heard of, no earlier than what is kept of it; and when last. */
    async times(cluster: string): Promise<{ sinceMs: number | undefined; lastHeardMs: number | undefined }> {
      const [first, last, [oldest]] = await Promise.all([
        redis.hget(keys.first, cluster),
        redis.hget(keys.heard, cluster),
        redis.zrange(keys.quarters(cluster), "0", "0"),
      ]);
      return {
        sinceMs: first === null ? undefined : Math.max(Number(first), Number(oldest ?? first)),
        lastHeardMs: last === null ? undefined : Number(last),
      };
    },
  };
}

export function quarterOf(atMs: number): number {
  return Math.floor(atMs / quarterMs) * quarterMs;
}

/** Beginnings of the fifteen minutes of a quarter. */
export function minutesOf(quarter: number): readonly number[] {
  return Array.from({ length: quarterMs / minuteMs }, (_, minute) => quarter + minute * minuteMs);
}
