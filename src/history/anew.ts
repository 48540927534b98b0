import type { Redis } from "ioredis";
import { keys } from "./keys.ts";

/**
 * KEYS: identity, revisions, heads, trails, names, times. ARGV: cluster, its identity, how long what is laid aside stays, ms.
 * Answers 1 where another cluster bore the name. In one step, so that of several replicas one lays aside, and nothing new.
 */
const script = `
local identity, revisions = KEYS[1], KEYS[2]
local cluster, now, keepMs = ARGV[1], ARGV[2], ARGV[3]
local was = redis.call("GET", identity)
if was == now then return 0 end
redis.call("SET", identity, now)
if not was then return 0 end
local aside = { KEYS[3], KEYS[4], KEYS[5], KEYS[6] }
local seen = {}
for _, head in ipairs(redis.call("HVALS", KEYS[3])) do
  local key = string.match(head, "^[^\\n]*\\n([^\\n]*)\\n")
  local isRead, read = pcall(cjson.decode, key)
  local namespace = isRead and read.namespace or ""
  if not seen[namespace] then
    seen[namespace] = true
    aside[#aside + 1] = KEYS[6] .. "/" .. namespace
  end
end
for _, member in ipairs(redis.call("ZRANGE", KEYS[6], 0, -1)) do
  local code, id = string.match(member, "^(%S+) (%S+)$")
  if id then redis.call("ZREM", revisions, id .. " " .. code .. " " .. cluster) end
end
for _, key in ipairs(aside) do
  if redis.call("EXISTS", key) == 1 then
    redis.call("RENAME", key, key .. "@" .. was)
    redis.call("PEXPIRE", key .. "@" .. was, keepMs)
  end
end
return 1`;

/**
 * Lays the history of a cluster aside, under names that nothing reads and for as long as revisions are kept, where another one
 * bears its name now: versions of the two have no common order, so that the one would hide the other. Answers whether it did.
 */
export async function beginAnew(
  redis: Redis,
  { cluster, identity, keepMs }: { readonly cluster: string; readonly identity: string; readonly keepMs: number },
): Promise<boolean> {
  const of = [keys.heads(cluster), keys.trails(cluster), keys.names(cluster), keys.times(cluster)];
  const all = [keys.identity(cluster), keys.revisions, ...of];
  return (await redis.eval(script, all.length, ...all, cluster, identity, keepMs)) === 1;
}
