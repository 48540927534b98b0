import { canonicalHash, canonicalJson } from "../policy/canonical.ts";
import type { NewEntry } from "./entry.ts";

/** What a spool file holds. Only whole lines whose content has their hash are entries. */
export type SpoolLines = {
  readonly entries: readonly NewEntry[];
  /** Numbers of whole lines that are no entry: the disk or somebody changed them after they were acknowledged. */
  readonly damaged: readonly number[];
  /** Whether the text ends in the middle of a line: its writer died there, and nobody was told that it is durable. */
  readonly cut: boolean;
};

/** One line with its line feed: `{"entry":{…},"hash":"…"}`, the hash over the canonical JSON of the entry. */
export function spoolLine(entry: NewEntry): string {
  return `${canonicalJson({ entry, hash: canonicalHash(entry) })}\n`;
}

export function readSpoolLines(text: string): SpoolLines {
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  const entries: NewEntry[] = [];
  const damaged: number[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = entryOf(line);
    if (entry === undefined) damaged.push(index + 1);
    else entries.push(entry);
  }
  return { entries, damaged, cut: rest !== "" };
}

function entryOf(line: string): NewEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("entry" in value) || !("hash" in value)) return undefined;
    return canonicalHash(value.entry) === value.hash ? (value.entry as NewEntry) : undefined;
  } catch {
    return undefined;
  }
}
