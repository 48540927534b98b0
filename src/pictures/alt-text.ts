import type { Plot, PlotLine } from "./bound.ts";
import { spoken } from "./plain-text.ts";
import { grouped, markWords, moment, spanWords, windowWords } from "./words.ts";

/** Slack refuses more as `alt_txt_too_large` (errors of files.getUploadURLExternal). UTF-16 units. */
const longest = 1_000;
const mostOthers = 3;
const mostMarks = 5;

/** What the picture says, for whoever cannot see it: the line with most denials, its peak and when, and what is marked. */
export function altTextOf(plot: Plot): string {
  const said = [
    `Line chart: ${spoken(plot.title, 150)}, ${windowWords(plot.fromMs, plot.toMs)}.`,
    ...lineSentences(plot),
    markSentence(plot),
  ];
  return spoken(said.filter((sentence) => sentence !== "").join(" "), longest);
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

function markSentence({ marks, fromMs, toMs }: Plot): string {
  if (marks.length === 0) return "No change is marked.";
  const named = marks.slice(-mostMarks).map(({ kind, atMs, label }) => {
    return `${markWords(kind, 1)} at ${moment(atMs, fromMs, toMs)}${label === "" ? "" : ` (${spoken(label, 60)})`}`;
  });
  const earlier = marks.length - named.length;
  return `Marked: ${earlier === 0 ? "" : `${earlier} earlier ones; `}${named.join("; ")}.`;
}
