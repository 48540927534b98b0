import type { Redis } from "ioredis";
import { isLive, type Operation } from "../policy/operation.ts";
import { leaseLibrary } from "./leases.ts";

/** Where one operation lies: a hash of its JSON and of what scripts compare, `revision`, `delivery`, `namespace`. */
const recordPrefix = "{bulkhead}:operation:";
const deliveryPrefix = "{bulkhead}:delivery:";
/** Deliveries of commands that record nothing. */
const seenPrefix = "{bulkhead}:seen:";
/** Sorted sets of ids, by time of arrival: all, those that are live, those of each namespace. */
const allKey = "{bulkhead}:operations";
const liveKey = "{bulkhead}:operations:live";
const namespacePrefix = "{bulkhead}:operations:in:";
/** Sorted sets of ids: by name (all scores equal), and by the time when one that is not live may be forgotten. */
const namesKey = "{bulkhead}:operations:names";
const forgetKey = "{bulkhead}:operations:forget";

export const keys = {
  all: allKey,
  live: liveKey,
  names: namesKey,
  namespace: (name: string) => namespacePrefix + name,
};

const operationDeliveryMs = 86_400_000;
const readDeliveryMs = 3_600_000;

/**
 * Functions that both scripts use. All keys share the hash tag `{bulkhead}`, so that those that are built here lie on
 * the same node. Whatever is not live is forgotten when its time has come: a few with every write.
 */
const library = `
${leaseLibrary}
local record = "${recordPrefix}" .. ARGV[1]
local function put(revision)
  local namespace, live, at = ARGV[3], ARGV[4], ARGV[5]
  local before = redis.call("HGET", record, "namespace")
  if before and before ~= namespace then redis.call("ZREM", "${namespacePrefix}" .. before, ARGV[1]) end
  redis.call("HSET", record, "json", ARGV[2], "revision", revision, "namespace", namespace)
  redis.call("ZADD", "${allKey}", at, ARGV[1])
  redis.call("ZADD", "${namesKey}", 0, ARGV[1])
  redis.call("ZADD", "${namespacePrefix}" .. namespace, at, ARGV[1])
  if live == "1" then
    redis.call("ZADD", "${liveKey}", at, ARGV[1])
    redis.call("ZREM", "${forgetKey}", ARGV[1])
  else
    redis.call("ZREM", "${liveKey}", ARGV[1])
    redis.call("ZADD", "${forgetKey}", ARGV[7], ARGV[1])
  end
end
local function forget()
  for _, id in ipairs(redis.call("ZRANGEBYSCORE", "${forgetKey}", "-inf", ARGV[6], "LIMIT", 0, 10)) do
    local namespace = redis.call("HGET", "${recordPrefix}" .. id, "namespace")
    if namespace then redis.call("ZREM", "${namespacePrefix}" .. namespace, id) end
    redis.call("ZREM", "${allKey}", id)
    redis.call("ZREM", "${namesKey}", id)
    redis.call("ZREM", "${forgetKey}", id)
    redis.call("DEL", "${recordPrefix}" .. id)
  end
end`;

const acceptScript = `${library}
local delivery = "${deliveryPrefix}" .. ARGV[8]
forget()
local known = redis.call("GET", delivery)
local json = known and redis.call("HGET", "${recordPrefix}" .. known, "json")
if json then return {"duplicate", json} end
local there = redis.call("HMGET", record, "json", "delivery")
if there[1] and there[2] == ARGV[8] then return {"duplicate", there[1]} end
if there[1] then return {"collision"} end
put(ARGV[9])
redis.call("HSET", record, "delivery", ARGV[8])
redis.call("SET", delivery, ARGV[1], "PX", ${operationDeliveryMs})
return {"accepted", ARGV[2], lease(ARGV[1])}`;

const replaceScript = `${library}
if redis.call("HGET", record, "revision") ~= ARGV[8] then return 0 end
if ARGV[10] ~= "" and not held(ARGV[1], ARGV[10]) then return 0 end
put(ARGV[9])
forget()
if ARGV[11] == "1" then return lease(ARGV[1]) end
return 1`;

/** A write of an operation: when it happens, and how long one that is not live is kept from then on. */
export type Moment = { readonly now: number; readonly keepMs: number };

/** Records the operation with its delivery; the JSON is what is stored then, by this call or by an earlier one. */
export async function acceptRecord(
  redis: Redis,
  operation: Operation,
  moment: Moment,
): Promise<
  | readonly ["accepted", json: string, generation: number]
  | readonly ["duplicate", json: string]
  | readonly ["collision"]
> {
  const { delivery, revision } = operation;
  const reply = await redis.eval(acceptScript, 0, ...written(operation, moment), delivery, revision);
  return reply as Awaited<ReturnType<typeof acceptRecord>>;
}

/** `fence`: the generation that must still hold the lease. `claim`: takes the lease in the same step. */
export type Holding = { readonly fence?: number | undefined; readonly claim?: boolean };

/**
 * Stores the operation if the stored revision is still one below its own and the lease is still held; 0 where not,
 * else the new generation where the lease was claimed, else 1.
 */
export async function replaceRecord(
  redis: Redis,
  operation: Operation,
  moment: Moment,
  { fence, claim = false }: Holding = {},
): Promise<number> {
  const { revision } = operation;
  const args = [...written(operation, moment), revision - 1, revision, fence ?? "", claim ? 1 : 0];
  return Number(await redis.eval(replaceScript, 0, ...args));
}

/** The stored JSON of each id; undefined where there is none. */
export async function readRecords(redis: Redis, ids: readonly string[]): Promise<readonly (string | undefined)[]> {
  const replies = await Promise.all(ids.map((id) => redis.hget(recordPrefix + id, "json")));
  return replies.map((json) => json ?? undefined);
}

/** Whether the delivery is seen for the first time within an hour. */
export async function markSeen(redis: Redis, delivery: string): Promise<boolean> {
  return (await redis.set(seenPrefix + delivery, "1", "PX", readDeliveryMs, "NX")) === "OK";
}

/** ARGV 1 to 7 of both scripts. */
function written(operation: Operation, { now, keepMs }: Moment): (string | number)[] {
  const { id, target, origin } = operation;
  return [id, JSON.stringify(operation), target.namespace, isLive(operation) ? 1 : 0, origin.at, now, now + keepMs];
}
