import type { Redis } from "ioredis";
import { isLive, type Operation } from "../policy/operation.ts";
import type { Lease } from "./leases.ts";
import { acceptRecord, keys, markSeen, readRecords, replaceRecord } from "./operation-store.ts";
import { parseOperation } from "./stored-operation.ts";

/**
 * `duplicate`: this delivery was recorded before, as `operation`. `collision`: the id belongs to another delivery.
 * Without a lease nobody takes the operation over (a store that several replicas do not share).
 */
export type Accepted =
  | { readonly kind: "accepted"; readonly operation: Operation; readonly lease: Lease | undefined }
  | { readonly kind: "duplicate"; readonly operation: Operation }
  | { readonly kind: "collision" };

/** An operation as stored, with the lease of whoever stored it. */
export type Held = { readonly operation: Operation; readonly lease: Lease | undefined };

export type OperationFilter = {
  readonly namespace?: string;
  /** Operations that are neither ended nor merely planned: see isLive. */
  readonly live?: boolean;
  /** Told of each one that is stored and cannot be read (see parseOperation). */
  readonly onProblem?: OnProblem;
};

type OnProblem = (id: string, error: unknown) => void;

/**
 * The operations that were accepted. What is returned as stored survives a crash of any replica. Throws where the
 * store cannot be reached: then nothing was accepted.
 */
export type Operations = {
  /** Records the operation and its delivery, and gives its lease, in one atomic step. */
  accept(operation: Operation): Promise<Accepted>;
  get(id: string): Promise<Operation | undefined>;
  /** Ids that begin with the text, in their order, at most 10; the next ones by `after`, the last of those before. */
  startingWith(prefix: string, after?: string): Promise<readonly string[]>;
  /** Newest first, without those that cannot be read: one of a newer format, or a forged one, hides no other. */
  list(filter: OperationFilter): Promise<readonly Operation[]>;
  /**
   * Stores `next` if the stored revision is still `next.revision`; the stored one then has the next revision.
   * Undefined where somebody else was first, or where `lease` is given and lost: read again and decide again.
   */
  replace(next: Operation, lease?: Lease): Promise<Operation | undefined>;
  /** The same, and takes the operation's lease in the same step, from whoever has it. */
  replaceAndHold(next: Operation): Promise<Held | undefined>;
  /** Live ones that lie elsewhere while the store is away; absent where there is no such place. */
  kept?(): Promise<readonly Operation[]>;
  /** Whether the delivery of a command that records no operation is seen for the first time (kept for 1 h). */
  firstDelivery(delivery: string): Promise<boolean>;
};

/** Operations in a store that holds them all. */
export type StoredOperations = Operations & {
  /** Ids of those that are live, also of such as cannot be read here. */
  liveIds(): Promise<readonly string[]>;
};

export type OperationsOptions = {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long an operation is kept after its last change, unless it is live: then for ever. Default 90 days. */
  readonly keepMs?: number;
  /** Told once of each one that a list left out. */
  readonly onProblem?: OnProblem;
};

/** Operations in Redis. Getting one that cannot be read throws, and names it. */
export function createOperations(
  redis: Redis,
  { now, keepMs = 90 * 86_400_000, onProblem }: OperationsOptions,
): StoredOperations {
  const moment = () => ({ now: now(), keepMs });

  return {
    async accept(operation) {
      const [kind, json, generation] = await acceptRecord(redis, operation, moment());
      if (kind === "collision") return { kind };
      if (kind === "duplicate") return { kind, operation: parseOperation(json) };
      return { kind, operation: parseOperation(json), lease: { operation: operation.id, generation } };
    },
    async get(id) {
      const [json] = await readRecords(redis, [id]);
      return json === undefined ? undefined : parseOperation(json, id);
    },
    startingWith: (prefix, after) => {
      const from = after === undefined ? `[${prefix}` : `(${after}`;
      return redis.zrangebylex(keys.names, from, `[${prefix}\u{10ffff}`, "LIMIT", 0, 10);
    },
    liveIds: () => redis.zrevrange(keys.live, 0, -1),
    list: createList(redis, onProblem),
    async replace(next, lease) {
      const stored = { ...next, revision: next.revision + 1 };
      const done = await replaceRecord(redis, stored, moment(), { fence: lease?.generation });
      return done === 0 ? undefined : stored;
    },
    async replaceAndHold(next) {
      const operation = { ...next, revision: next.revision + 1 };
      const generation = await replaceRecord(redis, operation, moment(), { claim: true });
      return generation === 0 ? undefined : { operation, lease: { operation: operation.id, generation } };
    },
    firstDelivery: (delivery) => markSeen(redis, delivery),
  };
}

function createList(redis: Redis, onProblem: OnProblem = () => undefined): Operations["list"] {
  const tell = onlyOnce(onProblem);
  return async ({ namespace, live = false, onProblem: also }) => {
    const key = live ? keys.live : namespace === undefined ? keys.all : keys.namespace(namespace);
    const ids = await redis.zrevrange(key, 0, -1);
    const records = await readRecords(redis, ids);
    const skipped: OnProblem = (id, error) => {
      tell(id, error);
      also?.(id, error);
    };
    return ids
      .flatMap((id, index) => readable(id, records[index], skipped))
      .filter((operation) => matches(operation, { live, ...(namespace === undefined ? {} : { namespace }) }));
  };
}

/** The index may be a moment older or newer than the records that were read after it. */
function matches(operation: Operation, { namespace, live }: OperationFilter): boolean {
  if (live === true && !isLive(operation)) return false;
  return namespace === undefined || operation.target.namespace === namespace;
}

function readable(id: string, json: string | undefined, onProblem: OnProblem): readonly Operation[] {
  try {
    return json === undefined ? [] : [parseOperation(json, id)];
  } catch (error) {
    onProblem(id, error);
    return [];
  }
}

/** Lists are read every few seconds. */
function onlyOnce(tell: OnProblem): OnProblem {
  const told = new Set<string>();
  return (id, error) => {
    const problem = `${id} ${String(error)}`;
    if (told.has(problem)) return;
    if (told.size >= 1_000) told.clear();
    told.add(problem);
    tell(id, error);
  };
}
