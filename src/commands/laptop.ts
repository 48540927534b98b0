import { z } from "zod";
import type { NewEntry } from "../audit/entry.ts";
import type { AuditLog } from "../audit/log.ts";
import type { Records, StoredRecord } from "../kubernetes/records.ts";
import { isLive, type Operation } from "../policy/operation.ts";
import type { Incidents } from "../scheduler/incidents.ts";
import type { Leases } from "../scheduler/leases.ts";
import type { Limits } from "../scheduler/limits.ts";
import type { Operations } from "../scheduler/operations.ts";

/** What one ConfigMap holds: an operation that began without Redis, and the audit entries that it wrote so far. */
export type LaptopRecord = {
  readonly version: 1;
  readonly operation: Operation;
  readonly entries: readonly NewEntry[];
};

/** Where an operation of a terminal is kept while Redis cannot be reached. */
export type Journal = {
  readonly operations: Operations;
  readonly leases: Leases;
  readonly audit: AuditLog;
  readonly incidents: Incidents;
  readonly limits: Limits;
};

const shape = z.object({
  version: z.literal(1),
  operation: z.looseObject({ id: z.string(), version: z.literal([1, 2, 3]), revision: z.number() }),
  entries: z.array(z.looseObject({ id: z.string() })),
});

/** The record in the text of a ConfigMap; undefined where it is none, or of a version that is not known. */
export function readRecord(text: string): LaptopRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return shape.safeParse(value).success ? (value as LaptopRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Deterministic, so that the same operation collides with itself. */
export function recordName(operation: string): string {
  return `bulkhead-${operation}`;
}

/**
 * Operations and audit of a terminal that reaches no Redis: one ConfigMap per operation in the bot's namespace, written
 * before anything else (invariant 1). The running bot adopts it (adopt.ts). There is no history here to read: what needs
 * one (release of an adopted operation, audit) throws or finds nothing, and so refuses.
 */
export function createLaptopJournal(records: Records): Journal {
  return {
    operations: laptopOperations(records),
    leases: noLeases,
    audit: laptopAudit(records),
    incidents: noIncidents,
    limits: noLimits,
  };
}

/** A terminal has no channel, so nobody asks. */
const noIncidents: Incidents = {
  get: () => Promise.reject(new Error("incidents of channels are in Redis, which cannot be reached")),
  set: () => Promise.reject(new Error("incidents of channels are in Redis, which cannot be reached")),
};

/** There is nowhere to count, and containing does not wait for it. */
const noLimits: Limits = { count: () => Promise.resolve({ kind: "counted" }) };

/** What one terminal began, no other takes over. */
const noLeases: Leases = {
  claim: () => Promise.resolve([]),
  renew: () => Promise.resolve(true),
  postpone: () => Promise.resolve(true),
  end: () => Promise.resolve(true),
};

function laptopOperations(records: Records): Operations {
  const load = async (id: string): Promise<Operation | undefined> => (await find(records, id))?.record.operation;
  return {
    async accept(operation) {
      const text = JSON.stringify({ version: 1, operation, entries: [] } satisfies LaptopRecord);
      const created = await records.create(recordName(operation.id), text);
      if (created === "created") return { kind: "accepted", operation, lease: undefined };
      const existing = await load(operation.id);
      return existing?.delivery === operation.delivery
        ? { kind: "duplicate", operation: existing }
        : { kind: "collision" };
    },
    get: load,
    async startingWith(prefix, after = "") {
      const all = await records.list();
      const ids = all.flatMap(({ text }) => readRecord(text)?.operation.id ?? []);
      return ids
        .filter((id) => id.startsWith(prefix) && id > after)
        .toSorted()
        .slice(0, 10);
    },
    async list({ namespace, live }) {
      const all = (await records.list()).flatMap(({ text }) => readRecord(text)?.operation ?? []);
      return all
        .filter(({ target }) => namespace === undefined || target.namespace === namespace)
        .filter((operation) => live !== true || isLive(operation))
        .toSorted((a, b) => b.origin.at - a.origin.at);
    },
    async replace(next) {
      const found = await find(records, next.id);
      if (found === undefined || found.record.operation.revision !== next.revision) return undefined;
      const operation = { ...next, revision: next.revision + 1 };
      const written = await records.replace(found.stored, JSON.stringify({ ...found.record, operation }));
      return written === "replaced" ? operation : undefined;
    },
    async replaceAndHold(next) {
      const operation = await this.replace(next);
      return operation === undefined ? undefined : { operation, lease: undefined };
    },
    firstDelivery: () => Promise.resolve(true),
  };
}

function laptopAudit(records: Records): AuditLog {
  return {
    async append(entry) {
      if (entry.operation === undefined) throw new Error("without Redis only operations are recorded");
      const found = await find(records, entry.operation);
      if (found === undefined) throw new Error(`the record of ${entry.operation} is not there`);
      const { record, stored } = found;
      if (record.entries.some(({ id }) => id === entry.id)) return { kind: "pending", id: entry.id };
      const text = JSON.stringify({ ...record, entries: [...record.entries, entry] } satisfies LaptopRecord);
      if ((await records.replace(stored, text)) === "replaced") return { kind: "pending", id: entry.id };
      return this.append(entry);
    },
    head: () => Promise.reject(new Error("the audit chain is in Redis, which cannot be reached")),
    find: () => Promise.resolve(undefined),
    read: () => Promise.reject(new Error("the audit log is in Redis, which cannot be reached")),
    health: () => Promise.reject(new Error("the audit log is in Redis, which cannot be reached")),
  };
}

async function find(
  records: Records,
  id: string,
): Promise<{ readonly stored: StoredRecord; readonly record: LaptopRecord } | undefined> {
  const stored = await records.get(recordName(id));
  const record = stored === undefined ? undefined : readRecord(stored.text);
  return stored === undefined || record === undefined ? undefined : { stored, record };
}
