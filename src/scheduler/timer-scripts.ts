/** Sorted set of ids by the moment when each is to be claimed next, by Redis' clock: when it is due, later when its claim lapses. */
export const timersKey = "{bulkhead}:timers";
/** Id → what whoever claims it is given. */
const payloadsKey = "{bulkhead}:timers:payload";
/** Id → `generation due attempt` of what was claimed and has not been done: the generation is 0 while it waits to be tried again. */
const claimsKey = "{bulkhead}:timers:claim";
/** The last generation that was given. */
const generationKey = "{bulkhead}:timers:generation";

/** A claim that is not renewed for so long goes to whoever claims next. */
const claimMs = 4_000;

/**
 * Moments in milliseconds, all by Redis' clock: those of replicas differ. `held`: this claim is the last one, and nobody
 * has set the timer since. Generations are microseconds, so that none returns after the counter itself was lost.
 */
const library = `
local timers, payloads, claims = "${timersKey}", "${payloadsKey}", "${claimsKey}"
local function microseconds()
  local time = redis.call("TIME")
  return time[1] * 1000000 + time[2]
end
local function now() return math.floor(microseconds() / 1000) end
local function held(id, generation)
  local claim = redis.call("HGET", claims, id)
  return claim and string.match(claim, "^%d+") == generation
end
local function forget(id)
  redis.call("ZREM", timers, id)
  redis.call("HDEL", payloads, id)
  redis.call("HDEL", claims, id)
end`;

/** Refused where Redis is out of memory, which is how it should be: nothing may open whose timer is not there. */
const opening = `#!lua\n${library}`;
/** Goes on where Redis is out of memory: what is there has to close. */
const closing = `#!lua flags=allow-oom\n${library}`;

/** ARGV: id, milliseconds, payload. */
export const setScript = `${opening}
redis.call("HDEL", claims, ARGV[1])
redis.call("HSET", payloads, ARGV[1], ARGV[3])
redis.call("ZADD", timers, now() + ARGV[2], ARGV[1])`;

/** ARGV: id, milliseconds, payload of each. Answers how many were missing. */
export const ensureScript = `${opening}
local missing = 0
for i = 1, #ARGV, 3 do
  local id = ARGV[i]
  if not redis.call("ZSCORE", timers, id) or not redis.call("HGET", payloads, id) then
    redis.call("HDEL", claims, id)
    redis.call("HSET", payloads, id, ARGV[i + 2])
    redis.call("ZADD", timers, now() + ARGV[i + 1], id)
    missing = missing + 1
  end
end
return missing`;

/**
 * ARGV: how many at most. Answers id, payload, generation, due, now, attempt of each. A timer whose payload was lost
 * can be carried out by nobody: it goes, and whoever knows it ensures it anew.
 */
export const claimScript = `${closing}
local at, claimed = now(), {}
local generation = math.max(microseconds(), (tonumber(redis.call("GET", "${generationKey}")) or 0) + 1)
local due = redis.call("ZRANGEBYSCORE", timers, "-inf", at, "WITHSCORES", "LIMIT", 0, ARGV[1])
for i = 1, #due, 2 do
  local id, payload = due[i], redis.call("HGET", payloads, due[i])
  if payload then
    local since, attempt = string.match(redis.call("HGET", claims, id) or "", "^%d+ (%S+) (%d+)$")
    since, attempt = tonumber(since or due[i + 1]), (attempt or 0) + 1
    redis.call("HSET", claims, id, string.format("%.0f %.0f %d", generation, since, attempt))
    redis.call("ZADD", timers, at + ${claimMs}, id)
    for _, value in ipairs({ id, payload, generation, since, at, attempt }) do claimed[#claimed + 1] = value end
    generation = generation + 1
  else
    forget(id)
  end
end
if #claimed > 0 then redis.call("SET", "${generationKey}", string.format("%.0f", generation)) end
return claimed`;

/** ARGV: id, generation. */
export const renewScript = `${closing}
if not held(ARGV[1], ARGV[2]) then return 0 end
redis.call("ZADD", timers, now() + ${claimMs}, ARGV[1])
return 1`;

/** ARGV: id, generation, milliseconds. It stays due since when it was; the claim has ended. */
export const retryScript = `${closing}
if not held(ARGV[1], ARGV[2]) then return 0 end
redis.call("HSET", claims, ARGV[1], (string.gsub(redis.call("HGET", claims, ARGV[1]), "^%d+", "0")))
redis.call("ZADD", timers, now() + ARGV[3], ARGV[1])
return 1`;

/** ARGV: id, generation, milliseconds. It is due then, and not before. */
export const againScript = `${closing}
if not held(ARGV[1], ARGV[2]) then return 0 end
redis.call("HDEL", claims, ARGV[1])
redis.call("ZADD", timers, now() + ARGV[3], ARGV[1])
return 1`;

/** ARGV: id, generation of each. Answers 1 for each that held. */
export const doneScript = `${closing}
local done = {}
for i = 1, #ARGV, 2 do
  local holds = held(ARGV[i], ARGV[i + 1])
  if holds then forget(ARGV[i]) end
  done[#done + 1] = holds and 1 or 0
end
return done`;

/** ARGV: id. */
export const removeScript = `${closing}
forget(ARGV[1])`;

/** Answers in how many milliseconds there will be something to claim, as a text; nothing where there is no timer. */
export const nextScript = `${closing}
local first = redis.call("ZRANGE", timers, 0, 0, "WITHSCORES")[2]
return first and string.format("%.0f", first - now())`;

/**
 * Answers since how many milliseconds the one that waits longest has been due, as a text. Those that are claimed or
 * tried again stand later in the set than they are due: what they are due since is in their claims.
 */
export const overdueScript = `${closing}
local first = tonumber(redis.call("ZRANGE", timers, 0, 0, "WITHSCORES")[2]) or math.huge
for _, claim in ipairs(redis.call("HVALS", claims)) do
  first = math.min(first, tonumber(string.match(claim, "^%d+ (%S+)")))
end
return string.format("%.0f", math.max(0, now() - first))`;
