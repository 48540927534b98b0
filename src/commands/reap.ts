import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { type Closed, type Closing, closeObject, untilEnd } from "./close-allowance.ts";
import { createGate } from "./gate.ts";

/** An object that the reaper ended. */
export type ReapedObject = Closed & { readonly cluster: string };

/** What one run found and did, of one cluster. */
export type ReapedCluster = {
  readonly cluster: string;
  readonly ended: readonly ReapedObject[];
  /** What is past its end and could not be ended, or the whole cluster where it could not be read; as sentences. */
  readonly problems: readonly string[];
  /** Whether its objects could be listed. */
  readonly read: boolean;
};

export type Reaping = {
  readonly dryRun: boolean;
  /** A line for each object. */
  readonly write: (line: Readonly<Record<string, unknown>>) => void;
  readonly wait: (ms: number) => Promise<void>;
  /** Milliseconds by a clock that nobody sets. */
  readonly monotonic: () => number;
  /** No try begins later than so many milliseconds after the first. */
  readonly withinMs: number;
};

/** So many at once: each may open a connection. */
const concurrency = 10;
/** What ends so soon is waited for. */
const soonMs = 2_000;
const firstPauseMs = 300;
const longestPauseMs = 5_000;

/**
 * Ends what is past its time in one cluster, by the objects and the API server's clock alone: no record, no Redis. Nothing but
 * allowances of ours is touched. What fails is tried again until the time is up. Never rejects.
 */
export async function reap(cluster: Cluster, reaping: Reaping): Promise<ReapedCluster> {
  const untilMs = reaping.monotonic() + reaping.withinMs;
  const gate = createGate(concurrency);
  const tell = (object: Manifest, result: string, more: Readonly<Record<string, unknown>> = {}): void => {
    const { namespace, name, uid } = object.metadata;
    reaping.write({
      cluster: cluster.name,
      namespace,
      name,
      uid,
      operation: knownAllowance(object)?.operation,
      result,
      ...more,
    });
  };
  try {
    const objects = await persist(() => cluster.listAllowances(), reaping, untilMs);
    const done = await Promise.all(
      objects.map((object) => gate(() => endOne({ cluster, reaping, untilMs, tell }, object))),
    );
    return {
      cluster: cluster.name,
      ended: done.flatMap(({ ended }) => (ended === undefined ? [] : [{ ...ended, cluster: cluster.name }])),
      problems: done.flatMap(({ problem }) => problem ?? []),
      read: true,
    };
  } catch (error) {
    reaping.write({ cluster: cluster.name, result: "failed", error: message(error) });
    return { cluster: cluster.name, ended: [], problems: [`could not be read: ${message(error)}`], read: false };
  }
}

type Run = {
  readonly cluster: Cluster;
  readonly reaping: Reaping;
  readonly untilMs: number;
  readonly tell: (object: Manifest, result: string, more?: Readonly<Record<string, unknown>>) => void;
};

type One = { readonly ended?: Closed | undefined; readonly problem?: string };

async function endOne({ cluster, reaping, untilMs, tell }: Run, object: Manifest): Promise<One> {
  if (reaping.dryRun) {
    const { endsAt, inMs } = dryOf(cluster, object);
    tell(object, inMs === 0 ? "would-close" : "in-force", { endsAt, inMs });
    return {};
  }
  try {
    const closing = await persist(() => close(cluster, object, reaping), reaping, untilMs);
    tell(object, closing.kind === "not-yet" ? "in-force" : closing.kind, wordsOf(closing));
    if (closing.kind === "deleting")
      return { problem: `${placeOf(object)} is deleted, but a finalizer keeps it in force` };
    return closing.kind === "closed" ? { ended: closing } : {};
  } catch (error) {
    tell(object, "failed", { error: message(error) });
    return { problem: `${placeOf(object)}: ${message(error)}` };
  }
}

function wordsOf(closing: Closing): Readonly<Record<string, unknown>> {
  if (!("known" in closing)) return {};
  const { endsAt, altered } = closing.known;
  const said = { endsAt: iso(endsAt), ...(altered === undefined ? {} : { altered }) };
  if (closing.kind === "not-yet") return { ...said, inMs: closing.inMs };
  return { ...said, at: iso(closing.at), lateMs: closing.lateMs };
}

/** Once more where its end is so near that the next run would come late. */
async function close(cluster: Cluster, reference: Manifest, { wait }: Reaping): Promise<Closing> {
  const asked = { reference, uid: reference.metadata.uid, why: "expired" } as const;
  for (let tries = 0; ; tries += 1) {
    const closing = await closeObject({ cluster }, asked);
    if (closing.kind !== "not-yet" || closing.inMs > soonMs || tries >= 10) return closing;
    await wait(closing.inMs);
  }
}

function dryOf(cluster: Cluster, object: Manifest): { readonly endsAt: string; readonly inMs: number } {
  const time = cluster.serverTime();
  const known = knownAllowance(object);
  if (time === undefined || known === undefined)
    throw new Error(`the API server of cluster ${cluster.name} says no time`);
  return { endsAt: iso(known.endsAt), inMs: untilEnd(time, known.endsAt) };
}

/** Tries until the time is up; throws the last failure. */
async function persist<T>(work: () => Promise<T>, { wait, monotonic }: Reaping, untilMs: number): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (monotonic() + pauseMs >= untilMs) throw error;
      await wait(pauseMs * (0.5 + Math.random() / 2));
    }
  }
}

function placeOf({ metadata: { namespace, name } }: Manifest): string {
  return `${namespace}/${name}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
