import type { Place } from "../flows/place.ts";
import type { FlowUnit } from "../flows/record.ts";
import type { DeniedPicture, PictureMark } from "../pictures/picture.ts";
import { authorWords } from "../policy/author-words.ts";
import { principalName } from "../policy/principal.ts";
import type { Revision } from "../policy/revision.ts";
import type { FlowScope } from "./flow-asked.ts";
import type { ClusterFlows } from "./flow-gather.ts";
import type { FlowLine } from "./flow-lines.ts";
import type { FlowWindow } from "./flow-window.ts";
import { betweenWords, unitWords } from "./flow-words.ts";

/** What was gathered, as far as the person may know it. */
type Gathered = {
  readonly scope: FlowScope;
  readonly window: FlowWindow;
  readonly clusters: readonly Pick<ClusterFlows, "cluster" | "changes" | "sinceMs">[];
};

/** More lines than so many cannot be told apart. */
const mostLines = 8;

/**
 * The lines with most denials over time, with the changes of policies where they are; undefined where nothing was denied.
 * Units cannot be added or compared, so that it shows those of the highest line's alone.
 */
export function pictureOf(gathered: Gathered, listed: readonly FlowLine[], nowMs: number): DeniedPicture | undefined {
  const denied = listed.filter(({ key }) => key.class === "denied").toSorted((a, b) => sure(b) - sure(a));
  const [first] = denied;
  if (first === undefined || first.steps.length === 0) return undefined;
  const drawn = denied.filter(({ unit }) => unit === first.unit).slice(0, mostLines);
  const { scope, window, clusters } = gathered;
  return {
    title: titleOf(scope, first.unit),
    unit: unitWords(first.unit, 2),
    ...window,
    stepMs: (window.toMs - window.fromMs) / first.steps.length,
    series: drawn.map((line) => ({
      label: betweenWords(line, scope.namespace) + (clusters.length > 1 ? ` (${line.key.cluster})` : ""),
      counts: countsOf(line, gathered, nowMs),
      atLeast: line.atLeast,
    })),
    marks: marksOf(gathered, drawn),
  };
}

function titleOf({ words }: FlowScope, unit: FlowUnit): string {
  return `Denied ${unitWords(unit, 2)}${words === undefined ? "" : ` in ${words}`}`;
}

function sure({ count, error }: FlowLine): number {
  return count - error;
}

/** Null for a step from which nothing is kept, and for the one under way while it has fewer than the one before it. */
function countsOf({ key, steps }: FlowLine, { window, clusters }: Gathered, nowMs: number): readonly (number | null)[] {
  const stepMs = (window.toMs - window.fromMs) / steps.length;
  const sinceMs = clusters.find(({ cluster }) => cluster === key.cluster)?.sinceMs ?? window.fromMs;
  return steps.map((count, at) => {
    const endMs = window.fromMs + (at + 1) * stepMs;
    const isOpen = endMs > nowMs && at > 0 && count < (steps[at - 1] ?? 0);
    return endMs <= sinceMs || isOpen ? null : count;
  });
}

/** What was changed in the namespaces that are drawn, and what holds for all of them. */
function marksOf({ clusters, scope }: Gathered, lines: readonly FlowLine[]): readonly PictureMark[] {
  const namespaces = new Set([
    scope.namespace,
    ...lines.flatMap(({ of }) => [...inNamespace(of.from), ...inNamespace(of.to)]),
  ]);
  const isNear = ({ namespace }: Revision): boolean => namespace === undefined || namespaces.has(namespace);
  return clusters.flatMap(({ changes = [] }) => changes.filter(isNear)).map((one) => markOf(one, scope));
}

function inNamespace(place: Place): readonly string[] {
  return place.kind === "workload" ? [place.namespace] : [];
}

/** In the namespace that was asked for it goes without saying. */
function markOf(revision: Revision, scope: FlowScope): PictureMark {
  const { at, change, namespace, name } = revision;
  const where = namespace === undefined || namespace === scope.namespace ? "" : `${namespace}/`;
  return { atMs: at, what: `${where}${name} ${change}`, ...whoseOf(revision) };
}

/** An operation of ours is called by its own id; a claim to be one does not make it ours. */
function whoseOf({ id, authors }: Revision): Pick<PictureMark, "kind" | "who" | "id"> {
  const [first] = authors;
  if (first?.kind === "operation" && first.claimed === undefined) {
    const who = first.by === undefined ? "Bulkhead" : principalName(first.by);
    return { kind: "operation", who, id: first.operation };
  }
  return { kind: "policy-change", who: first === undefined ? "" : authorWords(authors), id };
}
