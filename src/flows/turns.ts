import type { Redis } from "ioredis";

/** Which replica asks a source, by the server's clock. Every method throws where the store is away. */
export type Turns = {
  /** Takes the turn at a source where nobody has it, and renews it: for `turnMs`. False: another replica has it. */
  take(source: string): Promise<boolean>;
  /** Lets others have it at once; nothing where it is not ours. */
  release(source: string): Promise<void>;
};

/** A turn that is not renewed for so long is another replica's to take, milliseconds: renewed each second, with two in reserve. */
export const turnMs = 3_500;

const prefix = "{bulkhead}:flows:turn:";

const takeScript = `
if redis.call("GET", KEYS[1]) == ARGV[1] then
  redis.call("PEXPIRE", KEYS[1], ARGV[2])
  return 1
end
return redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) and 1 or 0`;

const releaseScript = `
if redis.call("GET", KEYS[1]) == ARGV[1] then redis.call("DEL", KEYS[1]) end`;

/** `holder` is this process, and no other that ever ran. */
export function createTurns(redis: Redis, holder: string): Turns {
  return {
    take: async (source) => (await redis.eval(takeScript, 1, prefix + source, holder, turnMs)) === 1,
    async release(source) {
      await redis.eval(releaseScript, 1, prefix + source, holder);
    },
  };
}
