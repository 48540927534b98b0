import type { Records, StoredRecord } from "../kubernetes/records.ts";
import type { Operation, OperationState } from "../policy/operation.ts";
import type { Accepted } from "../scheduler/operations.ts";
import { progressOf } from "./fallback.ts";
import { type LaptopRecord, readRecord } from "./laptop.ts";
import { markLifted } from "./lift.ts";
import { amend, type Services } from "./services.ts";

/** States in which whoever began the operation writes no more. */
const settled: readonly OperationState[] = ["in-force", "done", "refused", "cancelled", "failed"];

/** A terminal that was killed leaves its operation unfinished; after this it is adopted as it stands. */
const abandonedAfterMs = 10 * 60_000;

/** A replica that takes no step for so long is gone, or so slow that another may go on beside it. */
export const stalledAfterMs = 30_000;

/** `left`: records that are not taken over for good yet. `taken`: operations that are in Redis from now on. */
export type Adopted = { readonly left: number; readonly taken: readonly Operation[] };

/**
 * Takes what was begun without Redis, by terminals and by replicas, over into operations and the audit chain, and
 * removes the ConfigMap once nothing more will be written to it. `services` are those of Redis itself, without
 * fallback. Entries keep their ids, so adopting twice is adopting once.
 */
export async function adoptRecords(services: Services, records: Records): Promise<Adopted> {
  const all = await records.list();
  const taken: Operation[] = [];
  for (const stored of all) {
    const record = readRecord(stored.text);
    const operation = record === undefined ? unreadable(services, stored) : await adopt(services, stored, record);
    if (operation !== undefined && (await records.remove(stored)) === "deleted") taken.push(operation);
  }
  return { left: all.length - taken.length, taken };
}

function unreadable(services: Services, { name }: StoredRecord): undefined {
  services.meter({ kind: "error", where: "adopt", message: `ConfigMap ${name} holds no record that is known` });
}

/** The operation as it is in Redis then; undefined where somebody still works at it. */
async function adopt(services: Services, stored: StoredRecord, record: LaptopRecord): Promise<Operation | undefined> {
  const { operation, entries } = record;
  for (const entry of entries) await services.audit.append(entry);
  if (!isFree(operation, services.now())) return undefined;
  if (entries.length > 0) await appendAdoption(services, record);
  const { kept: _kept, ...adopted } = operation;
  const accepted = await services.operations.accept({ ...adopted, revision: 0 });
  if (accepted.kind === "collision")
    throw new Error(`the id ${operation.id} is taken; its ConfigMap ${stored.name} stays`);
  const current = await merge(services, accepted, adopted);
  if (current.kind === "release" && current.state === "done") await lifted(services, current);
  return current;
}

/** What a terminal confirms nobody else sees; a replica's plan lies on a card, and whoever presses looks in Redis. */
function isFree({ state, origin, steps, kept }: Operation, now: number): boolean {
  if (settled.includes(state) || now - origin.at > abandonedAfterMs) return true;
  if (kept !== true) return false;
  const isPlan = state === "planned" || state === "awaiting-second";
  return isPlan || now - (steps.at(-1)?.at ?? origin.at) > stalledAfterMs;
}

/** Redis may know it as it was when it went away: the further of both holds. What still runs is taken over by lease. */
async function merge(
  services: Services,
  accepted: Exclude<Accepted, { kind: "collision" }>,
  adopted: Operation,
): Promise<Operation> {
  if (accepted.kind === "accepted") {
    if (accepted.lease !== undefined && adopted.state !== "running") await services.leases.end(accepted.lease);
    return accepted.operation;
  }
  return amend(services, adopted.id, (now) =>
    progressOf(now) >= progressOf(adopted) ? now : { ...adopted, revision: now.revision },
  );
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
    object: `Pod ${operation.target.namespace}/${operation.target.pod}`,
    actor: { kind: "scheduler" },
    where: { source: "cluster" },
    summary: `${from}: ${entries.length} entries, state ${operation.state}`,
    replica: services.replica,
  });
}
