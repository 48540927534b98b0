import { z } from "zod";
import type { Records } from "../kubernetes/records.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { ReapedCluster } from "./reap.ts";
import { clusterOf, type Services } from "./services.ts";
import type { GoneObject } from "./tell-gone.ts";

/** What the reaper says of itself, in a ConfigMap of Bulkhead's own namespace. Times by that cluster's API server. */
export type Heartbeat = {
  /** When it last ran, milliseconds since the epoch. */
  readonly at: number;
  readonly clusters: Readonly<Record<string, Beat>>;
  /** What it ended, oldest first, the newest 100. */
  readonly ended: readonly Reaped[];
};

type Beat = {
  /** When it could last list the cluster; absent: never. */
  readonly readAt?: number | undefined;
  /** What it could not do in its last run; the first five. */
  readonly problems: readonly string[];
};

/** An object that it ended, as far as an audit entry needs it: without its spec. */
type Reaped = { readonly cluster: string; readonly at: number; readonly metadata: Manifest["metadata"] };

const heartbeatName = "bulkhead-reaper";

const mostEnded = 100;
const mostProblems = 5;
/** A ConfigMap holds a MiB. */
const mostChars = 500_000;
/** After so long without a run the reaper counts for nothing; it runs every minute. */
const staleAfterMs = 5 * 60_000;

const strings = z.record(z.string(), z.string());
const shape = z.object({
  version: z.literal(1),
  at: z.number(),
  clusters: z.record(z.string(), z.object({ readAt: z.number().optional(), problems: z.array(z.string()) })),
  ended: z.array(
    z.object({
      cluster: z.string(),
      at: z.number(),
      metadata: z.object({
        name: z.string(),
        namespace: z.string(),
        uid: z.string(),
        creationTimestamp: z.string(),
        labels: strings.default({}),
        annotations: strings.default({}),
      }),
    }),
  ),
});

/** Undefined where there is none, or none that is understood. Throws where the cluster cannot be asked. */
export async function readHeartbeat(records: Pick<Records, "get">): Promise<Heartbeat | undefined> {
  const stored = await records.get(heartbeatName);
  return stored === undefined ? undefined : parse(stored.text);
}

/**
 * Writes what a run came to, at this time of the server; what earlier runs ended stays until newer ones push it out. Where
 * another run writes at the same time it reads again. Throws where it cannot be written.
 */
export async function beat(records: Records, at: number, found: readonly ReapedCluster[], tries = 5): Promise<void> {
  const stored = await records.get(heartbeatName);
  const text = textOf(next(stored === undefined ? undefined : parse(stored.text), at, found));
  const written =
    stored === undefined ? await records.create(heartbeatName, text) : await records.replace(stored, text);
  if (written === "created" || written === "replaced") return;
  if (tries <= 1) throw new Error(`ConfigMap ${heartbeatName} kept changing`);
  await beat(records, at, found, tries - 1);
}

function parse(text: string): Heartbeat | undefined {
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function next(before: Heartbeat | undefined, at: number, found: readonly ReapedCluster[]): Heartbeat {
  const clusters = found.map(({ cluster, read, problems }) => {
    const readAt = read ? at : before?.clusters[cluster]?.readAt;
    return [cluster, { readAt, problems: problems.slice(0, mostProblems).map((one) => one.slice(0, 300)) }] as const;
  });
  const ended = found.flatMap((one) => one.ended.map((object) => reapedOf(object.object, object.at, one.cluster)));
  return {
    at,
    clusters: { ...before?.clusters, ...Object.fromEntries(clusters) },
    ended: [...(before?.ended ?? []), ...ended].slice(-mostEnded),
  };
}

function reapedOf({ metadata }: Manifest, at: number, cluster: string): Reaped {
  const { name, namespace = "", uid = "", creationTimestamp = "", labels = {}, annotations = {} } = metadata;
  return { cluster, at, metadata: { name, namespace, uid, creationTimestamp, labels, annotations } };
}

function textOf(heartbeat: Heartbeat): string {
  const text = JSON.stringify({ version: 1, ...heartbeat });
  if (text.length <= mostChars || heartbeat.ended.length === 0) return text;
  return textOf({ ...heartbeat, ended: heartbeat.ended.slice(Math.ceil(heartbeat.ended.length / 2)) });
}

/** What it ended, for whoever tells of it: its word, as far as the names bear it out. */
export function goneOf({ ended }: Heartbeat): readonly (GoneObject & { readonly cluster: string })[] {
  return ended.flatMap(({ cluster, at, metadata }) => {
    const object: Manifest = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: {} };
    const known = knownAllowance(object);
    return known === undefined
      ? []
      : [{ cluster, object, known, at, lateMs: at - known.endsAt, net: "reaper" as const }];
  });
}

/** How the reaper stands for one cluster: `stale` where it has not read it for five minutes, or that cannot be told. */
export type ReaperState = {
  readonly state: "fresh" | "stale" | "never";
  /** Since it last read the cluster. */
  readonly ageMs?: number | undefined;
  /** What it could not do in its last run, or why it cannot be told. */
  readonly problems: readonly string[];
};

/** Never rejects: what cannot be told is stale. */
export async function reaperState(services: Services, cluster: string): Promise<ReaperState> {
  try {
    const heartbeat = await services.heartbeat?.();
    const { readAt, problems = [] } = heartbeat?.clusters[cluster] ?? {};
    if (readAt === undefined) return { state: "never", problems };
    const time = clusterOf(services, services.settings.clusters.home).cluster.serverTime();
    if (time === undefined) return { state: "stale", problems: ["the API server says no time"] };
    const ageMs = Math.max(0, time.latestMs - readAt);
    return { state: ageMs <= staleAfterMs ? "fresh" : "stale", ageMs, problems };
  } catch (error) {
    return {
      state: "stale",
      problems: [`its heartbeat cannot be read: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}
