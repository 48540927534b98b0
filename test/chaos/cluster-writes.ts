import type { Redis } from "ioredis";
import { createAuditLog } from "../../src/audit/log.ts";
import type { Call } from "./tap.ts";

/** A write on a pod or a NetworkPolicy, with what the chain held of its operation before it was forwarded. */
export type ClusterWrite = {
  /** The quarantine that the write names: releases name the one that they lift. */
  readonly quarantine: string;
  readonly verb: string;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined where the store did not answer at that moment. */
  readonly known: { readonly intent: boolean; readonly outcome: boolean; readonly releases: number } | undefined;
};

export type WriteWatch = {
  /** For `observe` of a kube proxy. */
  observe(call: Call): Promise<void>;
  seen(): readonly ClusterWrite[];
};

/** `redis` leads to the store past every proxy, and rejects at once where that is away. */
export function watchWrites(redis: Redis): WriteWatch {
  const audit = createAuditLog(redis, { onEntry: () => undefined });
  const seen: ClusterWrite[] = [];

  const known = async (quarantine: string): Promise<ClusterWrite["known"]> => {
    try {
      const [intent, outcome] = await Promise.all(
        ["intent", "outcome"].map((kind) => audit.find(`${quarantine}:${kind}`)),
      );
      return {
        intent: intent !== undefined,
        outcome: outcome !== undefined,
        releases: await openReleases(quarantine),
      };
    } catch {
      return undefined;
    }
  };
  /** Releases of it that were meant to be carried out, ended or not: an outcome may be written by another replica. */
  const openReleases = async (quarantine: string): Promise<number> => {
    const intents = (await audit.read({})).filter(({ kind, verb }) => kind === "intent" && verb === "release");
    return intents.filter(({ detail }) => JSON.stringify(detail).includes(`"lifts":"${quarantine}"`)).length;
  };

  return {
    seen: () => seen,
    async observe({ verb, what, text, at }) {
      const quarantine = quarantineOf(what, text);
      if (quarantine === undefined) return;
      seen.push({ quarantine, verb, path: what.split("?")[0] ?? what, at, known: await known(quarantine) });
    },
  };
}

/** Of ConfigMaps, which may be written before anything else, nothing is said here. */
function quarantineOf(path: string, text: string): string | undefined {
  if (!/\/(pods|networkpolicies)(\/|\?|$)/.test(path)) return undefined;
  return /\bq-[0-9a-hjkmnp-tv-z]{7}\b/.exec(text)?.[0];
}
