import type { Records, StoredRecord } from "../kubernetes/records.ts";
import type { OperationState } from "../policy/operation.ts";
import { type LaptopRecord, readRecord } from "./laptop.ts";
import type { Services } from "./services.ts";

/** States in which the terminal that began the operation writes no more. */
const settled: readonly OperationState[] = ["in-force", "done", "refused", "cancelled", "failed"];

/** A terminal that was killed leaves its operation unfinished; after this it is adopted as it stands. */
const abandonedAfterMs = 10 * 60_000;

/**
 * Takes what terminals began without Redis over into operations and the audit chain, and removes the ConfigMap once
 * nothing more will be written to it. Entries keep their ids, so adopting twice is adopting once. Returns how many
 * records were taken over for good.
 */
export async function adoptRecords(services: Services, records: Records): Promise<number> {
  let adopted = 0;
  for (const stored of await records.list()) {
    const record = readRecord(stored.text);
    if (record === undefined) {
      services.meter({
        kind: "error",
        where: "adopt",
        message: `ConfigMap ${stored.name} holds no record that is known`,
      });
    } else if (await adopt(services, records, stored, record)) adopted += 1;
  }
  return adopted;
}

async function adopt(
  services: Services,
  records: Records,
  stored: StoredRecord,
  record: LaptopRecord,
): Promise<boolean> {
  const { operation, entries } = record;
  for (const entry of entries) await services.audit.append(entry);
  const finished = settled.includes(operation.state) || services.now() - operation.origin.at > abandonedAfterMs;
  if (!finished) return false;
  if (entries.length > 0) await appendAdoption(services, record);
  const accepted = await services.operations.accept({ ...operation, revision: 0 });
  if (accepted.kind === "collision")
    throw new Error(`the id ${operation.id} is taken; its ConfigMap ${stored.name} stays`);
  return (await records.remove(stored)) === "deleted";
}

async function appendAdoption(services: Services, { operation, entries }: LaptopRecord): Promise<void> {
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
    summary: `adopted from a terminal without Redis, who acted is as it said: ${entries.length} entries, state ${operation.state}`,
    replica: services.replica,
  });
}
