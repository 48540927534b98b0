import type { Redis } from "ioredis";

/** The right of one replica to carry an operation out; a generation is never given twice. */
export type Lease = { readonly operation: string; readonly generation: number };

/**
 * Who works at which operation. An operation has a lease from its acceptance until its answer was seen, and again from
 * its confirmation; one that nobody renews for 6 s goes to whoever claims first (facts: reliability §2.3). All by the
 * server's clock: those of replicas differ. Throws where the store cannot be reached.
 */
export type Leases = {
  /** Takes at most so many operations over whose holders are gone. */
  claim(limit: number): Promise<readonly Lease[]>;
  /** Renews; false where another replica has taken the operation over: then not one write more. */
  renew(lease: Lease): Promise<boolean>;
  /** Lets it lapse in so many milliseconds: what is owed is tried again then, by whichever replica. */
  postpone(lease: Lease, ms: number): Promise<boolean>;
  /** Nothing is owed any more. */
  end(lease: Lease): Promise<boolean>;
};

/** Sorted set of ids by the moment when whoever holds the operation is taken for gone, by the server's clock. */
const leasesKey = "{bulkhead}:leases";
/** Id → the generation of its lease; generations come from one counter, so that none ever returns. */
const generationsKey = "{bulkhead}:leases:generation";
const generationCounterKey = "{bulkhead}:leases:counter";

/** A lease that is not renewed for so long may be taken by another replica. */
const leaseMs = 6_000;

/** Leases by the server's clock: replicas' clocks differ. `held`: no other replica has taken the operation since. */
export const leaseLibrary = `
local function now()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function lease(id)
  local generation = redis.call("INCR", "${generationCounterKey}")
  redis.call("HSET", "${generationsKey}", id, generation)
  redis.call("ZADD", "${leasesKey}", now() + ${leaseMs}, id)
  return generation
end
local function held(id, generation)
  return redis.call("HGET", "${generationsKey}", id) == tostring(generation)
end`;

const claimScript = `${leaseLibrary}
local claimed = {}
for _, id in ipairs(redis.call("ZRANGEBYSCORE", "${leasesKey}", "-inf", now(), "LIMIT", 0, ARGV[1])) do
  claimed[#claimed + 1] = id
  claimed[#claimed + 1] = lease(id)
end
return claimed`;

const extendScript = `${leaseLibrary}
if not held(ARGV[1], ARGV[2]) then return 0 end
redis.call("ZADD", "${leasesKey}", now() + ARGV[3], ARGV[1])
return 1`;

const endScript = `${leaseLibrary}
if not held(ARGV[1], ARGV[2]) then return 0 end
redis.call("ZREM", "${leasesKey}", ARGV[1])
redis.call("HDEL", "${generationsKey}", ARGV[1])
return 1`;

export function createLeases(redis: Redis): Leases {
  const extend = async ({ operation, generation }: Lease, ms: number): Promise<boolean> =>
    (await redis.eval(extendScript, 0, operation, generation, ms)) === 1;
  return {
    async claim(limit) {
      const reply = (await redis.eval(claimScript, 0, limit)) as (string | number)[];
      return reply.flatMap((operation, index) =>
        index % 2 === 0 ? [{ operation: String(operation), generation: Number(reply[index + 1]) }] : [],
      );
    },
    renew: (lease) => extend(lease, leaseMs),
    postpone: extend,
    end: async ({ operation, generation }) => (await redis.eval(endScript, 0, operation, generation)) === 1,
  };
}
