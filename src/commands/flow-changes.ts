import type { Revision } from "../policy/revision.ts";
import { text } from "./answers.ts";
import type { GatheredFlows } from "./flow-gather.ts";
import type { ToldLine } from "./flow-told.ts";
import { clockWords, lengthWords } from "./flow-window.ts";
import { changesWithin } from "./history-lines.ts";
import type { Section } from "./reply.ts";

/** So many changes stand below the lines: /np history has all. */
const mostChanges = 3;

/** What changed while it was denied, with a button to undo each: what closed something first. Nothing where no history is kept. */
export function changeRows(
  { clusters, scope, window }: GatheredFlows,
  told: readonly ToldLine[],
  nowMs: number,
): readonly Section[] {
  const touched = new Set(
    told.flatMap(({ line: { of } }) =>
      [of.from, of.to].flatMap((end) => (end.kind === "workload" ? [end.namespace] : [])),
    ),
  );
  const isNear = ({ namespace }: Revision): boolean =>
    namespace === undefined || scope.namespace === undefined || namespace === scope.namespace || touched.has(namespace);
  const near = clusters.flatMap(({ changes = [] }) => changes.filter(isNear)).toSorted((a, b) => b.at - a.at);
  if (near.length === 0) {
    const isKept = clusters.some(({ changes }) => changes !== undefined);
    return isKept && told.length > 0 ? [text("No policy that you may see was changed in that time.")] : [];
  }
  const closing = new Set(told.flatMap(({ closed }) => (closed === undefined ? [] : [closed.id])));
  const first = near.toSorted((a, b) => Number(closing.has(b.id)) - Number(closing.has(a.id))).slice(0, mostChanges);
  const left = near.length - first.length;
  return [
    text(
      `Policies that were changed in that time${left > 0 ? ` (${left} more: /np history since ${lengthWords(window).replaceAll(" ", "")})` : ""}:`,
    ),
    ...first.map((revision) => changeRow(revision, closing.has(revision.id), nowMs)),
  ];
}

function changeRow(revision: Revision, isCause: boolean, nowMs: number): Section {
  const { at, undoneBy } = revision;
  const [told] = changesWithin([revision], { since: at, until: at });
  const undone = undoneBy === undefined ? "" : `, undone by ${undoneBy}`;
  return {
    kind: "row",
    text: `${clockWords(at, nowMs)} ${told?.text ?? revision.id}${undone}${isCause ? ". What a line above names it for was allowed before." : ""}`,
    subject: revision.id,
    buttons: [
      { action: "show-diff", label: "Show diff" },
      ...(undoneBy === undefined ? [{ action: "roll-back" as const, label: "Roll back" }] : []),
    ],
  };
}
