import type { Revision } from "../policy/revision.ts";
import { causeOf, type FlowCause, type FlowJudge } from "./flow-cause.ts";
import { causeWords, reasonWords } from "./flow-cause-words.ts";
import type { ClusterFlows } from "./flow-gather.ts";
import { closedBy, judgeOf } from "./flow-judge.ts";
import type { ComparedLine } from "./flow-lines.ts";
import { isWhollySeen } from "./flow-sight.ts";
import { clockWords } from "./flow-window.ts";
import type { Services } from "./services.ts";

/** A line with what is known of why. */
export type ToldLine = {
  readonly line: ComparedLine;
  readonly flows: ClusterFlows;
  readonly cause: FlowCause;
  /** The change in that time before which it was allowed. */
  readonly closed: Revision | undefined;
  /** A change since it was last seen: what the policies say now may not be what they said then. */
  readonly changed: Revision | undefined;
};

/** Lines of one cluster with their causes. Never rejects for what could not be read: the cause says so. */
export async function tellLines(
  services: Services,
  flows: ClusterFlows,
  lines: readonly ComparedLine[],
): Promise<readonly ToldLine[]> {
  if (lines.length === 0) return [];
  const keys = lines.map(({ of }) => of);
  const judge = await judgeOf(services, flows.cluster, keys);
  const told: ToldLine[] = [];
  for (const line of lines) {
    // Others get their turn: Slack waits 3 s for an acknowledgement.
    await services.wait(0);
    told.push("why" in judge ? unjudged(flows, line, judge.why) : judged(judge, flows, line));
  }
  return told;
}

function unjudged(flows: ClusterFlows, line: ComparedLine, why: string): ToldLine {
  const { policies } = line.key;
  const cause: FlowCause = policies.length > 0 ? { kind: "named", policies } : { kind: "unknown", why };
  return { line, flows, cause, closed: undefined, changed: changedSince(flows, line) };
}

function judged(judge: FlowJudge, flows: ClusterFlows, line: ComparedLine): ToldLine {
  const cause = causeOf(judge, line.of);
  const isClosed = cause.kind === "default-deny" || cause.kind === "rule";
  const closed = isClosed ? closedBy(judge.simulator, flows.changes ?? [], line.of) : undefined;
  return { line, flows, cause, closed, changed: changedSince(flows, line) };
}

/** Of what bears on its ends, the newest that the person may see. */
function changedSince({ changes = [] }: ClusterFlows, { of, lastMs }: ComparedLine): Revision | undefined {
  const namespaces = [of.from, of.to].flatMap((end) => (end.kind === "workload" ? [end.namespace] : []));
  return changes.find(
    ({ at, namespace }) => at > lastMs && (namespace === undefined || namespaces.includes(namespace)),
  );
}

/** The clauses that end the line: by which policy, and what its changes say. */
export function becauseWords({ line, flows, cause, closed, changed }: ToldLine, nowMs: number): readonly string[] {
  const { sees } = flows;
  const isHidden = cause.kind === "undecided" && !isWhollySeen(line.of, sees);
  const shown: FlowCause = isHidden ? { kind: "undecided", why: "not all of it lies where you may look" } : cause;
  const isUnnamed =
    line.key.reason === "rule" && cause.kind !== "rule" && cause.kind !== "named" && cause.kind !== "ours";
  return [
    ...(isUnnamed ? [reasonWords(line.key) ?? ""] : []),
    causeWords(shown, line.key.direction, sees),
    ...(closed === undefined ? [] : [`allowed before ${closed.id} (${clockWords(closed.at, nowMs)})`]),
    ...(changed === undefined
      ? []
      : [`policies changed since it was last seen at ${clockWords(line.lastMs, nowMs)} (${changed.id})`]),
  ];
}

/** Whether the policies say that it should pass: not so where they were changed after it was last seen. */
export function isFinding({ cause, changed }: ToldLine): boolean {
  return cause.kind === "allowed" && changed === undefined;
}
