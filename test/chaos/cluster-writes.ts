import type { Redis } from "ioredis";
import { createAuditLog } from "../../src/audit/log.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import type { Kept } from "./kept.ts";
import type { Call } from "./tap.ts";

/** A write on a pod or a NetworkPolicy, with what was durable of its operation before it was forwarded. */
export type ClusterWrite = {
  /** The quarantine that the write names: releases name the one that they lift. */
  readonly quarantine: string;
  readonly verb: string;
  readonly path: string;
  readonly at: number;
  /** In the chain, in a spool or in a ConfigMap; undefined where the store did not say: then the chain tells later. */
  readonly intent: boolean | undefined;
  /** The quarantine had its outcome in the chain, did not run any more, and no release of it had an intent. */
  readonly unmeant: boolean;
};

export type WriteWatch = {
  /** For `observe` of a kube proxy. */
  observe(call: Call): Promise<void>;
  seen(): readonly ClusterWrite[];
};

/** `redis` leads to the store past every proxy, and rejects at once where that is away. */
export function watchWrites(redis: Redis, kept: () => Promise<Kept>): WriteWatch {
  const audit = createAuditLog(redis, { onEntry: () => undefined });
  const operations = createOperations(redis, { now: Date.now });
  const seen: ClusterWrite[] = [];

  const isChained = (id: string): Promise<boolean | undefined> =>
    audit.find(id).then(
      (entry) => entry !== undefined,
      () => undefined,
    );
  /** A spool is emptied into the chain: looked at in this order nothing is missed. */
  const isDurable = async (id: string): Promise<boolean | undefined> =>
    (await isChained(id)) === true || (await kept()).holds(id) || isChained(id);

  /** A second try that began while Redis was away runs in its ConfigMap, and Redis knows the first one's end until then. */
  const isRunning = async (id: string): Promise<boolean> =>
    (await operations.get(id))?.state === "running" ||
    (await kept()).operations.some((one) => one.id === id && one.state === "running") ||
    (await operations.get(id))?.state === "running";

  /** Whoever takes a running operation over repeats every step, and each does only what is missing. */
  const isUnmeant = async (quarantine: string): Promise<boolean> => {
    try {
      if ((await isChained(`${quarantine}:outcome`)) !== true) return false;
      if (await isRunning(quarantine)) return false;
      const intents = (await audit.read({})).filter(({ kind, verb }) => kind === "intent" && verb === "release");
      return !intents.some(({ detail }) => JSON.stringify(detail).includes(`"lifts":"${quarantine}"`));
    } catch {
      return false;
    }
  };

  return {
    seen: () => seen,
    async observe({ verb, what, text, at }) {
      const quarantine = quarantineOf(what, text);
      if (quarantine === undefined) return;
      const [intent, unmeant] = await Promise.all([isDurable(`${quarantine}:intent`), isUnmeant(quarantine)]);
      seen.push({ quarantine, verb, path: what.split("?")[0] ?? what, at, intent, unmeant });
    },
  };
}

/** Of ConfigMaps, which may be written before anything else, nothing is said here. */
function quarantineOf(path: string, text: string): string | undefined {
  if (!/\/(pods|networkpolicies)(\/|\?|$)/.test(path)) return undefined;
  return /\bq-[0-9a-hjkmnp-tv-z]{7}\b/.exec(text)?.[0];
}
