import { oneLine } from "./markdown.ts";
import type { Timeline, TimelineRow } from "./timeline.ts";

const columns = [
  "at",
  "actor",
  "actorKey",
  "action",
  "object",
  "reason",
  "outcome",
  "operation",
  "permalink",
  "entry",
  "hash",
] as const satisfies readonly (keyof TimelineRow)[];

/**
 * The rows of the timeline as CSV (RFC 4180, every field quoted), with a line of names first. A field that a spreadsheet
 * would run as a formula (OWASP, "CSV Injection") begins with an apostrophe.
 */
export function timelineCsv({ rows }: Timeline): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
  return lines.map((fields) => `${fields.map(field).join(",")}\r\n`).join("");
}

function field(text: string): string {
  const shown = oneLine(text);
  const safe = /^[=+\-@]/.test(shown) ? `'${shown}` : shown;
  return `"${safe.replaceAll('"', '""')}"`;
}
