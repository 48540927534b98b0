import { emptyHead, sealOf } from "./chain.ts";
import type { ChainedEntry, ChainHead } from "./entry.ts";

/**
 * `entries` were read and form one unbroken chain from `base` to `head`; else the first entry that is broken or missing:
 * `seq` is its number in the chain, `why` a sentence for people.
 */
export type Verified =
  | { readonly ok: true; readonly entries: number; readonly base: ChainHead; readonly head: ChainHead }
  | { readonly ok: false; readonly seq: number; readonly problem: Problem; readonly why: string };

type Problem =
  | "unreadable"
  | "version"
  | "edited"
  | "missing"
  | "repeated"
  | "broken-link"
  | "cut-tail"
  | "unconfirmed-trim";

export type Beginning = {
  /** The last entry that was trimmed: the chain begins after it, and has to say itself that an export was confirmed. */
  readonly base?: ChainHead;
  /** The base needs no confirmation in these entries: they are only a piece of the chain. */
  readonly trusted?: boolean;
};

/**
 * Walks a chain from its first entry, as parsed JSON (or as raw text where it was no JSON). The chain must reach
 * `expectedHead`, which is kept apart from it, so that a cut tail is found; it may have grown since that was read. Its
 * hash may be the beginning of one, as cards show it.
 */
export async function verifyChain(
  entries: AsyncIterable<unknown> | Iterable<unknown>,
  expectedHead: ChainHead = emptyHead,
  beginning: Beginning = {},
): Promise<Verified> {
  const { base = emptyHead } = beginning;
  let head = base;
  let confirmed = beginning.trusted === true || base.seq === 0;
  for await (const entry of entries) {
    const next = follow(entry, head);
    if ("ok" in next) return next;
    head = next;
    confirmed ||= confirms(entry, base);
    if (head.seq === expectedHead.seq && !head.hash.startsWith(expectedHead.hash)) {
      return broken(head.seq, "edited", `entry ${head.seq} is not the one that the recorded head names`);
    }
  }
  if (head.seq < expectedHead.seq) return broken(head.seq + 1, "cut-tail", cutOff(head, expectedHead));
  if (!confirmed) return broken(1, "unconfirmed-trim", unconfirmed(base));
  return { ok: true, entries: head.seq - base.seq, base, head };
}

function cutOff(head: ChainHead, expected: ChainHead): string {
  return `entries ${head.seq + 1} to ${expected.seq} are missing: the end was cut off`;
}

/** Entries leave the store only after an export of them was confirmed, and the confirmation is an entry itself. */
function confirms(entry: unknown, base: ChainHead): boolean {
  const { kind, detail } = entry as ChainedEntry;
  const confirmed = kind === "chain" ? detail?.["confirmed"] : undefined;
  if (!isRecord(confirmed) || typeof confirmed["seq"] !== "number") return false;
  return confirmed["seq"] > base.seq || (confirmed["seq"] === base.seq && confirmed["hash"] === base.hash);
}

function unconfirmed({ seq }: ChainHead): string {
  return `entries 1 to ${seq} were taken away, and the chain does not say that an export of them was confirmed`;
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

/** Whether it is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "undefined").slice(0, 40);
}
