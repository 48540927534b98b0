import { canonicalHash, canonicalJson } from "../policy/canonical.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";

/** The head of an empty chain. */
export const emptyHead: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** An entry as the next link after `head`, with the text that is stored for it. Members that are undefined are gone. */
export function link(entry: NewEntry, head: ChainHead): { readonly entry: ChainedEntry; readonly text: string } {
  const unsealed = { ...entry, v: 1, seq: head.seq + 1, prev: head.hash } as const;
  const text = canonicalJson({ ...unsealed, hash: canonicalHash(unsealed) });
  return { entry: JSON.parse(text) as ChainedEntry, text };
}

/** What `hash` of the entry has to be: SHA-256 over the canonical JSON of everything else in it. */
export function sealOf(entry: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = entry;
  return canonicalHash(rest);
}
