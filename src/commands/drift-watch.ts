import type { PodListener } from "../kubernetes/cluster.ts";
import { canonicalJson } from "../policy/canonical.ts";
import { type Drifting, type DriftRecord, mayRestore } from "../policy/drift.ts";
import { marks } from "../policy/marks.ts";
import type { Operation } from "../policy/operation.ts";
import type { Outlet } from "./desk.ts";
import { lookAt, namespacesOf, type Seen } from "./drift-look.ts";
import { afterLook, isUntold } from "./drift-records.ts";
import { restoreByItself } from "./drift-restoring.ts";
import { tellDrift } from "./drift-tell.ts";
import { type Authored, authorOf } from "./drift-who.ts";
import { isRestoredAlone } from "./drift-words.ts";
import type { Services } from "./services.ts";

export type DriftWatch = {
  /** Looks at all that is in force in one cluster, or in all of them. Throws where Redis is away. */
  sweep(cluster?: string): Promise<void>;
  /** Ends the watching; resolves when what is under way is done. */
  stop(): Promise<void>;
};

export type DriftParts = {
  readonly services: Services;
  readonly outletFor: (operation: Operation) => Outlet;
  /** How long changes are gathered before they are looked at, milliseconds. */
  readonly gatherMs?: number;
};

/** Where in a cluster something changed; undefined: it bears on all of it. */
type Where = string | undefined;

/**
 * Compares what is in force with the cluster: soon after a change that may bear on it was seen, and with each sweep. One
 * look at a time in each cluster, however many changes there are.
 */
export function createDriftWatch({ services, outletFor, gatherMs = 200 }: DriftParts): DriftWatch {
  const looks = new Map(
    [...services.clusters.keys()].map((name) => [name, createLooks(name, { services, outletFor, gatherMs })]),
  );
  const following = [...services.clusters.values()].flatMap(({ cluster }) => {
    const soon = (where: Where): void => looks.get(cluster.name)?.soon(where);
    return [
      cluster.followPolicies({
        onSights: (sights) => {
          for (const { object } of sights) soon(object.metadata.namespace);
        },
      }),
      cluster.onPodChange(podListener(soon)),
    ];
  });
  return {
    async sweep(name) {
      const asked = [...looks].filter(([cluster]) => name === undefined || cluster === name);
      const done = await Promise.allSettled(asked.map(([, one]) => one.now(undefined)));
      for (const one of done) if (one.status === "rejected") throw one.reason;
    },
    async stop() {
      for (const end of following) end();
      await Promise.all([...looks.values()].map((one) => one.stop()));
    },
  };
}

/** Of the pods those that are, or were, in a quarantine; and all whose labels change, since a workload's selector may lose them. */
function podListener(soon: (where: Where) => void): PodListener {
  return (change) => {
    const { labels, namespace } = change.value;
    const before = change.kind === "updated" ? change.before.labels : labels;
    const isMarked = labels[marks.quarantine] !== undefined || before[marks.quarantine] !== undefined;
    if (isMarked || canonicalJson(labels) !== canonicalJson(before)) soon(namespace);
  };
}

type Looks = {
  /** Looks after a while, with whatever else changes until then. */
  soon(where: Where): void;
  now(where: Where): Promise<void>;
  stop(): Promise<void>;
};

function createLooks(name: string, parts: Required<DriftParts>): Looks {
  const { services, gatherMs } = parts;
  let wanted = new Set<Where>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  const report = (error: unknown): void =>
    services.meter({ kind: "error", where: "drift", message: `${name}: ${String(error)}` });
  const look = async (places: ReadonlySet<Where>): Promise<void> => {
    const isAsked = (one: Operation): boolean =>
      places.has(undefined) || namespacesOf(one).some((namespace) => places.has(namespace));
    const seen = await lookAt(services, name, { isAsked, onProblem: report });
    await Promise.all(seen.map((one) => settle(parts, one, soon).catch(report)));
  };
  const now = (places: ReadonlySet<Where>): Promise<void> => {
    const next = running.catch(() => undefined).then(() => look(places));
    running = next;
    return next;
  };
  function soon(where: Where): void {
    if (isStopped) return;
    wanted.add(where);
    timer ??= setTimeout(() => {
      timer = undefined;
      const places = wanted;
      wanted = new Set();
      // What throws here is the store, which the sweep tells of.
      now(places).catch(() => undefined);
    }, gatherMs);
  }
  return {
    soon,
    now: (where) => now(new Set([where])),
    stop() {
      isStopped = true;
      clearTimeout(timer);
      return running.catch(() => undefined);
    },
  };
}

/** Stores what was seen, if the operation is still as it was before the cluster was read; whoever stores it tells it. */
async function settle({ services, outletFor }: DriftParts, seen: Seen, soon: (where: Where) => void): Promise<void> {
  const { operation } = seen;
  const at = services.now();
  const drift = afterLook(operation.drift, { ...seen, at });
  const untold = new Set(drift?.records.filter((record) => isUntold(record, at)));
  if (drift === undefined || (drift === operation.drift && untold.size === 0)) return;
  const authors = await authorsOf(
    services,
    operation,
    drift.records.filter((one) => one.state === "open" && untold.has(one)),
  );
  const most = services.settings.driftRestores ?? 0;
  const records = drift.records.map((record) => {
    if (!untold.has(record)) return record;
    const fights = isFight(operation, drift, record, most) ? { fights: most } : {};
    return { ...record, tellingAt: at, ...authors.get(record.id), ...fights };
  });
  const stored = await services.operations.replace({ ...operation, drift: { ...drift, records } });
  // Somebody else was first, or works at it: what was seen may be of that.
  if (stored === undefined) return soon(operation.target.namespace);
  const telling =
    stored.drift?.records.filter(({ tellingAt, toldAt }) => tellingAt === at && toldAt === undefined) ?? [];
  const outlet = outletFor(stored);
  await tellDrift(services, stored, { records: telling, outlet });
  await restoreByItself({ services, outlet }, stored, telling);
}

function isFight(operation: Operation, drift: Drifting, record: DriftRecord, most: number): boolean {
  return most > 0 && record.state === "open" && isRestoredAlone(operation, record) && !mayRestore(drift, record, most);
}

async function authorsOf(
  services: Services,
  operation: Operation,
  records: readonly DriftRecord[],
): Promise<ReadonlyMap<string, Authored>> {
  const found = await Promise.all(
    records.map(async (record) => [record.id, await authorOf(services, operation, record)] as const),
  );
  return new Map(found);
}
