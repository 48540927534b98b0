import type { Redis } from "ioredis";
import type { Count } from "../policy/observed.ts";

/** How often something of that name was seen. Names are the caller's, at most 1 000 characters. */
export type Tally = Count & { readonly name: string };

/** What one replica saw of an operation since it last wrote. Writing it again with the same id within an hour does nothing. */
export type Portion = {
  readonly id: string;
  readonly counters: readonly Tally[];
  /** Flows one by one; `kept`: so many may be there for it to be kept too. */
  readonly lines: readonly (Tally & { readonly kept: number })[];
};

/** What all replicas saw of an operation. */
export type Observation = {
  readonly counters: ReadonlyMap<string, Count>;
  /** Oldest first. */
  readonly lines: readonly Tally[];
  /** How many lines found no room. */
  readonly more: number;
};

/** What was seen of operations by flow sources, over all replicas. Throws where the store cannot be reached. */
export type Observations = {
  add(operation: string, portion: Portion): Promise<void>;
  read(operation: string): Promise<Observation>;
};

/** Of one operation's lines, bytes. */
const mostBytes = 65_536;
const portionMs = 3_600_000;

/**
 * Adds to each field what was seen: "count first last atLeast". Fields that begin with `:` are the script's own, and no name
 * does: how many bytes there are, and how many lines were left out.
 */
const addScript = `
if not redis.call("SET", KEYS[3], 1, "NX", "PX", ARGV[1]) then return 0 end
local at = 4
local function merged(key, name, count, first, last, least)
  local old = redis.call("HGET", key, name)
  if old then
    local c, f, l, a = string.match(old, "(%d+) (%d+) (%d+) (%d)")
    count = count + tonumber(c)
    first = math.min(first, tonumber(f))
    last = math.max(last, tonumber(l))
    if a == "1" then least = "1" end
  end
  redis.call("HSET", key, name, string.format("%.0f %.0f %.0f %s", count, first, last, least))
end
local function take(key, isLine)
  local name = ARGV[at]
  local count, first, last, least = tonumber(ARGV[at+1]), tonumber(ARGV[at+2]), tonumber(ARGV[at+3]), ARGV[at+4]
  at = at + 5
  if isLine then
    local kept = tonumber(ARGV[at])
    at = at + 1
    if redis.call("HEXISTS", key, name) == 0 then
      local bytes = tonumber(redis.call("HGET", key, ":bytes") or "0")
      if redis.call("HLEN", key) >= kept + 2 or bytes + #name > ${mostBytes} then
        redis.call("HINCRBY", key, ":more", 1)
        return
      end
      redis.call("HINCRBY", key, ":bytes", #name)
    end
  end
  merged(key, name, count, first, last, least)
end
for _ = 1, tonumber(ARGV[3]) do take(KEYS[1], false) end
redis.call("HSETNX", KEYS[2], ":bytes", 0)
redis.call("HSETNX", KEYS[2], ":more", 0)
while at <= #ARGV do take(KEYS[2], true) end
redis.call("PEXPIRE", KEYS[1], ARGV[2])
redis.call("PEXPIRE", KEYS[2], ARGV[2])
return 1`;

/** `keepMs`: how long it is kept after it was last added to; default 90 days, as operations are. */
export function createObservations(redis: Redis, { keepMs = 90 * 86_400_000 } = {}): Observations {
  return {
    async add(operation, { id, counters, lines }) {
      const keys = [...keysOf(operation), `{bulkhead}:observed:${operation}:portion:${id}`];
      const counted = counters.flatMap(argumentsOf);
      const told = lines.flatMap((line) => [...argumentsOf(line), line.kept]);
      await redis.eval(addScript, keys.length, ...keys, portionMs, keepMs, counters.length, ...counted, ...told);
    },
    async read(operation) {
      const [counted, told] = await Promise.all(keysOf(operation).map((key) => redis.hgetall(key)));
      const lines = tallies(told ?? {}).toSorted((a, b) => a.firstAt - b.firstAt || (a.name < b.name ? -1 : 1));
      return {
        counters: new Map(tallies(counted ?? {}).map(({ name, ...count }) => [name, count])),
        lines,
        more: Number(told?.[":more"] ?? 0),
      };
    },
  };
}

function keysOf(operation: string): readonly string[] {
  return [`{bulkhead}:observed:${operation}`, `{bulkhead}:evidence:${operation}`];
}

function argumentsOf({ name, count, firstAt, lastAt, atLeast }: Tally): readonly (string | number)[] {
  return [name, count, Math.round(firstAt), Math.round(lastAt), atLeast ? 1 : 0];
}

function tallies(fields: Readonly<Record<string, string>>): readonly Tally[] {
  return Object.entries(fields).flatMap(([name, text]) => {
    if (name.startsWith(":")) return [];
    const [count = 0, firstAt = 0, lastAt = 0, least = 0] = text.split(" ").map(Number);
    return [{ name, count, firstAt, lastAt, atLeast: least === 1 }];
  });
}
