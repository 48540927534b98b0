import { canonicalJson } from "../policy/canonical.ts";

/** What the log pipeline kept of the chain. */
export type Copies = {
  /** In the order of the chain, each once; for verifyChain. */
  readonly entries: readonly unknown[];
  /** Lines that hold no entry: other log lines, and what is no JSON. */
  readonly otherLines: number;
  /** The number of the last line, where the text ends in the middle of it: an entry may be lost there. */
  readonly cutLine: number | undefined;
};

/**
 * Reads the entries out of standard output's lines: JSON, with the entry under the key `audit`. Replicas print side by
 * side, so lines come in any order, and a line that was printed twice is one; two different lines of one id both stay.
 */
export async function readCopies(chunks: AsyncIterable<string> | Iterable<string>): Promise<Copies> {
  const copies = new Map<string, unknown>();
  let otherLines = 0;
  let cutLine: number | undefined;
  for await (const { text, number, whole } of linesOf(chunks)) {
    const line = parsed(text);
    if (line === undefined && !whole) cutLine = number;
    const entry = entryOf(line);
    if (entry === undefined) otherLines += 1;
    else copies.set(canonicalJson(entry), entry);
  }
  return { entries: [...copies.values()].sort((a, b) => seqOf(a) - seqOf(b)), otherLines, cutLine };
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

function entryOf(line: unknown): unknown {
  return typeof line === "object" && line !== null && "audit" in line ? line.audit : undefined;
}

/** What has no number goes last, where verifying names it unless something before it is missing. */
function seqOf(entry: unknown): number {
  const seq = typeof entry === "object" && entry !== null && "seq" in entry ? entry.seq : undefined;
  return typeof seq === "number" ? seq : Number.MAX_SAFE_INTEGER;
}
