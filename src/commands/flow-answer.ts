import { muteId } from "../flows/mutes.ts";
import { list, note, text } from "./answers.ts";
import { changeRows } from "./flow-changes.ts";
import type { ClusterFlows, GatheredFlows } from "./flow-gather.ts";
import { type ComparedLine, ranked } from "./flow-lines.ts";
import { pictureOf } from "./flow-picture.ts";
import { fittingTemplate, rowOfLine } from "./flow-rows.ts";
import type { FlowServices } from "./flow-services.ts";
import { isUnheard, silenceLines } from "./flow-silence.ts";
import { neededWords } from "./flow-templates.ts";
import { isFinding, type ToldLine, tellLines } from "./flow-told.ts";
import { otherWords, totalLines } from "./flow-totals.ts";
import { clockWords, whenWords } from "./flow-window.ts";
import { betweenWords, type FlowTelling, grouped } from "./flow-words.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

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
    ...note(headline(gathered, open.length, nowMs), [
      ...totalLines(open).map(text),
      ...(gathered.scope.remark === undefined ? [] : [text(gathered.scope.remark)]),
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
function headline({ scope, window, clusters }: GatheredFlows, kinds: number, nowMs: number): string {
  const where = scope.words === undefined ? "" : ` in ${scope.words}`;
  const when = whenWords(window, nowMs);
  if (kinds === 0 && clusters.some(isUnheard)) return `What is denied${where} is not known`;
  const isSettling = clusters.some(({ lines }) => lines.some(({ key }) => key.class === "settling"));
  if (kinds === 0 && isSettling) return `Denied${where} ${when} only right after a start or a change`;
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
