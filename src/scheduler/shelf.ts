import type { Redis } from "ioredis";

/** Small things that every replica may need again within the hour. Throws where the store cannot be reached. */
export type Shelf = {
  /** Whether this key is put there for the first time within `ttlMs`. */
  first(key: string, ttlMs: number): Promise<boolean>;
  put(key: string, value: string, ttlMs: number): Promise<void>;
  /** Undefined where nothing was put there, or it is too long ago. */
  get(key: string): Promise<string | undefined>;
};

const prefix = "{bulkhead}:shelf:";

export function createShelf(redis: Redis): Shelf {
  return {
    first: async (key, ttlMs) => (await redis.set(prefix + key, "1", "PX", ttlMs, "NX")) === "OK",
    async put(key, value, ttlMs) {
      await redis.set(prefix + key, value, "PX", ttlMs);
    },
    get: async (key) => (await redis.get(prefix + key)) ?? undefined,
  };
}
