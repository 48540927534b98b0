import type { Redis } from "ioredis";

/** One action that somebody confirmed. */
export type Action = {
  /** The same operation counts once within a minute, however often it is confirmed. */
  readonly operation: string;
  /** The human being (personKey), so that several ids do not give several allowances. */
  readonly person: string;
  readonly cluster: string;
};

/** How many actions in any 60 s. */
export type Most = { readonly perPerson: number; readonly perCluster: number };

/** Counted, or one too many: by whose count, and in how many milliseconds it will be possible. */
export type Counted =
  | { readonly kind: "counted" }
  | { readonly kind: "full"; readonly of: "person" | "cluster"; readonly inMs: number };

/** How many actions were confirmed lately, over all replicas. Throws where the store cannot be reached. */
export type Limits = { count(action: Action, most: Most): Promise<Counted> };

const windowMs = 60_000;

/**
 * Both counts or neither, by the server's clock: replicas' clocks differ. A sorted set for each, ids by their moment, so
 * that the window slides. Answers whose count is full, and when the oldest that is in the way leaves the window.
 */
const countScript = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window = tonumber(ARGV[2])
local full, latest = 0, 0
for i, key in ipairs(KEYS) do
  redis.call("ZREMRANGEBYSCORE", key, "-inf", now - window)
  if not redis.call("ZSCORE", key, ARGV[1]) then
    local over = redis.call("ZCARD", key) - tonumber(ARGV[2 + i])
    if over >= 0 then
      local free = tonumber(redis.call("ZRANGE", key, over, over, "WITHSCORES")[2] or now) + window - now
      if free > latest then full, latest = i, free end
    end
  end
end
if full > 0 then return { full, latest } end
for _, key in ipairs(KEYS) do
  redis.call("ZADD", key, "NX", now, ARGV[1])
  redis.call("PEXPIRE", key, window)
end
return { 0, 0 }`;

export function createLimits(redis: Redis): Limits {
  return {
    async count({ operation, person, cluster }, { perPerson, perCluster }) {
      const keys = [`{bulkhead}:limits:person:${person}`, `{bulkhead}:limits:cluster:${cluster}`];
      const reply = await redis.eval(countScript, keys.length, ...keys, operation, windowMs, perPerson, perCluster);
      const [full = 0, inMs = 0] = reply as number[];
      if (full === 0) return { kind: "counted" };
      return { kind: "full", of: full === 1 ? "person" : "cluster", inMs };
    },
  };
}
