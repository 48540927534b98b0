import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { Timer } from "../scheduler/timers.ts";
import { createBookkeeping } from "./allowance-book.ts";
import { createEndings, type Endings } from "./allowance-endings.ts";
import { createMemoryTimers, type Followed, type MemoryOptions, type MemoryTimers } from "./allowance-memory.ts";
import { type AllowanceRecords, createAllowanceRecords } from "./allowance-records.ts";
import { placeOf } from "./allowance-timers.ts";
import { type Closing, closeObject, untilEnd } from "./close-allowance.ts";
import type { Outlet } from "./desk.ts";
import { goneOf, type Heartbeat } from "./heartbeat.ts";
import type { Services } from "./services.ts";
import type { Net } from "./tell-gone.ts";

/** What ends allowances of itself, each net enough alone: timers in Redis, timers in this process, and a timed LIST. */
export type Nets = {
  /** Carries out a timer of Redis; when it is due once more, in milliseconds. Throws where the cluster cannot be asked. */
  onTimer(timer: Timer): Promise<number | undefined>;
  /** Goes by a LIST of one cluster, or of all: closes what is past its end, and puts right what was lost. Throws where the list fails. */
  sweep(cluster?: string): Promise<void>;
  /** Tells of what the reaper says that it ended, where nobody has. */
  importReaped(heartbeat: Heartbeat): void;
  /** Ends the timers of this process; resolves when what is under way was told. */
  stop(): Promise<void>;
};

export type NetParts = {
  readonly services: Services;
  readonly outletFor: (operation: Operation) => Outlet;
  /** How much later than its end a timer of this process fires. Default 2 to 5 s. */
  readonly graceMs?: MemoryOptions["graceMs"];
};

/** Everything that the nets share. */
type Core = {
  readonly services: Services;
  readonly records: AllowanceRecords;
  readonly endings: Endings;
};

/** How soon what a finalizer keeps is looked at again. */
const deletingAgainMs = 5_000;
/** A timer of a cluster that is not configured any more: nobody can do anything about it here. */
const unknownAgainMs = 60_000;

export function createNets({ services, outletFor, graceMs }: NetParts): Nets {
  const core: Core = {
    services,
    records: createAllowanceRecords(services),
    endings: createEndings({ services, outletFor }),
  };
  const memory = createMemoryTimers({
    close: (followed) => closeOne(core, followed, "memory"),
    untilEnd: (followed) => untilEndIn(services.clusters.get(followed.cluster)?.cluster, followed.endsAt),
    ...(graceMs === undefined ? {} : { graceMs }),
  });
  const book = createBookkeeping({ ...core, outletFor });
  const sweep = async (cluster: Cluster): Promise<void> => {
    // The records first: what they know to be in force by now, the list has.
    const live = await book.live(cluster);
    const objects = await cluster.listAllowances();
    const endings = objects.flatMap((object) => followedOf(core, cluster, object) ?? []);
    for (const followed of endings) memory.put(followed);
    hurry(services, cluster, memory, endings);
    await book.keep(cluster, { live, objects, endings });
  };
  const entries = [...services.clusters.values()];
  const following = entries.map(({ cluster }) => cluster.onPolicyChange(watcher(core, cluster, memory)));
  return {
    onTimer: (timer) => onTimer(core, timer),
    async sweep(name) {
      const asked = entries.filter(({ cluster }) => name === undefined || cluster.name === name);
      const done = await Promise.allSettled(asked.map(({ cluster }) => sweep(cluster)));
      const failed = done.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    importReaped: importer(core),
    async stop() {
      for (const end of following) end();
      memory.stop();
      core.endings.stop();
      await core.endings.drain();
    },
  };
}

/** Each once by this replica: what is not told yet the endings keep. */
function importer({ services, endings }: Core): Nets["importReaped"] {
  const imported = new Set<string>();
  return (heartbeat) => {
    for (const { cluster: name, ...gone } of goneOf(heartbeat)) {
      const key = `${name} ${gone.object.metadata.uid}`;
      const cluster = services.clusters.get(name)?.cluster;
      if (cluster !== undefined && !imported.has(key)) endings.closed(cluster, gone);
      imported.add(key);
    }
  };
}

/** How long until then by the server's clock, as untilEnd says it; undefined where that clock is not known. */
function untilEndIn(cluster: Cluster | undefined, endsAt: number): number | undefined {
  const time = cluster?.serverTime();
  return time === undefined ? undefined : untilEnd(time, endsAt);
}

function followedOf({ records }: Core, cluster: Cluster, object: Manifest): Followed | undefined {
  const named = knownAllowance(object);
  const { namespace, uid } = object.metadata;
  if (named === undefined || namespace === undefined || uid === undefined) return undefined;
  const { operation } = named;
  const { endsAt } = knownAllowance(object, records.remembered(operation)) ?? named;
  return { cluster: cluster.name, namespace, name: object.metadata.name, uid, operation, endsAt };
}

/** Not waited for: each has a limit of its own, and the next sweep must come in time. */
function hurry(services: Services, cluster: Cluster, memory: MemoryTimers, endings: readonly Followed[]): void {
  const now = cluster.serverTime();
  if (now === undefined) return;
  const overdue = endings.filter(({ endsAt }) => endsAt <= now.earliestMs);
  for (const { uid } of overdue) memory.hurry(uid);
  const oldestMs = Math.max(0, ...overdue.map(({ endsAt }) => now.latestMs - endsAt));
  services.meter({ kind: "overdue", cluster: cluster.name, count: overdue.length, oldestMs });
}

/** What the watch sees. It must not throw: the watch would end by it. */
function watcher(core: Core, cluster: Cluster, memory: MemoryTimers): Parameters<Cluster["onPolicyChange"]>[0] {
  return (change) => {
    const followed = followedOf(core, cluster, change.value);
    if (followed === undefined) return;
    if (change.kind === "deleted") {
      memory.drop(followed.uid);
      return wentAway(core, cluster, change.value, followed);
    }
    memory.put(followed);
    if (change.kind === "updated" && ttlOf(change.value) !== ttlOf(change.before)) {
      // An extension is recorded before it is on the object; an alteration is not.
      const read = core.records.secondsOf(followed.operation);
      void read.then(() => memory.put(followedOf(core, cluster, change.value) ?? followed));
    }
  };
}

function ttlOf({ metadata }: NetworkPolicy): string | undefined {
  return metadata.annotations?.[marks.ttlSeconds];
}

function wentAway({ records, endings }: Core, cluster: Cluster, object: Manifest, { operation }: Followed): void {
  const known = knownAllowance(object, records.remembered(operation));
  const time = cluster.serverTime();
  if (known === undefined || time === undefined) return;
  const at = Math.ceil(time.latestMs);
  endings.wentAway(cluster, { object, known, at, lateMs: at - known.endsAt, net: undefined });
}

function onTimer(core: Core, { id, payload }: Timer): Promise<number | undefined> {
  const place = placeOf(id);
  return place === undefined ? Promise.resolve(undefined) : closeOne(core, { ...place, operation: payload }, "timer");
}

type Place = Pick<Followed, "cluster" | "namespace" | "name" | "operation"> & { readonly uid?: string };

/** What closeObject makes of it, counted and told; a number is when to look again, in milliseconds. */
async function closeOne(core: Core, place: Place, net: Net): Promise<number | undefined> {
  const { services, records } = core;
  const { cluster: name, namespace, uid, operation } = place;
  const cluster = services.clusters.get(name)?.cluster;
  if (cluster === undefined) return unknownAgainMs;
  const reference = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name: place.name },
  };
  try {
    const recordedSeconds = await records.secondsOf(operation);
    const closing = await closeObject({ cluster }, { reference, uid, recordedSeconds, why: "expired" });
    return nextOf(core, cluster, closing, net);
  } catch (error) {
    services.meter({
      kind: "error",
      where: "close allowance",
      message: `${namespace}/${place.name}: ${String(error)}`,
    });
    throw error;
  }
}

function nextOf({ services, endings }: Core, cluster: Cluster, closing: Closing, net: Net): number | undefined {
  switch (closing.kind) {
    case "closed":
      services.meter({ kind: "closed", net, lateMs: closing.lateMs });
      endings.closed(cluster, { ...closing, net });
      return undefined;
    case "deleting":
      return deletingAgainMs;
    case "not-yet":
      return closing.inMs;
    case "gone":
    case "not-ours":
      return undefined;
  }
}
