import { createHash } from "node:crypto";
import type { Manifest } from "./manifest.ts";
import { marks } from "./marks.ts";

/** What the name of an allowance's object says; nobody can alter it while the object lives. */
export type AllowanceName = {
  /** `a-7f3kd2m`. */
  readonly operation: string;
  /** From its creation to its end, unless it was extended. */
  readonly ttlSeconds: number;
  /** With all extensions. */
  readonly maxSeconds: number;
  /** Which of the operation's objects, from 0. */
  readonly index: number;
};

/** `bulkhead-a-7f3kd2m-1800-7200-0-k3j9x2ab`: all of it, and a hash of that. */
export function allowanceObjectName(name: AllowanceName): string {
  const { operation, ttlSeconds, maxSeconds, index } = name;
  return `bulkhead-${operation}-${ttlSeconds}-${maxSeconds}-${index}-${hashOf(name)}`;
}

const form = /^bulkhead-(a-[0-9a-hjkmnp-tv-z]{7})-([1-9]\d{0,8})-([1-9]\d{0,8})-(\d{1,3})-([0-9a-z]{8})$/;

/** What a name says that Bulkhead gave; undefined for every other, look-alikes included. */
export function parseAllowanceName(name: string): AllowanceName | undefined {
  const [, operation = "", ttl, max, index, hash] = form.exec(name) ?? [];
  const said = { operation, ttlSeconds: Number(ttl), maxSeconds: Number(max), index: Number(index) };
  return hash !== undefined && hash === hashOf(said) ? said : undefined;
}

function hashOf({ operation, ttlSeconds, maxSeconds, index }: AllowanceName): string {
  const digest = createHash("sha256")
    .update(`allowance\n${operation}\n${ttlSeconds}\n${maxSeconds}\n${index}`)
    .digest();
  return [...digest.subarray(0, 8)].map((byte) => "0123456789abcdefghjkmnpqrstvwxyz"[byte % 32]).join("");
}

/** An object of the cluster as far as an allowance goes by it. */
export type AllowanceObject = Pick<Manifest, "apiVersion" | "kind" | "metadata">;

/** An object that is an allowance of ours, and when it ends by itself alone. */
export type KnownAllowance = AllowanceName & {
  /** Milliseconds since the epoch, by the API server's clock. */
  readonly createdAt: number;
  readonly endsAt: number;
  /** Why the annotation does not count, where it does not, as a clause. */
  readonly altered: string | undefined;
};

/**
 * What an object is by its name; undefined for what is not an allowance of ours. Labels make none and keep none from being one:
 * anybody may write them, and nothing that cuts something off has such a name. `recordedSeconds` is
 * the TTL that a record knows of: where the object says more than that, the earlier end holds (design.md, "Where truth lives").
 */
export function knownAllowance(
  { kind, apiVersion, metadata }: AllowanceObject,
  recordedSeconds?: number,
): KnownAllowance | undefined {
  const said = parseAllowanceName(metadata.name);
  const createdAt = Date.parse(metadata.creationTimestamp ?? "");
  if (said === undefined || kind !== "NetworkPolicy" || !apiVersion.startsWith("networking.k8s.io/")) return undefined;
  if (Number.isNaN(createdAt)) return undefined;
  const { ttlSeconds, altered } = ttlOf(metadata.annotations?.[marks.ttlSeconds], said, recordedSeconds);
  return { ...said, ttlSeconds, createdAt, endsAt: createdAt + ttlSeconds * 1_000, altered };
}

/** The earliest end that is known: the annotation's, the record's, the cap of the name; the name's own where it is no number. */
function ttlOf(
  annotation: string | undefined,
  { ttlSeconds, maxSeconds }: AllowanceName,
  recordedSeconds = maxSeconds,
): { readonly ttlSeconds: number; readonly altered: string | undefined } {
  const most = Math.min(maxSeconds, recordedSeconds);
  if (annotation === undefined || !/^[1-9]\d{0,8}$/.test(annotation)) {
    const why = annotation === undefined ? "is gone" : "is no number of seconds";
    return { ttlSeconds: Math.min(ttlSeconds, most), altered: `its annotation ${marks.ttlSeconds} ${why}` };
  }
  const annotated = Number(annotation);
  if (annotated <= most) return { ttlSeconds: annotated, altered: undefined };
  return { ttlSeconds: most, altered: `its annotation ${marks.ttlSeconds} says more than was granted` };
}
