/**
 * Stores lineages, each only if its stored head still bears the stamp that was read, or none as none was.
 * KEYS: heads, trails, names, times, revisions, clusters. ARGV: cluster; then of each lineage: code, stamp, head (empty:
 * it goes), trail (empty: none), key of the namespace's times, how many revisions are added, `id moment` of each, how many
 * go, id of each. Answers the codes that have another stamp.
 */
const body = `
local heads, trails, names, times, revisions, clusters = unpack(KEYS)
local cluster, at, lost = ARGV[1], 1, {}
local function argument()
  at = at + 1
  return ARGV[at]
end
local function stampOf(head)
  return head and string.match(head, "^%S+ (%S+)") or ""
end
local function put(code, head, trail)
  if head == "" then
    redis.call("HDEL", heads, code)
    redis.call("HDEL", trails, code)
    return redis.call("ZREM", names, code)
  end
  redis.call("HSET", heads, code, head)
  redis.call("ZADD", names, 0, code)
  if trail == "" then redis.call("HDEL", trails, code) else redis.call("HSET", trails, code, trail) end
end
while at < #ARGV do
  local code, stamp, head, trail, near = argument(), argument(), argument(), argument(), argument()
  local holds = stampOf(redis.call("HGET", heads, code)) == stamp
  if holds then put(code, head, trail) else lost[#lost + 1] = code end
  for _ = 1, argument() do
    local id, moment = argument(), argument()
    if holds then
      redis.call("ZADD", times, moment, code .. " " .. id)
      redis.call("ZADD", near, moment, code .. " " .. id)
      redis.call("ZADD", revisions, 0, id .. " " .. code .. " " .. cluster)
    end
  end
  for _ = 1, argument() do
    local id = argument()
    if holds then
      redis.call("ZREM", times, code .. " " .. id)
      redis.call("ZREM", near, code .. " " .. id)
      redis.call("ZREM", revisions, id .. " " .. code .. " " .. cluster)
    end
  end
end
redis.call("SADD", clusters, cluster)
return lost`;

/** Refused where Redis is out of memory: what is enforced needs the rest of it more. */
export const commitScript = `#!lua\n${body}`;
/** Goes on where Redis is out of memory: it frees some. */
export const trimScript = `#!lua flags=allow-oom\n${body}`;
