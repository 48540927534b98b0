import type { Plot, PlotLine } from "./bound.ts";
import type { PictureMark } from "./picture.ts";
import { spoken } from "./plain-text.ts";
import { grouped, markWords, moment, spanWords, windowWords } from "./words.ts";

/** Slack refuses more as `alt_txt_too_large` (docs.slack.dev/reference/methods/files.getUploadURLExternal). UTF-16 units. */
const longest = 1_000;
const mostOthers = 3;
/** So many marks are told, or fewer where that gets too long. */
const fewer = [5, 4, 3, 2, 1] as const;

/** What the picture says, for whoever cannot see it: the line with most denials, its peak and when, and what is marked. */
export function altTextOf(plot: Plot): string {
  const chart = `Line chart: ${spoken(plot.title, 150)}, ${windowWords(plot.fromMs, plot.toMs)}.`;
  const said = [chart, ...lineSentences(plot)].join(" ");
  const marked = fewer.map((count) => markSentence(plot, count));
  const fits = marked.find((sentence) => said.length + 1 + sentence.length <= longest) ?? marked.at(-1);
  return spoken(`${said} ${fits}`, longest);
}

function lineSentences(plot: Plot): readonly string[] {
  const [top, ...others] = plot.lines.filter(({ peak }) => peak !== undefined && peak.value > 0);
  if (top === undefined) return ["Nothing was denied, as far as is known."];
  const named = others.slice(0, mostOthers).map((line) => peakWords(line, plot));
  const unnamed = others.length - named.length + plot.leftOut;
  const rest = unnamed === 0 ? [] : [`${unnamed} more ${unnamed === 1 ? "line" : "lines"}`];
  const most = `Most: ${peakWords(top, plot)}.`;
  return named.length + rest.length === 0 ? [most] : [most, `Also: ${[...named, ...rest].join("; ")}.`];
}

/** `checkout → postgres, peak of at least 1 240 connections per minute at 14:07`. */
function peakWords({ label, atLeast, peak }: PlotLine, plot: Plot): string {
  if (peak === undefined) return spoken(label, 80);
  const count = `${atLeast ? "at least " : ""}${grouped(peak.value)} ${plot.unit} per ${spanWords(plot.stepMs)}`;
  return `${spoken(label, 80)}, peak of ${count} at ${moment(peak.atMs, plot.fromMs, plot.toMs)}`;
}

function markSentence({ marks, fromMs, toMs }: Plot, most: number): string {
  if (marks.length === 0) return "No change is marked.";
  const named = marks.slice(-most).map((mark) => {
    const about = aboutWords(mark);
    const when = `${markWords(mark.kind, 1)} at ${moment(mark.atMs, fromMs, toMs)}`;
    return about === "" ? when : `${when} (${about})`;
  });
  const earlier = marks.length - named.length;
  return `Marked: ${earlier === 0 ? "" : `${earlier} earlier ${earlier === 1 ? "one" : "ones"}; `}${named.join("; ")}.`;
}

/** `payments/default-deny changed by ci, v-7f3k2ab`. */
function aboutWords({ what, who, id }: PictureMark): string {
  const done = [spoken(what, 80), ...(who === "" ? [] : [`by ${spoken(who, 60)}`])].join(" ").trim();
  return [done, spoken(id, 40)].filter((words) => words !== "").join(", ");
}
