import { formatDuration } from "../policy/duration.ts";
import { inline, link } from "./markdown.ts";
import type { Timeline, TimelineRow } from "./timeline.ts";

const columns = ["Time (UTC)", "Actor", "Action", "Object", "Reason", "Outcome", "Links"];

/** The timeline as a Markdown document (GFM). The same timeline always gives the same text; it ends with a line break. */
export function timelineMarkdown(timeline: Timeline): string {
  const { incident, rows, open } = timeline;
  return [
    `# Incident ${inline(incident)}: what was done with Bulkhead`,
    "",
    ...headLines(timeline).map((line) => `- ${line}`),
    "",
    "## Timeline",
    "",
    tableRow(columns),
    tableRow(columns.map(() => "---")),
    ...rows.map((row) => tableRow(cells(row))),
    "",
    "## Open items",
    "",
    ...(open.length === 0 ? ["None that the audit knows of."] : open.map((item) => `- ${inline(item)}`)),
    "",
    "## How the times were derived",
    "",
    ...derivation.map((line) => `- ${line}`),
    "",
  ].join("\n");
}

const derivation = [
  "Each time is the `at` of an audit entry: the clock of the replica (or terminal) that wrote it, in UTC, when it wrote it. Clocks of several replicas may differ.",
  "`confirmed` is written before the first change to the cluster, `carried out` after the last; the times of the steps in between were taken when each was done.",
  "A row is in the order of its time. The number in Links is the entry's place in the chain: one that was kept elsewhere while Redis was away has a later number than its time.",
  "Refusals are here where they name an operation of the incident, or came from a channel while it was bound to it.",
  "Open items are what the audit knows. What is in force in a cluster is told by `bulkhead status`.",
  "When the incident began, when it was noticed and what it cost is not known to Bulkhead: add it by hand.",
];

function headLines({ exportedAt, rows, people, clusters, chain }: Timeline): readonly string[] {
  const numbers = rows.map(({ entry }) => entry);
  const who = people.map(
    ({ name, key, entries }) => `${inline(name)} (${inline(key === "" ? "unknown" : key)}, ${entries})`,
  );
  return [
    `Exported: ${time(exportedAt)} UTC`,
    `Span: ${span(rows)}`,
    `People, with the number of their entries: ${who.length === 0 ? "none" : who.join("; ")}`,
    `Clusters: ${clusters.length === 0 ? "none" : clusters.map((name) => inline(name)).join(", ")}`,
    `Entries: ${rows.length}${rows.length === 0 ? "" : `, numbers ${Math.min(...numbers)} to ${Math.max(...numbers)} of the audit chain`}`,
    `Audit chain: ${inline(chain)}`,
  ];
}

function span(rows: readonly TimelineRow[]): string {
  const [first, last] = [rows.at(0), rows.at(-1)];
  if (first === undefined || last === undefined) return "nothing was recorded";
  const ms = Date.parse(last.at) - Date.parse(first.at);
  return `${time(first.at)} to ${time(last.at)} UTC${ms >= 0 ? ` (${formatDuration(ms)})` : ""}`;
}

function cells(row: TimelineRow): readonly string[] {
  const { at, actor, action, object, reason, outcome } = row;
  return [time(at), ...[actor, action, object, reason, outcome].map((text) => inline(text)), links(row)];
}

function links({ permalink, entry, hash, operation }: TimelineRow): string {
  const card = permalink === "" ? undefined : link(permalink);
  return [
    ...(card === undefined ? [] : [card]),
    `entry ${entry}, hash ${inline(hash.slice(0, 12))}`,
    ...(operation === "" ? [] : [inline(operation)]),
  ].join("; ");
}

function tableRow(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}

/** `2026-11-21 07:09:22.123`; what is no time stands as it is. */
function time(at: string): string {
  return Number.isNaN(Date.parse(at)) ? inline(at) : new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
