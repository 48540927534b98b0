import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { canonicalJson } from "../policy/canonical.ts";
import { emptyHead, link } from "./chain.ts";
import type { ChainedEntry, ChainHead, NewEntry } from "./entry.ts";
import { findEntry } from "./read.ts";
import { storeEntry } from "./stream.ts";

/** An append that has lost so many races in a row fails: the store is in a state that nobody foresaw. */
const mostRaces = 100;
type OnEntry = (entry: ChainedEntry) => unknown;

/**
 * Appends one entry at a time and in the order of the calls, so that one process never races with itself; other
 * replicas may win a race for the head, and then the entry is linked anew. When the store fails, all that wait fail
 * with it, instead of each finding out by a time limit of its own.
 */
export function createAppender(redis: Redis, onEntry: OnEntry): (entry: NewEntry) => Promise<ChainedEntry> {
  const append = createTurn(redis, onEntry);
  let last: Promise<unknown> = Promise.resolve();
  let calls = 0;
  let failure: { readonly callsUntilThen: number; readonly error: unknown } | undefined;

  const turn = async (call: number, entry: NewEntry): Promise<ChainedEntry> => {
    if (failure !== undefined && call <= failure.callsUntilThen) throw failure.error;
    try {
      return await append(entry);
    } catch (error) {
      failure = { callsUntilThen: calls, error };
      throw error;
    }
  };

  return async (entry) => {
    // What has no JSON form is refused here, where it is no failure of the store.
    canonicalJson(entry);
    calls += 1;
    const appended = last.then(turn.bind(undefined, calls, entry));
    last = appended.catch(() => undefined);
    return appended;
  };
}

/** One append at a time: knows the newest head that it has seen. */
function createTurn(redis: Redis, onEntry: OnEntry): (entry: NewEntry) => Promise<ChainedEntry> {
  let head = emptyHead;
  return async (entry) => {
    const { stored, known } = await storeLinked(redis, entry, head);
    if (known) return stored;
    head = { seq: stored.seq, hash: stored.hash };
    onEntry(stored);
    return stored;
  };
}

type Outcome = { readonly stored: ChainedEntry; readonly known: boolean };

async function storeLinked(redis: Redis, entry: NewEntry, from: ChainHead): Promise<Outcome> {
  let head = from;
  for (let race = 0; race < mostRaces; race += 1) {
    const { entry: linked, text } = link(entry, head);
    const result = await storeEntry(redis, { id: entry.id, text }, head, linked);
    if (result.kind === "stored") return { stored: linked, known: false };
    if (result.kind === "known") return { stored: await existing(redis, entry.id), known: true };
    head = result.head;
    // Two writers at full speed would keep each other losing; a random pause lets one of them through. The head is old
    // after a pause, so the try that follows only brings a new one, and the next try comes at once.
    if (race % 2 === 1) await delay(Math.random() * Math.min(race * 2, 20));
  }
  throw new Error(`the audit log was busy: the entry lost ${mostRaces} races for the head of the chain`);
}

async function existing(redis: Redis, id: string): Promise<ChainedEntry> {
  const entry = await findEntry(redis, id);
  if (entry === undefined) throw new Error(`audit entry ${id} vanished while it was read`);
  return entry;
}
