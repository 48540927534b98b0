import type { Redis } from "ioredis";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { createAuditLog } from "../../src/audit/log.ts";
import { type Verified, verifyChain } from "../../src/audit/verify.ts";
import type { Connection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Labels, NetworkPolicySpec } from "../../src/policy/objects.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { createOperations } from "../../src/scheduler/operations.ts";
import type { Recorded, Recording } from "../cluster/recording.ts";
import type { ClusterWrite } from "./cluster-writes.ts";

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
  /** All policies that bear our label, of the whole cluster. */
  readonly policies: readonly Stored[];
  /** Pods of the namespaces under test, and all that bear the quarantine label. */
  readonly pods: readonly Stored[];
  readonly operations: readonly Operation[];
  /** The chain as far as it can be read. */
  readonly entries: readonly ChainedEntry[];
  readonly chain: Verified;
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
  readonly namespaces: readonly string[];
  readonly writes: () => readonly ClusterWrite[];
  readonly recordings: readonly Recording[];
};

/** Reads everything anew. Operations come last: whatever the cluster shows must be in them by then. */
export async function gather(sources: Sources, settled: boolean): Promise<Evidence> {
  const { admin, redis } = sources;
  const policies = await list(admin, `/apis/networking.k8s.io/v1/networkpolicies`, marks.operation);
  const marked = await list(admin, "/api/v1/pods", marks.quarantine);
  const own = await Promise.all(sources.namespaces.map((one) => list(admin, `/api/v1/namespaces/${one}/pods`)));
  const pods = new Map([...marked, ...own.flat()].map((pod) => [pod.metadata.uid, pod]));
  const audit = createAuditLog(redis, { onEntry: () => undefined });
  const entries: ChainedEntry[] = [];
  const head = await audit.head();
  for await (const entry of audit.all()) entries.push(entry as ChainedEntry);
  return {
    policies,
    pods: [...pods.values()],
    chain: await verifyChain(entries, head),
    entries,
    operations: await createOperations(redis, { now: Date.now }).list({}),
    writes: sources.writes(),
    recorded: sources.recordings.map((recording) => recording.events()),
    settled,
  };
}

async function list(admin: Connection, path: string, labelSelector?: string): Promise<readonly Stored[]> {
  const query = labelSelector === undefined ? {} : { labelSelector };
  return ((await admin.request("GET", path, { query })) as { items: readonly Stored[] }).items;
}
