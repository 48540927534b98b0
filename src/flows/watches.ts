import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Principal } from "../policy/principal.ts";
import type { WatchSchedule } from "./watch-times.ts";

/** What of denied flows a watch is about; everything undefined: all that whoever set it up may see. */
export type Watched = {
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  /** By name, of any kind where that is undefined. */
  readonly workload: { readonly of: string | undefined; readonly name: string } | undefined;
};

/** That what is denied is told in a channel again and again. Times are milliseconds since the epoch. */
export type FlowWatch = Watched & {
  readonly id: string;
  readonly channel: string;
  /** Who set it up: what is told is what they may see. */
  readonly by: Principal;
  readonly schedule: WatchSchedule;
  readonly setMs: number;
  readonly dueMs: number;
  readonly lookedMs: number | undefined;
  readonly postedMs: number | undefined;
  /** What was told here, by what it is, with when it was last seen: that is no news. */
  readonly told: readonly (readonly [what: string, lastMs: number])[];
  /** A post that is owed since: of what, and how often it was tried. */
  readonly owed: { readonly fromMs: number; readonly tries: number } | undefined;
  /** Why it has ended, as long as nobody was told. */
  readonly ended: string | undefined;
  /** When what went wrong is tried again, before anything else. */
  readonly retryMs: number | undefined;
  /** Another one with each change by whoever sets it up, and with each look. */
  readonly revision: string;
};

/** Shared by all replicas. Every method throws where the store is away. */
export type FlowWatches = {
  /** In place of the one of the same id. False where the channel, or all together, have as many as they may. */
  put(watch: FlowWatch): Promise<boolean>;
  get(watch: Pick<FlowWatch, "channel" | "id">): Promise<FlowWatch | undefined>;
  all(): Promise<readonly FlowWatch[]>;
  /** At most ten that are to look, or to be tried again, the longest due first. */
  due(nowMs: number): Promise<readonly FlowWatch[]>;
  /** False where it was changed or removed since: then nothing was stored. Undefined takes it away. */
  replace(before: FlowWatch, after: FlowWatch | undefined): Promise<boolean>;
};

/** So many are still read by those in the channel. */
export const mostInChannel = 20;
/** So many looks fit into a minute, one after the other. */
const mostInAll = 500;
const dueAtOnce = 10;

const watchesKey = "{bulkhead}:flows:watches";
/** Field of the watch by when it is to be looked at. */
const dueKey = "{bulkhead}:flows:watches:due";

const putScript = `
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 then
  local fields, here = redis.call("HKEYS", KEYS[1]), 0
  for _, field in ipairs(fields) do
    if string.sub(field, 1, #ARGV[4]) == ARGV[4] then here = here + 1 end
  end
  if here >= ${mostInChannel} or #fields >= ${mostInAll} then return 0 end
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
redis.call("ZADD", KEYS[2], ARGV[3], ARGV[1])
return 1`;

/** The revision that was read has to be the one that is stored. */
const replaceScript = `
local stored = redis.call("HGET", KEYS[1], ARGV[1])
if not stored or cjson.decode(stored).revision ~= ARGV[2] then return 0 end
if ARGV[3] == "" then
  redis.call("HDEL", KEYS[1], ARGV[1])
  redis.call("ZREM", KEYS[2], ARGV[1])
else
  redis.call("HSET", KEYS[1], ARGV[1], ARGV[3])
  redis.call("ZADD", KEYS[2], ARGV[4], ARGV[1])
end
return 1`;

/** In a hash of Redis, and a sorted set by which a replica finds what is due. */
export function createFlowWatches(redis: Redis): FlowWatches {
  return {
    async put(watch) {
      const values = [fieldOf(watch), textOf(watch), wakeOf(watch), `${watch.channel} `];
      return (await redis.eval(putScript, 2, watchesKey, dueKey, ...values)) === 1;
    },
    async get(watch) {
      const text = await redis.hget(watchesKey, fieldOf(watch));
      return text === null ? undefined : watchOf(text);
    },
    all: async () => (await redis.hvals(watchesKey)).flatMap((text) => watchOf(text) ?? []),
    async due(nowMs) {
      const fields = await redis.zrangebyscore(dueKey, "-inf", nowMs, "LIMIT", 0, dueAtOnce);
      if (fields.length === 0) return [];
      const stored = await redis.hmget(watchesKey, ...fields);
      const gone = fields.filter((_, at) => stored[at] === null);
      if (gone.length > 0) await redis.zrem(dueKey, ...gone);
      return stored.flatMap((text) => (text === null ? [] : (watchOf(text) ?? [])));
    },
    async replace(before, after) {
      const next = after === undefined ? ["", 0] : [textOf(after), wakeOf(after)];
      const values = [fieldOf(before), before.revision, ...next];
      return (await redis.eval(replaceScript, 2, watchesKey, dueKey, ...values)) === 1;
    },
  };
}

/** `w-…`, the same for the same in the same channel: watching it again changes the schedule. */
export function watchId(channel: string, { cluster, namespace, workload }: Watched): string {
  const text = JSON.stringify([channel, cluster, namespace, workload?.of, workload?.name]);
  const letters = [...createHash("sha256").update(text).digest().subarray(0, 10)].map(
    (byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32],
  );
  return `w-${letters.join("")}`;
}

/** Whether the text has the form of a watch's id. */
export function isWatchId(text: string): boolean {
  return /^w-[0-9a-hjkmnp-tv-z]{10}$/.test(text);
}

/** When something is to be done about it. */
export function wakeOf({ dueMs, retryMs }: FlowWatch): number {
  return retryMs ?? dueMs;
}

function fieldOf({ channel, id }: Pick<FlowWatch, "channel" | "id">): string {
  return `${channel} ${id}`;
}

const version = 1;

function textOf(watch: FlowWatch): string {
  return JSON.stringify({ v: version, ...watch });
}

/** Undefined for what a newer version wrote: it stays where it is, and is that version's to look at. */
function watchOf(text: string): FlowWatch | undefined {
  const { v, ...watch } = JSON.parse(text) as FlowWatch & { readonly v: number };
  return v === version ? watch : undefined;
}
