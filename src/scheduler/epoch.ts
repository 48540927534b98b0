import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";

/** Tells when the store has lost what it held: it was flushed, or came back empty. */
export type Epoch = {
  /**
   * Whether it was emptied since the last `seen`, and always before the first; asked every second or so. Throws where the
   * store cannot be reached.
   */
  isNew(): Promise<boolean>;
  /** What was lost is there again. */
  seen(): void;
};

const epochKey = "{bulkhead}:epoch";

/** A key that everything which empties the store takes with it. Whoever looks first puts a new one there. */
export function createEpoch(redis: Redis): Epoch {
  let known: string | undefined;
  let latest: string | undefined;
  return {
    async isNew() {
      const mine = randomUUID();
      // NX and GET together since Redis 7.0 (https://redis.io/docs/latest/commands/set/).
      latest = (await redis.set(epochKey, mine, "NX", "GET")) ?? mine;
      return latest !== known;
    },
    seen() {
      known = latest;
    },
  };
}
