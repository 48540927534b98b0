import { muteId } from "../flows/mutes.ts";
import type { Revision } from "../policy/revision.ts";
import { list, note, text } from "./answers.ts";
import type { FlowScope } from "./flow-asked.ts";
import type { ClusterFlows } from "./flow-gather.ts";
import { type ComparedLine, ranked } from "./flow-lines.ts";
import { pictureOf } from "./flow-picture.ts";
import { fittingTemplate, rowOfLine } from "./flow-rows.ts";
import type { FlowServices } from "./flow-services.ts";
import { isUnheard, silenceLines } from "./flow-silence.ts";
import { neededWords } from "./flow-templates.ts";
import { isFinding, type ToldLine, tellLines } from "./flow-told.ts";
import { otherWords, totalLines } from "./flow-totals.ts";
import { clockWords, type FlowWindow, lengthWords } from "./flow-window.ts";
import { betweenWords, type FlowTelling, grouped } from "./flow-words.ts";
import { changesWithin } from "./history-lines.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

/** What was asked for and gathered, cluster by cluster. */
export type GatheredFlows = {
  readonly scope: FlowScope;
  readonly window: FlowWindow;
  readonly clusters: readonly ClusterFlows[];
};

/** So many lines are read by somebody who is in a hurry, and fit into a message of Slack with their buttons. */
const mostLines = 10;

/** At most ten lines with their causes and buttons, and all that must be known beside them. */
export async function answerFlows(context: Context, flows: FlowServices, gathered: GatheredFlows): Promise<Reply> {
  const { services } = context;
  const nowMs = services.now();
  const all = gathered.clusters.flatMap(({ lines }) => lines);
  const mutes = new Set((await flows.mutes.all(nowMs)).map(({ id }) => id));
  const open = ranked(all.filter(({ key }) => key.class === "denied" || key.class === "audited"));
  const listed = open.filter(({ of }) => !mutes.has(muteId(of)));
  const shown = listed.slice(0, mostLines);
  const told = await tellAll(context, gathered, shown);
  const rows = await Promise.all(
    told.map((one) => rowOfLine(context, flows, one, tellingOf(context, gathered, one.flows))),
  );
  const others = otherWords(all);
  const picture = pictureOf(gathered, listed, nowMs);
  return {
    ...note(headline(gathered, open.length), [
      ...totalLines(open).map(text),
      ...gathered.clusters.flatMap((one) => silenceLines(one, nowMs)).map(text),
      ...rows,
      ...moreLines(listed.length - shown.length, open.length - listed.length),
      ...findings(told, gathered),
      ...withoutTemplate(context, told, gathered),
      ...(others === undefined ? [] : [text(others)]),
      ...changeRows(gathered, told, nowMs),
    ]),
    tone: open.length > 0 || gathered.clusters.some(isUnheard) ? "warning" : "neutral",
    footer: footer(gathered),
    ...(picture === undefined ? {} : { picture }),
  };
}

async function tellAll(
  { services }: Context,
  { clusters }: GatheredFlows,
  shown: readonly ComparedLine[],
): Promise<readonly ToldLine[]> {
  const told = await Promise.all(
    clusters.map((flows) =>
      tellLines(
        services,
        flows,
        shown.filter(({ key }) => key.cluster === flows.cluster),
      ),
    ),
  );
  const byLine = new Map(told.flat().map((one) => [one.line, one]));
  return shown.flatMap((line) => byLine.get(line) ?? []);
}

function tellingOf(
  { services, request }: Context,
  { scope }: GatheredFlows,
  { cluster, window, compares }: ClusterFlows,
): FlowTelling {
  return {
    window,
    nowMs: services.now(),
    namespace: scope.namespace,
    cluster: services.clusters.size > 1 ? cluster : undefined,
    compares,
    draws: request.source !== "slack",
  };
}

/** That nothing was told is not that nothing was denied. */
function headline({ scope, window, clusters }: GatheredFlows, kinds: number): string {
  const where = scope.words === undefined ? "" : ` in ${scope.words}`;
  const when = `in the last ${lengthWords(window)}`;
  if (kinds === 0 && clusters.some(isUnheard)) return `What is denied${where} is not known`;
  if (kinds === 0) return `Nothing was told to be denied${where} ${when}`;
  return `What is denied${where} ${when}`;
}

function moreLines(left: number, muted: number): readonly Section[] {
  const narrow = "Name a namespace or a workload: /np flows payments/checkout";
  return [
    ...(left > 0 ? [text(`${grouped(left)} more ${left === 1 ? "kind is" : "kinds are"} not listed. ${narrow}`)] : []),
    ...(muted > 0 ? [text(`${grouped(muted)} ${muted === 1 ? "is" : "are"} muted: /np flows muted`)] : []),
  ];
}

function findings(told: readonly ToldLine[], { scope }: GatheredFlows): readonly Section[] {
  const found = told.filter(isFinding).map(({ line }) => betweenWords(line, scope.namespace));
  if (found.length === 0) return [];
  return [
    list("Denied, although all policies together allow it now", [
      ...found,
      "Look whether an agent does not enforce what is there, whether pods bear other labels than they should, and whether the source tells of old times. Explain says what the policies say.",
    ]),
  ];
}

/** So many are named. */
const mostNeeded = 3;

function withoutTemplate(context: Context, told: readonly ToldLine[], { scope }: GatheredFlows): readonly Section[] {
  const needed = told.filter((one) => fittingTemplate(context, one) === "none");
  if (needed.length === 0) return [];
  const left = needed.length - mostNeeded;
  return [
    list("No template that was approved opens these", [
      ...needed
        .slice(0, mostNeeded)
        .map(({ line }) => `${betweenWords(line, scope.namespace)}: one from ${neededWords(line.of)} would be needed`),
      ...(left > 0 ? [`and ${left} more`] : []),
    ]),
  ];
}

/** So many changes stand below the lines: /np history has all. */
const mostChanges = 3;

function changeRows(
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
    text: `${clockWords(at, nowMs)} ${told?.text ?? revision.id}${undone}${isCause ? ". Before it, what is listed above was allowed." : ""}`,
    subject: revision.id,
    buttons: [
      { action: "show-diff", label: "Show diff" },
      ...(undoneBy === undefined ? [{ action: "roll-back" as const, label: "Roll back" }] : []),
    ],
  };
}

function footer({ clusters, window }: GatheredFlows): readonly string[] {
  const young = clusters.filter(({ sinceMs, compares }) => sinceMs !== undefined && !compares);
  return [
    "Times are UTC. By which policy is worked out by the policies and pods that are there now.",
    ...young.map(
      ({ cluster, sinceMs = window.fromMs }) =>
        `Of cluster ${cluster} nothing is kept from before ${clockWords(sinceMs, window.toMs)}: new is what was not seen since then.`,
    ),
  ];
}
