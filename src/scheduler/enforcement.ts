import type { Redis } from "ioredis";
import { z } from "zod";

/** What the canary found of one node pool, and how it knows, as a sentence without its full stop. */
export type PoolFinding = {
  readonly pool: string;
  readonly state: "enforced" | "not-enforced" | "untested";
  readonly because: string;
};

/** One run of the canary over a cluster; `at` is its end, milliseconds since the epoch. */
export type CanaryRecord = {
  readonly version: 1;
  readonly run: string;
  readonly at: number;
  /** At least one. */
  readonly findings: readonly PoolFinding[];
};

/**
 * What a run proves: `enforced` false where any pool was seen not to enforce (those are the pools), true where every
 * pool was seen to.
 */
export type CanaryResult = { readonly enforced: boolean; readonly at: number; readonly pools: readonly string[] };

/** Runs of the canary and what they found, by the configured name of the cluster. Throws where the store is away. */
export type Canaries = {
  /** Whether this run may begin: no other is under way on any replica. Its claim ends by itself after `withinMs`. */
  begin(cluster: string, run: string, withinMs: number): Promise<boolean>;
  /** Ends the claim of that run, and of no other. */
  end(cluster: string, run: string): Promise<void>;
  /** Keeps for so long what was found, in place of what was found before; false where the run's claim is gone: it slept. */
  keep(cluster: string, record: CanaryRecord, forMs: number): Promise<boolean>;
  /** The last run that is still kept; undefined where there is none, or one that this version cannot read. */
  last(cluster: string): Promise<CanaryRecord | undefined>;
  /** What the last run proves of enforcement; undefined also where it proves nothing. */
  canaryOf(cluster: string): Promise<CanaryResult | undefined>;
};

const endScript = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`;

/** A run whose pods another one has deleted in the meantime must not put its own result in the other's place. */
const keepScript = `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[2], ARGV[2], "PX", ARGV[3])
return 1`;

export function createCanaries(redis: Redis): Canaries {
  const last = async (cluster: string): Promise<CanaryRecord | undefined> =>
    parsed((await redis.get(resultKey(cluster))) ?? "null");
  return {
    begin: async (cluster, run, withinMs) =>
      (await redis.set(claimKey(cluster), run, "PX", Math.ceil(withinMs), "NX")) === "OK",
    async end(cluster, run) {
      await redis.eval(endScript, 1, claimKey(cluster), run);
    },
    async keep(cluster, record, forMs) {
      const keys = [claimKey(cluster), resultKey(cluster)];
      return (await redis.eval(keepScript, 2, ...keys, record.run, JSON.stringify(record), forMs)) === 1;
    },
    last,
    async canaryOf(cluster) {
      const record = await last(cluster);
      return record === undefined ? undefined : provedBy(record);
    },
  };
}

/** A pool that could not be tested keeps a yes from being said of the cluster, never a no. */
export function provedBy({ at, findings }: CanaryRecord): CanaryResult | undefined {
  const poolsThat = (state: PoolFinding["state"]): readonly string[] =>
    findings.flatMap((one) => (one.state === state ? [one.pool] : []));
  const not = poolsThat("not-enforced");
  if (not.length > 0) return { enforced: false, at, pools: not };
  const pools = poolsThat("enforced");
  return pools.length > 0 && pools.length === findings.length ? { enforced: true, at, pools } : undefined;
}

function claimKey(cluster: string): string {
  return `{bulkhead}:canary:claim:${cluster}`;
}

function resultKey(cluster: string): string {
  return `{bulkhead}:canary:result:${cluster}`;
}

const shape = z.object({
  version: z.literal(1),
  run: z.string(),
  at: z.number(),
  findings: z
    .array(z.object({ pool: z.string(), state: z.enum(["enforced", "not-enforced", "untested"]), because: z.string() }))
    .min(1),
});

function parsed(json: string): CanaryRecord | undefined {
  try {
    return shape.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}
