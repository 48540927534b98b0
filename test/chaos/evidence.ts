import type { Redis } from "ioredis";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { type Verified, verifyChain } from "../../src/audit/verify.ts";
import { progressOf } from "../../src/commands/fallback.ts";
import type { Connection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Labels, NetworkPolicySpec } from "../../src/policy/objects.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import type { Recorded, Recording } from "../cluster/recording.ts";
import type { ClusterWrite } from "./cluster-writes.ts";
import { type Kept, nothingKept } from "./kept.ts";

/** A pod or a policy as the API server holds it. */
export type Stored = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly labels?: Labels;
    readonly deletionTimestamp?: string;
  };
  readonly spec: NetworkPolicySpec;
};

/** Everything that the invariants are judged by, read at one moment. */
export type Evidence = {
  /** All policies of the namespaces that bear our label. */
  readonly policies: readonly Stored[];
  /** All pods of the namespaces. */
  readonly pods: readonly Stored[];
  readonly operations: readonly Operation[];
  /** The chain as far as it can be read. */
  readonly entries: readonly ChainedEntry[];
  /** The same, read after the operations: what came of each of them by then is in it. */
  readonly later: readonly ChainedEntry[];
  readonly chain: Verified;
  /** What lies elsewhere because Redis was away; its operations are among `operations`. */
  readonly kept: Kept;
  /** Writes to the cluster that went through a proxy. */
  readonly writes: readonly ClusterWrite[];
  /** What the watches of each namespace showed, in the server's order. */
  readonly recorded: readonly (readonly Recorded[])[];
  /** Whether nothing is under way: then nothing may be half done. */
  readonly settled: boolean;
};

export type Sources = {
  /** Past every proxy, with the rights to read everything. */
  readonly admin: Connection;
  /** Past every proxy. */
  readonly redis: Redis;
  /** All in which the bots may write. */
  readonly namespaces: readonly string[];
  readonly writes: () => readonly ClusterWrite[];
  /** Nothing where absent. */
  readonly kept?: () => Promise<Kept>;
  readonly recordings: readonly Recording[];
};

/** Reads everything anew. Operations come after cluster and chain: whatever those show must be in them by then. */
export async function gather(sources: Sources, settled: boolean): Promise<Evidence> {
  const { admin, redis } = sources;
  const everywhere = async (path: (namespace: string) => string, labelSelector?: string) =>
    (await Promise.all(sources.namespaces.map((one) => list(admin, path(one), labelSelector)))).flat();
  const policies = await everywhere(
    (one) => `/apis/networking.k8s.io/v1/namespaces/${one}/networkpolicies`,
    marks.operation,
  );
  const pods = await everywhere((one) => `/api/v1/namespaces/${one}/pods`);
  const kept = (await sources.kept?.()) ?? nothingKept;
  const audit = createAuditLog(redis, { onEntry: () => undefined });
  const head = await audit.head();
  const entries = await allOf(audit);
  const operations = together(await createOperations(redis, { now: Date.now }).list({}), kept.operations);
  return {
    policies,
    pods,
    chain: await verifyChain(entries, head),
    entries,
    later: await allOf(audit),
    kept,
    operations,
    writes: sources.writes(),
    recorded: sources.recordings.map((recording) => recording.events()),
    settled,
  };
}

async function allOf(audit: Pick<ChainStore, "all">): Promise<readonly ChainedEntry[]> {
  const entries: ChainedEntry[] = [];
  for await (const entry of audit.all()) entries.push(entry as ChainedEntry);
  return entries;
}

/** Of an operation that lies in both places the one that has come further. */
function together(stored: readonly Operation[], kept: readonly Operation[]): readonly Operation[] {
  const all = new Map(kept.map((operation) => [operation.id, operation]));
  for (const operation of stored) {
    const other = all.get(operation.id);
    if (other === undefined || progressOf(operation) >= progressOf(other)) all.set(operation.id, operation);
  }
  return [...all.values()];
}

async function list(admin: Connection, path: string, labelSelector?: string): Promise<readonly Stored[]> {
  const query = labelSelector === undefined ? {} : { labelSelector };
  return ((await admin.request("GET", path, { query })) as { items: readonly Stored[] }).items;
}
