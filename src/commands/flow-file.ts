import type { Series } from "../flows/ledger.ts";
import { list, note, text } from "./answers.ts";
import { causeWords, reasonWords } from "./flow-cause-words.ts";
import { compared, linesOf, ranked } from "./flow-lines.ts";
import { otherWords, totalLines } from "./flow-totals.ts";
import { clockWords, type FlowWindow } from "./flow-window.ts";
import { flowName, grouped, lineWords } from "./flow-words.ts";
import type { Reply, Section } from "./reply.ts";

/** What was read of a file of flows, or of standard input. */
export type FlowFile = {
  /** As it is called at the terminal. */
  readonly name: string;
  /** From the first to the last flow; undefined where there was none. */
  readonly window: FlowWindow | undefined;
  readonly series: readonly Series[];
  readonly forwarded: number;
  /** Events that the source says were lost before it could tell them. */
  readonly lost: number;
  /** Lines or objects that could not be read, by why. */
  readonly unreadable: ReadonlyMap<string, number>;
  /** Those of formats that are known and not read, by what they are. */
  readonly unsupported: ReadonlyMap<string, { readonly count: number; readonly advice: string }>;
  /** Flows of times that did not fit beside the newest two days. */
  readonly left: number;
};

/** So many lines: as in Slack, so that both say the same. */
const mostLines = 10;

/** The same sentences as of a cluster, without causes: which policy denies takes the cluster's policies. */
export function fileReply(file: FlowFile): Reply {
  const { window, name } = file;
  const lines = compared(linesOf(file.series, everything), undefined);
  const listed = ranked(lines.filter(({ key }) => key.class === "denied" || key.class === "audited"));
  const others = otherWords(lines);
  const unread = sumOf(file.unreadable.values()) + sumOf([...file.unsupported.values()].map(({ count }) => count));
  const sections = [
    ...totalLines(listed).map(text),
    ...(window === undefined ? [] : lineSection(listed.slice(0, mostLines), window)),
    ...(listed.length > mostLines ? [text(moreWords(listed.length - mostLines))] : []),
    ...(others === undefined ? [] : [text(others)]),
    ...asides(file),
    ...unreadSections(file),
  ];
  const isNothing = lines.length === 0 && file.forwarded === 0;
  const reply = note(headline(file, listed.length), sections, isNothing && unread > 0 ? "failed" : "ok");
  return {
    ...reply,
    footer: [
      ...(window === undefined ? [] : [`${flowName(name)}, ${moment(window.fromMs)} to ${moment(window.toMs)}, UTC.`]),
      "Which policy denies is told only where the source names it: the others are worked out of a cluster, which a file has not.",
    ],
  };
}

function everything(): boolean {
  return true;
}

function headline({ name, window, unreadable, unsupported }: FlowFile, kinds: number): string {
  const shown = flowName(name);
  if (window === undefined) {
    return unreadable.size + unsupported.size === 0 ? `${shown} holds no flow` : `No flow of ${shown} could be read`;
  }
  return kinds === 0 ? `${shown} tells of nothing that was denied` : `What ${shown} tells was denied`;
}

function lineSection(listed: ReturnType<typeof ranked>, window: FlowWindow): readonly Section[] {
  const telling = {
    window,
    nowMs: window.toMs,
    namespace: undefined,
    cluster: undefined,
    compares: false,
    draws: true,
  };
  const lines = listed.map((line) => {
    const { policies, direction } = line.key;
    const named = policies.length === 0 ? undefined : causeWords({ kind: "named", policies }, direction, everything);
    const because = named ?? reasonWords(line.key);
    return lineWords(line, because === undefined ? [] : [because], telling);
  });
  return lines.length === 0 ? [] : [list(undefined, lines)];
}

function moreWords(left: number): string {
  return left === 1 ? "1 more kind is not listed." : `${grouped(left)} more kinds are not listed.`;
}

function asides({ forwarded, lost, left }: FlowFile): readonly Section[] {
  return [
    ...(forwarded === 0
      ? []
      : [text(`${grouped(forwarded)} ${forwarded === 1 ? "was" : "were"} forwarded, and not listed.`)]),
    ...(lost === 0 ? [] : [text(`The source lost ${grouped(lost)} events: counts are too low.`)]),
    ...(left === 0 ? [] : [text(`Left out: ${grouped(left)} of more than two days before the last one.`)]),
  ];
}

/** So many reasons are told. */
const mostReasons = 5;

function unreadSections({ unreadable, unsupported }: FlowFile): readonly Section[] {
  const reasons = [...unreadable].toSorted(([, a], [, b]) => b - a);
  const total = sumOf(unreadable.values());
  const others = [...unsupported].toSorted(([, a], [, b]) => b.count - a.count);
  const unknown = list(
    `${grouped(total)} ${total === 1 ? "line" : "lines"} could not be read`,
    reasons.slice(0, mostReasons).map(([why, count]) => `${grouped(count)}: ${flowName(why)}`),
  );
  const known = list(
    "Known for what it is, and not read",
    others.slice(0, mostReasons).map(([what, { count, advice }]) => `${flowName(what)} (${grouped(count)}): ${advice}`),
  );
  return [...(total === 0 ? [] : [unknown]), ...(others.length === 0 ? [] : [known])];
}

function sumOf(counts: Iterable<number>): number {
  return [...counts].reduce((sum, count) => sum + count, 0);
}

function moment(ms: number): string {
  return clockWords(ms, 0);
}
