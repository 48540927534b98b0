import type { Redis } from "ioredis";
import { principalKey } from "../policy/principal.ts";
import type { ChainedEntry } from "./entry.ts";
import type { AuditFilter } from "./log.ts";
import { entriesBefore, entriesFrom, type StoredText, seqOfId } from "./stream.ts";

const pageSize = 200;

/** The entry of that id. Throws where the index knows it and the chain does not hold it, or it cannot be read. */
export async function findEntry(redis: Redis, id: string): Promise<ChainedEntry | undefined> {
  const seq = await seqOfId(redis, id);
  if (seq === undefined) return undefined;
  const [stored] = await entriesFrom(redis, seq, 1);
  const entry = stored?.seq === seq ? parsed(stored) : undefined;
  if (entry?.id !== id) throw new Error(`audit entry ${seq} (${id}) is gone from the chain: run audit verify`);
  return entry;
}

/**
 * Those that pass the filter, oldest first, read backwards from the newest. `at` does not rise strictly along the
 * chain (clocks differ, an adopted entry comes late), so a page without anything recent enough ends the search, not
 * one entry.
 */
export async function readEntries(redis: Redis, filter: AuditFilter): Promise<readonly ChainedEntry[]> {
  const { sinceMs = -Infinity, limit = Infinity } = filter;
  const found: ChainedEntry[] = [];
  let before: number | undefined;
  while (found.length < limit) {
    const page = (await entriesBefore(redis, before, pageSize)).map(parsed);
    const recent = page.filter(({ at }) => !(Date.parse(at) < sinceMs));
    found.push(...recent.filter((entry) => passes(entry, filter)));
    before = page.at(-1)?.seq;
    if (page.length < pageSize || recent.length === 0) break;
  }
  return found.slice(0, limit).toReversed();
}

/** The chain as it is stored, from number `first` on, oldest first; read a page at a time. */
export async function* walkEntries(redis: Redis, first = 0): AsyncGenerator {
  let from = first;
  for (;;) {
    const page = await entriesFrom(redis, from, pageSize);
    for (const { text } of page) yield json(text);
    if (page.length < pageSize) return;
    from = (page.at(-1)?.seq ?? 0) + 1;
  }
}

function passes(entry: ChainedEntry, { namespace, actor, operation, incident }: AuditFilter): boolean {
  if (namespace !== undefined && entry.namespace !== namespace) return false;
  if (incident !== undefined && entry.incident !== incident) return false;
  if (actor !== undefined && principalKey(entry.actor) !== actor) return false;
  return operation === undefined || entry.operation === operation;
}

/** Throws what a person can act on; whether the content is genuine is verifyChain's to say. */
function parsed({ seq, text }: StoredText): ChainedEntry {
  const value = json(text);
  if (typeof value !== "object" || value === null) throw new Error(`audit entry ${seq} is no JSON: run audit verify`);
  const { v } = value as { v?: unknown };
  if (v !== 1) throw new Error(`audit entry ${seq} has format version ${String(v)}, this version of Bulkhead knows 1`);
  return value as ChainedEntry;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
