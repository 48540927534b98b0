import type { Redis } from "ioredis";
import type { Operation } from "../policy/operation.ts";
import { acceptRecord, isLive, keys, markSeen, readRecords, replaceRecord } from "./operation-store.ts";

/** `duplicate`: this delivery was recorded before, as `operation`. `collision`: the id belongs to another delivery. */
export type Accepted =
  | { readonly kind: "accepted" | "duplicate"; readonly operation: Operation }
  | { readonly kind: "collision" };

export type OperationFilter = {
  readonly namespace?: string;
  /** Operations that are neither ended nor merely planned: states `running` and `in-force`. */
  readonly live?: boolean;
};

/**
 * The operations that were accepted. What is returned as stored survives a crash of any replica. Throws where the
 * store cannot be reached: then nothing was accepted.
 */
export type Operations = {
  /** Records the operation and its delivery in one atomic step. */
  accept(operation: Operation): Promise<Accepted>;
  get(id: string): Promise<Operation | undefined>;
  /** Ids that begin with the text, at most 10. */
  startingWith(prefix: string): Promise<readonly string[]>;
  /** Newest first. */
  list(filter: OperationFilter): Promise<readonly Operation[]>;
  /**
   * Stores `next` if the stored revision is still `next.revision`; the stored one then has the next revision.
   * Undefined where somebody else was first: read again and decide again.
   */
  replace(next: Operation): Promise<Operation | undefined>;
  /** Whether the delivery of a command that records no operation is seen for the first time (kept for 1 h). */
  firstDelivery(delivery: string): Promise<boolean>;
};

export type OperationsOptions = {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long an operation is kept after its last change, unless it is live: then for ever. Default 90 days. */
  readonly keepMs?: number;
};

/** Operations in Redis. Reading one of a newer format version throws, and names it. */
export function createOperations(redis: Redis, { now, keepMs = 90 * 86_400_000 }: OperationsOptions): Operations {
  const moment = () => ({ now: now(), keepMs });
  const load = async (ids: readonly string[]): Promise<readonly Operation[]> =>
    (await readRecords(redis, ids)).flatMap((json) => (json === undefined ? [] : [parsed(json)]));

  return {
    async accept(operation) {
      const [kind, json] = await acceptRecord(redis, operation, moment());
      return kind === "collision" ? { kind } : { kind, operation: parsed(json) };
    },
    get: async (id) => (await load([id]))[0],
    startingWith: (prefix) => redis.zrangebylex(keys.names, `[${prefix}`, `[${prefix}\u{10ffff}`, "LIMIT", 0, 10),
    async list({ namespace, live = false }) {
      const key = live ? keys.live : namespace === undefined ? keys.all : keys.namespace(namespace);
      const found = await load(await redis.zrevrange(key, 0, -1));
      return found.filter((operation) =>
        matches(operation, { live, ...(namespace === undefined ? {} : { namespace }) }),
      );
    },
    async replace(next) {
      const stored = { ...next, revision: next.revision + 1 };
      return (await replaceRecord(redis, stored, next.revision, moment())) ? stored : undefined;
    },
    firstDelivery: (delivery) => markSeen(redis, delivery),
  };
}

/** The index may be a moment older or newer than the records that were read after it. */
function matches(operation: Operation, { namespace, live }: OperationFilter): boolean {
  if (live === true && !isLive(operation)) return false;
  return namespace === undefined || operation.target.namespace === namespace;
}

function parsed(json: string): Operation {
  const operation = JSON.parse(json) as Omit<Operation, "version"> & { readonly version: number };
  const { id, version } = operation;
  if (version !== 1) throw new Error(`operation ${id} has format version ${version}; this version of Bulkhead knows 1`);
  return { ...operation, version };
}
