import type { Cluster, Deleted } from "../kubernetes/cluster.ts";
import type { ServerTime } from "../kubernetes/server-time.ts";
import { type KnownAllowance, knownAllowance } from "../policy/allowance.ts";
import type { Manifest, ManifestReference } from "../policy/manifest.ts";
import type { ObjectVersion } from "../policy/objects.ts";

/** All that closing needs: neither Redis, nor the audit, nor Slack. */
export type Closer = { readonly cluster: Pick<Cluster, "name" | "getObject" | "deleteObject" | "serverTime"> };

export type ToClose = {
  readonly reference: ManifestReference;
  /** Where it is given: another object of that name is none of this call's. */
  readonly uid?: string | undefined;
  /** The TTL that a record knows of (recordedSeconds); the object's own alone counts where there is none. */
  readonly recordedSeconds?: number | undefined;
  /** `expired`: not before its end. `ended`: now, since a person wants it. */
  readonly why: "expired" | "ended";
};

/** An object that was in force, and is not any more. Times by the API server's clock, milliseconds since the epoch. */
export type Closed = {
  readonly object: Manifest;
  readonly known: KnownAllowance;
  /** At the latest. */
  readonly at: number;
  /** At most so long after its end; negative where it was ended before. */
  readonly lateMs: number;
};

/**
 * `closed`: it was there, and is gone. `gone`: it was not there. `deleting`: it is deleted, and a finalizer keeps it there, and in
 * force: to be asked again. `not-yet`: to be asked again in so many milliseconds. `not-ours`: what has this name is no allowance of ours.
 */
export type Closing =
  | ({ readonly kind: "closed" | "deleting" } & Closed)
  | { readonly kind: "gone" | "not-ours" }
  | { readonly kind: "not-yet"; readonly inMs: number; readonly object: Manifest; readonly known: KnownAllowance };

const mostTries = 5;

/**
 * Ends one object of an allowance: the only function that does, whichever net calls it. By the object as it is now and the
 * server's clock, which is taken at its earliest; deleted is exactly the version that was decided over, so that an extension
 * that comes first holds. Throws where the cluster cannot be asked or says no time, and where the object keeps changing: the
 * caller tries again, for ever.
 */
export async function closeObject({ cluster }: Closer, asked: ToClose): Promise<Closing> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const object = await cluster.getObject(asked.reference);
    if (object === undefined || (asked.uid !== undefined && object.metadata.uid !== asked.uid)) return { kind: "gone" };
    const known = knownAllowance(object, asked.recordedSeconds);
    if (known === undefined) return { kind: "not-ours" };
    const closing = await closeVersion(cluster, { object, known, why: asked.why });
    if (closing !== undefined) return closing;
  }
  throw new Error(
    `NetworkPolicy ${nameOf(asked.reference)} in cluster ${cluster.name} kept changing while it was closed`,
  );
}

type Found = Pick<Closed, "object" | "known"> & Pick<ToClose, "why">;

/** Undefined where it was changed in between. */
async function closeVersion(cluster: Closer["cluster"], { object, known, why }: Found): Promise<Closing | undefined> {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp !== undefined) return { kind: "deleting", ...closedNow(cluster, object, known) };
  const inMs = why === "ended" ? 0 : untilEnd(timeOf(cluster), known.endsAt);
  if (inMs > 0) return { kind: "not-yet", inMs, object, known };
  const { kind } = await remove(cluster, object);
  if (kind === "conflict") return undefined;
  // What finalizers it has cannot have changed since: the resourceVersion was a precondition.
  const isKept = kind === "deleted" && finalizers.length > 0;
  return { kind: isKept ? "deleting" : "closed", ...closedNow(cluster, object, known) };
}

/**
 * In how many milliseconds to look again; 0 where it has ended for certain. While the bounds are far apart it looks in
 * between: the answer narrows them, and the end does not wait for the earliest of them.
 */
export function untilEnd({ earliestMs, latestMs }: ServerTime, endsAt: number): number {
  const certainMs = endsAt - earliestMs;
  if (certainMs <= 0) return 0;
  const possibleMs = Math.max(0, endsAt - latestMs);
  const openMs = certainMs - possibleMs;
  return Math.ceil(openMs <= 20 ? certainMs : possibleMs + openMs / 4);
}

function remove(cluster: Closer["cluster"], { apiVersion, kind, metadata }: Manifest): Promise<Deleted> {
  const { uid, resourceVersion } = metadata;
  if (!uid || !resourceVersion) throw new Error(`cluster ${cluster.name} names no version of ${metadata.name}`);
  const version: ObjectVersion = { uid, resourceVersion };
  return cluster.deleteObject({ apiVersion, kind, metadata }, version);
}

function closedNow(cluster: Closer["cluster"], object: Manifest, known: KnownAllowance): Closed {
  const at = Math.ceil(timeOf(cluster).latestMs);
  return { object, known, at, lateMs: at - known.endsAt };
}

function timeOf(cluster: Closer["cluster"]): ServerTime {
  const time = cluster.serverTime();
  if (time === undefined) throw new Error(`the API server of cluster ${cluster.name} says no time (no Date header)`);
  return time;
}

function nameOf({ metadata: { namespace, name } }: ManifestReference): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
