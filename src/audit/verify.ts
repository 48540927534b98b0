import { emptyHead, sealOf } from "./chain.ts";
import type { ChainHead } from "./entry.ts";

/**
 * `entries` were read and form one unbroken chain that ends at `head`; else the first entry that is broken or missing:
 * `seq` is its number in the chain, `why` a sentence for people.
 */
export type Verified =
  | { readonly ok: true; readonly entries: number; readonly head: ChainHead }
  | { readonly ok: false; readonly seq: number; readonly problem: Problem; readonly why: string };

type Problem = "unreadable" | "version" | "edited" | "missing" | "repeated" | "broken-link" | "cut-tail";

/**
 * Walks a whole chain from its first entry, as parsed JSON (or as raw text where it was no JSON). The chain must reach
 * `expectedHead`, which is kept apart from it, so that a cut tail is found; it may have grown since that was read. Its
 * hash may be the beginning of one, as cards show it.
 */
export async function verifyChain(
  entries: AsyncIterable<unknown> | Iterable<unknown>,
  expectedHead: ChainHead = emptyHead,
): Promise<Verified> {
  let head = emptyHead;
  for await (const entry of entries) {
    const next = follow(entry, head);
    if ("ok" in next) return next;
    head = next;
    if (head.seq === expectedHead.seq && !head.hash.startsWith(expectedHead.hash)) {
      return broken(head.seq, "edited", `entry ${head.seq} is not the one that the recorded head names`);
    }
  }
  if (head.seq < expectedHead.seq) {
    const missing = `entries ${head.seq + 1} to ${expectedHead.seq} are missing: the end was cut off`;
    return broken(head.seq + 1, "cut-tail", missing);
  }
  return { ok: true, entries: head.seq, head };
}

type Broken = Extract<Verified, { ok: false }>;

/** The head after this entry, or what is wrong with it. */
function follow(entry: unknown, head: ChainHead): ChainHead | Broken {
  const expected = head.seq + 1;
  if (!isRecord(entry)) return broken(expected, "unreadable", `entry ${expected} is no JSON object`);
  const { v, seq, prev, hash } = entry;
  if (v !== 1) return broken(expected, "version", `entry ${expected} has format version ${shown(v)}; 1 is known here`);
  if (typeof seq !== "number") return broken(expected, "unreadable", `entry ${expected} has no sequence number`);
  if (seq > expected) return broken(expected, "missing", missing(expected, seq));
  if (seq < expected) return broken(seq, "repeated", `entry ${seq} stands again after entry ${head.seq}`);
  if (typeof hash !== "string" || sealOf(entry) !== hash) {
    return broken(seq, "edited", `entry ${seq} was changed: its content does not have its hash`);
  }
  if (prev !== head.hash) {
    return broken(seq, "broken-link", `entry ${seq} does not continue what stands before it: one of them was replaced`);
  }
  return { seq, hash };
}

function missing(expected: number, found: number): string {
  const last = found - 1;
  const what = last === expected ? `entry ${expected} is` : `entries ${expected} to ${last} are`;
  return `${what} not in place: ${found} follows ${expected === 1 ? "the beginning" : expected - 1}`;
}

function broken(seq: number, problem: Problem, why: string): Broken {
  return { ok: false, seq, problem, why };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 40);
}
