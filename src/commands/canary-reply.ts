import { formatDuration } from "../policy/duration.ts";
import { type CanaryRecord, type PoolFinding, provedBy } from "../scheduler/enforcement.ts";
import { list, text } from "./answers.ts";
import type { PoolRun } from "./canary-run.ts";
import type { Reply, Section } from "./reply.ts";

/** While it runs: how far each pool is. The first word is what a terminal shows progress by. */
export function workingReply(cluster: string, runs: readonly PoolRun[]): Reply {
  const lines = runs.map(({ pool, progress, finding }) =>
    finding === undefined ? `${pool.name}: ${doing[progress.phase]}` : line(finding),
  );
  const sections =
    lines.length === 0 ? [text("Deleting what an earlier run may have left.")] : [list("Node pools", lines)];
  return { ...card(`Working: whether NetworkPolicy is enforced in cluster ${cluster}`, sections), interim: true };
}

const doing = {
  server: "a pod that answers connections is starting",
  open: "a second pod is starting and connects to it",
  ingress: "a policy denies ingress: waiting for connections to end",
  "after-ingress": "the policy is gone: waiting for connections to come back",
  egress: "a policy denies egress: waiting for connections to end",
  "after-egress": "the policy is gone: waiting for connections to come back",
} as const;

export type Finished = {
  readonly cluster: string;
  readonly record: CanaryRecord;
  /** What could not be deleted, and the namespace that it is in. */
  readonly left: readonly string[];
  readonly namespace: string;
  /** For how long the result is kept, in milliseconds; undefined where it could not be kept. */
  readonly keptMs: number | undefined;
  /** Where the outcome stands in the audit chain, in words. */
  readonly audited: string;
};

/** What was found, pool by pool, what it proves and what it does not. */
export function finishedReply({ cluster, record, left, namespace, keptMs, audited }: Finished): Reply {
  const proved = provedBy(record);
  const sections = [
    list("Node pools", record.findings.map(line)),
    text(meaning[proved === undefined ? "unknown" : proved.enforced ? "yes" : "no"]),
    text(
      keptMs === undefined
        ? "The result could not be kept (Redis is away, or the run took so long that another one may have begun): it counts for nothing later on. Run it again."
        : `This counts for ${formatDuration(keptMs)}, for the cluster of this name as it is now: run it again when nodes or the network plugin change.`,
    ),
    ...leftSection(left, namespace),
  ];
  return {
    ...card(headlineOf(cluster, record), sections),
    tone: proved === undefined ? "warning" : proved.enforced ? "good" : "bad",
    outcome: proved?.enforced === true ? "ok" : "failed",
    footer: [`run ${record.run}`, audited],
  };
}

/** The result in one line, for the headline and the audit. */
export function headlineOf(cluster: string, record: CanaryRecord): string {
  const proved = provedBy(record);
  if (proved === undefined) {
    const untested = record.findings.filter(({ state }) => state === "untested").map(({ pool }) => pool);
    return brief(`UNKNOWN whether cluster ${cluster} enforces NetworkPolicy: not tested in ${untested.join(", ")}`);
  }
  return proved.enforced
    ? brief(`NetworkPolicy is enforced in cluster ${cluster}: ${proved.pools.join(", ")}`)
    : brief(`NetworkPolicy is NOT ENFORCED in cluster ${cluster}: ${proved.pools.join(", ")}`);
}

const meaning = {
  yes: "New TCP connections between two pods ended under a policy that denies ingress, and under one that denies egress, and came back without it. Open connections, other protocols and what other policies allow were not tried.",
  no: "A quarantine by NetworkPolicy cuts nothing off there. Turn enforcement on in the network plugin, or install one that has it; until then, stop the node's or the workload's traffic by other means.",
  unknown:
    "Nothing is claimed of the cluster while a pool could not be tested. Where taints keep the pods away, canary.tolerateTaints lets them in; else look at the reason and run it again.",
} as const;

function line({ pool, state, because }: PoolFinding): string {
  const says = { enforced: "enforced", "not-enforced": "NOT ENFORCED", untested: "could not be tested" }[state];
  return `${pool}: ${says}: ${because}`;
}

function leftSection(left: readonly string[], namespace: string): readonly Section[] {
  if (left.length === 0) return [text("Its pods and policies are deleted.")];
  return [
    list("NOT deleted", left),
    text(
      `The next run deletes it; a pod that runs ends by itself. By hand: kubectl -n ${namespace} delete pods,networkpolicies -l bulkhead.dev/kind=canary`,
    ),
  ];
}

/** A headline has at most 150 characters (reply.ts). */
function brief(words: string): string {
  return words.length <= 150 ? words : `${words.slice(0, 149)}…`;
}

function card(headline: string, sections: readonly Section[]): Reply {
  return {
    shape: "card",
    headline,
    tone: "neutral",
    sections,
    buttons: [],
    footer: [],
    operation: undefined,
    outcome: "ok",
  };
}
