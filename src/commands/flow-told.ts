import type { Revision } from "../policy/revision.ts";
import { causeOf, type FlowCause, type FlowJudge } from "./flow-cause.ts";
import { causeWords, reasonWords } from "./flow-cause-words.ts";
import type { ClusterFlows } from "./flow-gather.ts";
import { bearsOn, type ClosedBy, createClosedBy, judgeOf } from "./flow-judge.ts";
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
  const closedBy = closedByOf(services, flows, judge);
  for (const line of lines) {
    // Others get their turn: Slack waits 3 s for an acknowledgement.
    await services.wait(0);
    told.push("why" in judge ? unjudged(flows, line, judge.why) : judged(judge, closedBy, flows, line));
  }
  return told;
}

function unjudged(flows: ClusterFlows, line: ComparedLine, why: string): ToldLine {
  const { policies } = line.key;
  const cause: FlowCause = policies.length > 0 ? { kind: "named", policies } : { kind: "unknown", why };
  return { line, flows, cause, closed: undefined, changed: changedSince(flows, line) };
}

function closedByOf(
  services: Services,
  { changes = [] }: ClusterFlows,
  judge: FlowJudge | { readonly why: string },
): ClosedBy {
  return "why" in judge ? () => undefined : createClosedBy(judge.simulator, changes, () => services.now());
}

function judged(judge: FlowJudge, closedBy: ClosedBy, flows: ClusterFlows, line: ComparedLine): ToldLine {
  const cause = causeOf(judge, line.of);
  const isClosed = cause.kind === "default-deny" || cause.kind === "rule";
  const closed = isClosed ? closedBy(line.of) : undefined;
  return { line, flows, cause, closed, changed: changedSince(flows, line) };
}

/** Of what bears on its ends, the newest that the person may see. */
function changedSince({ changes = [] }: ClusterFlows, { of, lastMs }: ComparedLine): Revision | undefined {
  return changes.find((revision) => revision.at > lastMs && bearsOn(revision, of));
}

/** The clauses that end the line: by which policy, and what its changes say. */
export function becauseWords(told: ToldLine, nowMs: number): readonly string[] {
  const { line, flows, cause, closed, changed } = told;
  const since = `since it was last seen at ${clockWords(line.lastMs, nowMs)} (${changed?.id ?? ""})`;
  if (cause.kind === "allowed" && changed !== undefined) {
    return [`allowed by the policies now, which were changed ${since}`];
  }
  return [
    ...unnamedWords(told),
    causeWords(shownCause(told), line.key.direction, flows.sees),
    ...(closed === undefined ? [] : [`allowed before ${closed.id} (${clockWords(closed.at, nowMs)})`]),
    ...(changed === undefined ? [] : [`policies changed ${since}`]),
  ];
}

/** What keeps it undecided may lie where the person may not look. */
function shownCause({ line, flows, cause }: ToldLine): FlowCause {
  const isHidden = cause.kind === "undecided" && !isWhollySeen(line.of, flows.sees);
  return isHidden ? { kind: "undecided", why: "not all of it lies where you may look" } : cause;
}

/** The source says that a rule denies it, and the policies say something else of it now. */
function unnamedWords({ line: { key }, cause: { kind } }: ToldLine): readonly string[] {
  const isNamed = kind === "rule" || kind === "named" || kind === "ours";
  const words = key.reason === "rule" && !isNamed ? reasonWords(key) : undefined;
  return words === undefined ? [] : [words];
}

/** Whether the policies say that it should pass: not so where they were changed after it was last seen. */
export function isFinding({ cause, changed }: ToldLine): boolean {
  return cause.kind === "allowed" && changed === undefined;
}
