import type { Records, StoredRecord } from "../kubernetes/records.ts";
import { isUndecided, type Operation, type OperationState } from "../policy/operation.ts";
import { targetKind, targetPath } from "../policy/target.ts";
import type { Accepted } from "../scheduler/operations.ts";
import { progressOf } from "./fallback.ts";
import { type LaptopRecord, readRecord, recordName } from "./laptop.ts";
import { markLifted } from "./lift.ts";
import { type Services, store, storeAndHold } from "./services.ts";
import { historyOf } from "./terminal-record.ts";

/** States in which whoever began the operation writes no more. */
const settled: readonly OperationState[] = ["in-force", "done", "refused", "cancelled", "failed"];

/** A terminal that was killed leaves its operation unfinished; after this it is adopted as it stands. */
const abandonedAfterMs = 10 * 60_000;

/** A replica that takes no step for so long is gone, or so slow that another may go on beside it. */
export const stalledAfterMs = 30_000;

/** `left`: records that are not taken over for good yet. `taken`: operations that are in Redis from now on. */
export type Adopted = { readonly left: number; readonly taken: readonly Operation[] };

/** The same ConfigMaps twice: `all` as anybody may have written them, `sealed` those of replicas alone (seal.ts). */
export type Kept = { readonly all: Records; readonly sealed: Records };

/**
 * Takes what was begun without Redis, by terminals and by replicas, over into operations and the audit chain, and
 * removes the ConfigMap once nothing more will be written to it. `services` are those of Redis itself, without
 * fallback. Entries keep their ids, so adopting twice is adopting once. A record that cannot be taken over holds up no
 * other; where Redis is away it throws.
 */
export async function adoptRecords(services: Services, kept: Kept): Promise<Adopted> {
  await services.audit.head();
  const all = await kept.all.list();
  const sealed = new Map((await kept.sealed.list()).map((stored) => [stored.uid, stored]));
  const taken: Operation[] = [];
  for (const stored of all) {
    try {
      const ours = sealed.get(stored.uid);
      const operation = await (ours === undefined ? adoptHistory(services, stored) : adopt(services, ours));
      if (operation !== undefined && (await kept.all.remove(stored)) === "deleted") taken.push(operation);
    } catch (error) {
      services.meter({ kind: "error", where: "adopt", message: `ConfigMap ${stored.name}: ${String(error)}` });
    }
  }
  return { left: all.length - taken.length, taken };
}

/** What a replica kept: the operation as it is in Redis then; undefined where somebody still works at it. */
async function adopt(services: Services, stored: StoredRecord): Promise<Operation | undefined> {
  const record = readRecord(stored.text);
  if (record === undefined) throw new Error("it holds no record that is known");
  const { operation, entries } = record;
  for (const entry of entries) await services.audit.append(entry);
  if (!isFree(operation, services.now())) return undefined;
  if (entries.length > 0) await appendAdoption(services, record);
  const { kept: _kept, ...adopted } = operation;
  const accepted = await services.operations.accept({ ...adopted, revision: 0 });
  if (accepted.kind === "collision") throw new Error(`the id ${operation.id} is taken`);
  const current = await merge(services, accepted, adopted);
  if (current.kind === "release" && current.state === "done") await lifted(services, current);
  return current;
}

/** What a terminal wrote, or somebody who may write ConfigMaps: recorded as history, and nothing is done by it. */
async function adoptHistory(services: Services, { name, text }: StoredRecord): Promise<Operation | undefined> {
  const written = readRecord(text);
  const record = written === undefined ? undefined : historyOf(written);
  if (written === undefined || record === undefined || name !== recordName(record.operation.id)) {
    throw new Error("it holds no record that a terminal writes");
  }
  if (isBeingWritten(written.operation, services.now())) return undefined;
  // The id first: entries of an operation that is another's would stand in the way of that one's own.
  const accepted = await services.operations.accept(record.operation);
  if (accepted.kind === "collision") throw new Error(`the id ${record.operation.id} is taken`);
  if (accepted.kind === "accepted" && accepted.lease !== undefined) await services.leases.end(accepted.lease);
  for (const entry of record.entries) await services.audit.append(entry);
  if (record.entries.length > 0) await appendAdoption(services, record);
  return accepted.operation;
}

function isBeingWritten({ state, origin }: Operation, now: number): boolean {
  return !settled.includes(state) && now - origin.at <= abandonedAfterMs;
}

/** A replica's plan lies on a card, and whoever presses looks in Redis. */
function isFree({ state, origin, steps }: Operation, now: number): boolean {
  if (settled.includes(state) || now - origin.at > abandonedAfterMs) return true;
  return isUndecided(state) || now - (steps.at(-1)?.at ?? origin.at) > stalledAfterMs;
}

/** Redis may know it as it was when it went away: the further of both holds. What still runs is taken over by lease. */
async function merge(
  services: Services,
  accepted: Exclude<Accepted, { kind: "collision" }>,
  adopted: Operation,
): Promise<Operation> {
  if (accepted.kind === "accepted") {
    if (accepted.lease !== undefined && owesNothing(adopted)) await services.leases.end(accepted.lease);
    return accepted.operation;
  }
  const { operation: known } = accepted;
  if (progressOf(known) >= progressOf(adopted)) return known;
  const next = { ...adopted, revision: known.revision };
  return owesNothing(adopted) ? store(services, next) : (await storeAndHold(services, next)).operation;
}

/** What is not planned, not shown or not finished keeps a lease: it lapses, and a replica does what is missing. */
function owesNothing({ state, card }: Operation): boolean {
  return settled.includes(state) || (isUndecided(state) && card !== undefined);
}

/** A release that ended while Redis was away could not say so of its quarantine. */
async function lifted(services: Services, { id, lifts }: Operation): Promise<void> {
  const quarantine = lifts === undefined ? undefined : await services.operations.get(lifts);
  if (quarantine !== undefined && quarantine.state !== "done") await markLifted(services, quarantine, id);
}

async function appendAdoption(services: Services, { operation, entries }: LaptopRecord): Promise<void> {
  const from =
    operation.kept === true
      ? "kept in the cluster while Redis was away"
      : "adopted from a terminal without Redis, who acted is as it said";
  await services.audit.append({
    id: `${operation.id}:adopted`,
    kind: "adopted",
    at: new Date(services.now()).toISOString(),
    operation: operation.id,
    ...(operation.incident === undefined ? {} : { incident: operation.incident }),
    verb: operation.kind,
    cluster: operation.target.cluster,
    namespace: operation.target.namespace,
    object: `${targetKind(operation.target)} ${targetPath(operation.target)}`,
    actor: { kind: "scheduler" },
    where: { source: "cluster" },
    summary: `${from}: ${entries.length} entries, state ${operation.state}`,
    replica: services.replica,
  });
}
