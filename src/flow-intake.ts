import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Inflated, Unpackable } from "./flow-body.ts";
import { entriesOf } from "./flows/envelope.ts";
import type { FlowSourceState } from "./flows/flow-source.ts";
import { createFlowReader, type FlowReader } from "./flows/formats.ts";
import type { FlowFormat, FlowItem } from "./flows/record.ts";
import { createRemembered } from "./flows/remembered.ts";
import type { FlowSink } from "./flows/sink.ts";

export type IntakeOptions = {
  readonly clusters: readonly string[];
  readonly sink: FlowSink;
  readonly now: () => number;
  readonly onProblem: (error: Error) => void;
};

/** How many entries were read and not, and what to do about those that are known and of no use. */
export type Counts = {
  readonly read: number;
  readonly unreadable: number;
  readonly advice: readonly string[];
  /** It was taken before, and counts no more: whoever posted it missed the answer. */
  readonly again?: true;
};

export type Taken = Counts | "full" | Unpackable["kind"];

/** Takes bodies one after the other, so that one alone is unpacked in memory. */
export type Intake = {
  take(cluster: string, unpack: () => Promise<Inflated>): Promise<Taken>;
  /** Tells of it, unless something was told of this cluster within the last minute. */
  problem(cluster: string, words: string): void;
  states(): readonly FlowSourceState[];
};

const quietMs = 60_000;
/** So often others have a turn while a body is read. */
const entriesATurn = 500;
const mostBodies = 4_096;
/** Shorter ones, of lines that tell no time, may be the same and tell of something else. */
const shortestBody = 1_024;
const mostAdvice = 5;
const longestSample = 160;

type Standing = { readonly formats: Set<FlowFormat>; lastFlowMs: number | undefined };

export function createIntake({ clusters, sink, now, onProblem }: IntakeOptions): Intake {
  const readers = new Map<string, FlowReader>();
  const taken = createRemembered(mostBodies);
  const standings = new Map<string, Standing>(
    clusters.map((of) => [of, { formats: new Set(), lastFlowMs: undefined }]),
  );
  const toldMs = new Map<string, number>();
  let last: Promise<unknown> = Promise.resolve();

  function problem(cluster: string, words: string): void {
    if (now() - (toldMs.get(cluster) ?? -Infinity) < quietMs) return;
    toldMs.set(cluster, now());
    onProblem(new Error(words));
  }

  /** What a reader remembers of a body that was refused must not be there when it comes again. */
  async function read(cluster: string, text: string): Promise<Counts | "full"> {
    const id = text.length < shortestBody ? undefined : hash("sha1", `${cluster}\n${text}`, "base64");
    if (id !== undefined && taken.has(id)) return { read: 0, unreadable: 0, advice: [], again: true };
    const reader = readers.get(cluster) ?? createFlowReader();
    readers.delete(cluster);
    const reading = await readingOf(text, reader, now());
    if (!sink.take(cluster, reading.items)) return "full";
    if (id !== undefined) taken.isNew(id, now());
    readers.set(cluster, reader);
    heed(standings.get(cluster), reading.items, now());
    if (reading.sample !== undefined)
      problem(cluster, `flows of ${cluster} that cannot be read were posted, such as ${reading.sample}`);
    else if (reading.advice.size > 0) problem(cluster, `flows of ${cluster}: ${[...reading.advice].join(" ")}`);
    return { read: reading.read, unreadable: reading.unreadable, advice: [...reading.advice] };
  }

  async function takeNow(cluster: string, unpack: () => Promise<Inflated>): Promise<Taken> {
    const text = await unpack();
    return typeof text === "string" ? read(cluster, text) : text.kind;
  }

  return {
    take(cluster, unpack) {
      const outcome = last.then(() => takeNow(cluster, unpack));
      last = outcome.catch(() => undefined);
      return outcome;
    },
    problem,
    states: () => [...standings].map(([cluster, standing]) => stateOf(cluster, standing)),
  };
}

type Reading = {
  readonly items: FlowItem[];
  readonly advice: Set<string>;
  read: number;
  unreadable: number;
  /** An entry that could not be read, cut and escaped, and why. */
  sample: string | undefined;
};

async function readingOf(text: string, reader: FlowReader, atMs: number): Promise<Reading> {
  const reading: Reading = { items: [], advice: new Set(), read: 0, unreadable: 0, sample: undefined };
  let entries = 0;
  for (const { entry, carried } of entriesOf(text)) {
    note(reading, entry, reader.read(entry, { atMs, ...carried }));
    entries += 1;
    if (entries % entriesATurn === 0) await nextTurn();
  }
  return reading;
}

function note(reading: Reading, entry: string | object, items: readonly FlowItem[]): void {
  for (const item of items) {
    reading.items.push(item);
    if (item.kind === "unsupported" && reading.advice.size < mostAdvice)
      reading.advice.add(`${item.what}: ${item.advice}`);
    if (item.kind === "unreadable") reading.sample ??= `${sampleOf(entry)}: ${item.why}`;
    if (item.kind === "unreadable") reading.unreadable += 1;
    else reading.read += 1;
  }
}

/** Printable ASCII alone, so that it can stand in any log. */
function sampleOf(entry: string | object): string {
  const text = typeof entry === "string" ? entry : JSON.stringify(entry);
  return JSON.stringify(text.slice(0, longestSample).replaceAll(/[^\x20-\x7e]/g, "?"));
}

function heed(standing: Standing | undefined, items: readonly FlowItem[], nowMs: number): void {
  if (standing === undefined) return;
  for (const item of items)
    if (item.kind === "flow") {
      standing.formats.add(item.record.format);
      standing.lastFlowMs = nowMs;
    }
}

function stateOf(cluster: string, { formats, lastFlowMs }: Standing): FlowSourceState {
  const state = lastFlowMs === undefined ? "connecting" : "connected";
  return { name: "posted", cluster, kind: "push", state, why: undefined, formats: [...formats], lastFlowMs };
}
