import { canonicalJson } from "../policy/canonical.ts";
import { emptyHead } from "./chain.ts";
import type { ChainHead } from "./entry.ts";
import { withoutLost } from "./lost-branches.ts";
import { isRecord } from "./verify.ts";

/** What the log pipeline kept of the chain. */
export type Copies = {
  /** In the order of the chain, each once; for verifyChain. */
  readonly entries: readonly unknown[];
  /** Where an export begins that was made after a trim: the entry before its first. The empty head otherwise. */
  readonly base: ChainHead;
  /** Entries that were told before they were in the chain, each id once: the chain has them later, or never. */
  readonly unchained: readonly Unchained[];
  /** Entries of a chain that its Redis lost, as an entry of the chain that followed it says. */
  readonly lost: readonly unknown[];
  /** Lines that hold no entry: other log lines, and what is no JSON. */
  readonly otherLines: number;
  /** The number of the last line, where the text ends in the middle of it: an entry may be lost there. */
  readonly cutLine: number | undefined;
};

export type Unchained = { readonly standing: string; readonly entry: Readonly<Record<string, unknown>> };

/**
 * Reads the entries out of lines of JSON: standard output's, with the entry under the key `audit`, or those of an export,
 * which are the entries. Replicas print side by side, so lines come in any order, and a line that was printed twice is
 * one; two different lines of one number both stay, unless one of them is of a chain that is said to be lost.
 */
export async function readCopies(chunks: AsyncIterable<string> | Iterable<string>): Promise<Copies> {
  const chained = new Map<string, unknown>();
  const unchained = new Map<unknown, Unchained>();
  const bases: ChainHead[] = [];
  let otherLines = 0;
  let cutLine: number | undefined;
  for await (const { text, number, whole } of linesOf(chunks)) {
    const line = parsed(text);
    if (line === undefined && !whole) cutLine = number;
    const found = meaning(line);
    if (found.kind === "chained") chained.set(canonicalJson(found.entry), found.entry);
    else if (found.kind === "unchained") unchained.set(found.entry["id"], found);
    else if (found.kind === "base") bases.push(found.head);
    else otherLines += 1;
  }
  const { entries, lost } = withoutLost([...chained.values()].sort((a, b) => seqOf(a) - seqOf(b)));
  const base = bases.find(({ seq }) => seq + 1 === seqOf(entries[0])) ?? emptyHead;
  return { entries, base, unchained: [...unchained.values()], lost, otherLines, cutLine };
}

type Meaning =
  | { readonly kind: "chained"; readonly entry: unknown }
  | ({ readonly kind: "unchained" } & Unchained)
  | { readonly kind: "base"; readonly head: ChainHead }
  | { readonly kind: "other" };

function meaning(line: unknown): Meaning {
  if (!isRecord(line)) return { kind: "other" };
  const { audit, standing, base } = line;
  if (isRecord(audit) && typeof standing === "string") return { kind: "unchained", standing, entry: audit };
  if ("audit" in line) return audit === undefined ? { kind: "other" } : { kind: "chained", entry: audit };
  if (isRecord(base)) return { kind: "base", head: { seq: Number(base["seq"]), hash: String(base["hash"]) } };
  return "seq" in line && "prev" in line && "hash" in line ? { kind: "chained", entry: line } : { kind: "other" };
}

type Line = { readonly text: string; readonly number: number; readonly whole: boolean };

/** Non-empty lines; `whole` is false for a last one without a line feed. */
async function* linesOf(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Line> {
  let rest = "";
  let number = 0;
  for await (const chunk of chunks) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      number += 1;
      if (text.trim() !== "") yield { text, number, whole: true };
    }
  }
  if (rest.trim() !== "") yield { text: rest, number: number + 1, whole: false };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What has no number goes last, where verifying names it unless something before it is missing. */
function seqOf(entry: unknown): number {
  const seq = isRecord(entry) ? entry["seq"] : undefined;
  return typeof seq === "number" ? seq : Number.MAX_SAFE_INTEGER;
}
