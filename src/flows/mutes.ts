import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Principal } from "../policy/principal.ts";
import { type FlowKey, keyOfText, textOf } from "./flow-key.ts";

/** That lines between two places on a port are not listed for a while, for anybody. They count in every total. */
export type Mute = {
  readonly id: string;
  /** See mutedPattern. */
  readonly pattern: FlowKey;
  readonly by: Principal;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly until: number;
};

/** Shared by all replicas. Every method throws where the store is away. */
export type Mutes = {
  /** In place of one of the same id. False where as many hold already as may (`mostMutes`). */
  put(mute: Mute, nowMs: number): Promise<boolean>;
  /** Those that hold now, the one that ends first first. */
  all(nowMs: number): Promise<readonly Mute[]>;
  /** Undefined where there was none. */
  remove(id: string): Promise<Mute | undefined>;
};

/** So many fit into a list that somebody still reads. */
export const mostMutes = 200;

/** What is muted by muting a line: both its sides and every reason, but not what is denied on another port or elsewhere. */
export function mutedPattern({ cluster, from, to, protocol, port }: FlowKey): FlowKey {
  return {
    cluster,
    class: "denied",
    from,
    to,
    protocol,
    port,
    direction: undefined,
    reason: undefined,
    policies: [],
  };
}

/** `m-…`, the same for the same pattern: muting it again puts off its end. */
export function muteId(key: FlowKey): string {
  const digest = createHash("sha256")
    .update(textOf(mutedPattern(key)))
    .digest();
  const letters = [...digest.subarray(0, 10)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]);
  return `m-${letters.join("")}`;
}

/** Whether the text has the form of a mute's id. */
export function isMuteId(text: string): boolean {
  return /^m-[0-9a-hjkmnp-tv-z]{10}$/.test(text);
}

const mutesKey = "{bulkhead}:flows:mutes";

/** In one hash of Redis: id to JSON. What has ended is taken out by whoever reads next. */
export function createMutes(redis: Redis): Mutes {
  const all = async (nowMs: number): Promise<readonly Mute[]> => {
    const stored = Object.entries(await redis.hgetall(mutesKey));
    const read = stored.map(([id, text]) => ({ id, mute: muteOf(text) }));
    const over = read.flatMap(({ id, mute }) => (mute !== undefined && mute.until <= nowMs ? [id] : []));
    if (over.length > 0) await redis.hdel(mutesKey, ...over);
    return read
      .flatMap(({ mute }) => (mute === undefined || mute.until <= nowMs ? [] : [mute]))
      .toSorted((a, b) => a.until - b.until);
  };
  return {
    all,
    async put(mute, nowMs) {
      const held = await all(nowMs);
      if (held.length >= mostMutes && !held.some(({ id }) => id === mute.id)) return false;
      const { pattern, ...rest } = mute;
      await redis.hset(mutesKey, mute.id, JSON.stringify({ v: 1, ...rest, pattern: textOf(pattern) }));
      return true;
    },
    async remove(id) {
      const text = await redis.hget(mutesKey, id);
      if (text === null) return undefined;
      return (await redis.hdel(mutesKey, id)) === 1 ? muteOf(text) : undefined;
    },
  };
}

/** Undefined for what a newer version wrote: it stays where it is, and mutes nothing here. */
function muteOf(text: string): Mute | undefined {
  const { v, pattern: key, id, by, at, until } = JSON.parse(text);
  const pattern = v === 1 ? keyOfText(key) : undefined;
  return pattern === undefined ? undefined : { id, pattern, by, at, until };
}
