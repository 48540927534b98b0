import type { AuditLog } from "../audit/log.ts";
import { KubernetesError } from "../kubernetes/failure.ts";
import type { Records } from "../kubernetes/records.ts";
import { isContaining, type Operation, type OperationState } from "../policy/operation.ts";
import type { Held, Operations } from "../scheduler/operations.ts";
import { createLaptopJournal, type Journal } from "./laptop.ts";

/** The bot's journal, and whether what was kept in the cluster is all in Redis again. */
export type FallbackJournal = Journal & {
  /** To be told when the cluster was seen to hold no record: until the next one is kept, nobody looks there again. */
  noneKept(): void;
};

/**
 * Operations and audit in Redis, and while it is away those of what contains in ConfigMaps of the bot's own namespace:
 * a quarantine goes on and its buttons work. What widens is not accepted then; a deed that was begun is recorded
 * wherever there is a place for it. The ConfigMap's name follows from the delivery, so that duplicates collide.
 */
export function withFallback(redis: Journal, records: Records): FallbackJournal {
  const cluster = createLaptopJournal(records);
  const state = { mayHold: true };
  return {
    operations: fallbackOperations(redis.operations, cluster.operations, state),
    leases: redis.leases,
    incidents: redis.incidents,
    limits: redis.limits,
    audit: fallbackAudit(redis.audit, cluster.audit),
    noneKept() {
      state.mayHold = false;
    },
  };
}

type State = { mayHold: boolean };

function fallbackOperations(redis: Operations, cluster: Operations, state: State): Operations {
  const keep = async (next: Operation): Promise<Operation | undefined> => {
    state.mayHold = true;
    const operation: Operation = { ...next, kept: true, revision: next.revision + 1 };
    const { kind } = await cluster.accept(operation);
    return kind === "accepted" ? operation : undefined;
  };
  /** Where it lies; in the cluster where Redis is away and it may be kept there. */
  const write = async <T>(next: Operation, change: Change<T>): Promise<T | undefined> => {
    if (next.kept === true) return change.kept(await cluster.replace(next));
    try {
      return await change.redis();
    } catch (error) {
      if (isOfCluster(error) || !mayBeKept(next)) throw error;
      return change.kept(await keep(next));
    }
  };
  return {
    ...redis,
    async accept(operation) {
      try {
        return await redis.accept(operation);
      } catch (error) {
        if (!isContaining(operation.kind)) throw error;
        state.mayHold = true;
        return cluster.accept({ ...operation, kept: true });
      }
    },
    get: (id) => find(id, redis, cluster, state),
    kept: () => cluster.list({ live: true }),
    async startingWith(prefix, after) {
      const found = await redis.startingWith(prefix, after).catch((error: unknown) => ({ error }));
      if (!("error" in found) && (found.length > 0 || !state.mayHold)) return found;
      const kept = await cluster.startingWith(prefix, after).catch(() => []);
      // A later page of what is kept may be empty; a first one only says that the cluster does not know either.
      if (after === undefined && kept.length === 0 && "error" in found) throw found.error;
      return kept;
    },
    replace: (next, lease) => write(next, { redis: () => redis.replace(next, lease), kept: (operation) => operation }),
    replaceAndHold: (next) => write<Held>(next, { redis: () => redis.replaceAndHold(next), kept: unleased }),
  };
}

type Change<T> = {
  readonly redis: () => Promise<T | undefined>;
  /** The answer for an operation that is kept in the cluster. */
  readonly kept: (operation: Operation | undefined) => T | undefined;
};

function unleased(operation: Operation | undefined): Held | undefined {
  return operation === undefined ? undefined : { operation, lease: undefined };
}

/** One that was kept may be newer than what Redis held when it went away; one that Redis does not know may be kept. */
async function find(
  id: string,
  redis: Operations,
  cluster: Operations,
  { mayHold }: State,
): Promise<Operation | undefined> {
  const asked = await redis.get(id).then(
    (operation) => ({ operation }),
    (error: unknown) => ({ operation: undefined, error }),
  );
  // One that is accepted and not planned may have lost its answer on the way, and be kept by whoever waited for it.
  if (asked.operation !== undefined && asked.operation.state !== "accepted" && !mayHold) return asked.operation;
  const kept = await cluster.get(id).catch((error: unknown) => {
    // Whoever takes it over would carry it out a second time.
    if (asked.operation?.state === "accepted") throw error;
    return undefined;
  });
  if (kept !== undefined && kept.kept === true) return further(asked.operation, kept);
  if ("error" in asked) throw asked.error;
  return asked.operation;
}

const order: readonly OperationState[] = [
  "accepted",
  "planned",
  "awaiting-second",
  "awaiting-approval",
  // It wrote nothing: whatever was begun under the same id elsewhere has come further.
  "refused",
  "running",
  "failed",
  "in-force",
];

/** How far an operation has come; ends of every kind are furthest. */
export function progressOf({ state }: Operation): number {
  const at = order.indexOf(state);
  return at < 0 ? order.length : at;
}

function further(stored: Operation | undefined, kept: Operation): Operation {
  return stored !== undefined && progressOf(stored) > progressOf(kept) ? stored : kept;
}

/** What contains, and the end of whatever was begun; never the beginning of what widens. */
function mayBeKept({ kind, state }: Operation): boolean {
  return isContaining(kind) || state === "done" || state === "failed";
}

function isOfCluster(error: unknown): boolean {
  return error instanceof KubernetesError;
}

/** What could not be chained lies beside its operation in the cluster, too: a disk goes with its pod. */
function fallbackAudit(chain: AuditLog, cluster: AuditLog): AuditLog {
  return {
    ...chain,
    async append(entry, options) {
      const appended = await chain.append(entry, options);
      if (appended.kind === "chained" || entry.operation === undefined) return appended;
      const kept = await cluster.append(entry).catch(() => undefined);
      return appended.kind === "told-only" && kept !== undefined ? kept : appended;
    },
  };
}
