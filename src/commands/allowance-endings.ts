import type { Cluster } from "../kubernetes/cluster.ts";
import type { Operation } from "../policy/operation.ts";
import type { Outlet } from "./desk.ts";
import type { Services } from "./services.ts";
import { type Gone, type GoneObject, tellGone } from "./tell-gone.ts";

/**
 * What is still to be told of allowances that ended. Closing waits for none of it; what could not be told is kept, and
 * told with the next sweep.
 */
export type Endings = {
  /** This replica closed it: told at once. */
  closed(cluster: Cluster, gone: GoneObject): void;
  /** The watch saw it go. Whoever closed it tells; where nobody has after some seconds, this replica does. */
  wentAway(cluster: Cluster, gone: GoneObject): void;
  /** Tells of those that are kept still, and of `operations`, of which the cluster has no object, where that is so twice. */
  settle(cluster: Cluster, operations: readonly Operation[]): Promise<void>;
  /** Resolves when what is under way is told, or could not be. */
  drain(): Promise<void>;
  stop(): void;
};

type Parts = { readonly services: Services; readonly outletFor: (operation: Operation) => Outlet };

/** How long whoever closed the last object has to say so, before others do. */
const othersAfterMs = 5_000;

export function createEndings(parts: Parts): Endings {
  const { kept, note, tell, drain } = createTelling(parts);
  const waiting = new Map<string, NodeJS.Timeout>();
  const missing = new Map<string, ReadonlySet<string>>();
  const stopWaiting = (operation: string): void => {
    clearTimeout(waiting.get(operation));
    waiting.delete(operation);
  };
  return {
    closed(cluster, gone) {
      const operation = note(cluster, gone);
      stopWaiting(operation);
      void tell(operation);
    },
    wentAway(cluster, gone) {
      const uid = gone.object.metadata.uid ?? "";
      if (kept.get(gone.known.operation)?.objects.has(uid) === true) return;
      const operation = note(cluster, gone);
      stopWaiting(operation);
      const end = (): void => {
        waiting.delete(operation);
        void tell(operation);
      };
      waiting.set(operation, setTimeout(end, othersAfterMs * (1 + Math.random())).unref());
    },
    async settle(cluster, operations) {
      const before = missing.get(cluster.name);
      missing.set(cluster.name, new Set(operations.map(({ id }) => id)));
      // Whoever closed it just now has the time until the next sweep to say so, and knows more.
      const found = operations.filter(({ id }) => before?.has(id) === true && !kept.has(id));
      for (const { id } of found) kept.set(id, goneFrom(cluster));
      const here = [...kept].filter(([id, { cluster: of }]) => of.name === cluster.name && !waiting.has(id));
      await Promise.all(here.map(([operation]) => tell(operation)));
    },
    drain,
    stop() {
      for (const operation of waiting.keys()) stopWaiting(operation);
    },
  };
}

/** What is kept until it is told, by operation. */
function createTelling({ services, outletFor }: Parts) {
  const kept = new Map<string, Gone>();
  const telling = new Map<string, Promise<void>>();
  return {
    kept,
    note: (cluster: Cluster, gone: GoneObject): string => {
      const { operation } = gone.known;
      const entry = kept.get(operation) ?? goneFrom(cluster);
      const uid = gone.object.metadata.uid ?? "";
      // Who closed it knows more than who saw it go.
      if (entry.objects.get(uid)?.net === undefined) entry.objects.set(uid, gone);
      kept.set(operation, entry);
      return operation;
    },
    tell: (operation: string): Promise<void> => {
      const entry = kept.get(operation);
      const running = telling.get(operation);
      if (entry === undefined || running !== undefined) return running ?? Promise.resolve();
      const told = tellGone({ services, outletFor }, operation, entry)
        .then((isTold) => void (isTold && kept.delete(operation)))
        .catch((error: unknown) => services.meter({ kind: "error", where: "end allowance", message: String(error) }))
        .finally(() => telling.delete(operation));
      telling.set(operation, told);
      return told;
    },
    drain: async (): Promise<void> => {
      await Promise.all(telling.values());
    },
  };
}

function goneFrom(cluster: Cluster): Gone {
  return { cluster, objects: new Map(), audited: undefined };
}
