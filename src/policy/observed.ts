/** How often something was seen, and when first and last: milliseconds since the epoch. */
export type Count = {
  readonly count: number;
  /** There may have been more. */
  readonly atLeast: boolean;
  readonly firstAt: number;
  readonly lastAt: number;
};

/** Traffic of a containment that got through. */
export type Leak = Count & {
  /** False: it may have begun before the pods were cut off. */
  readonly sure: boolean;
  /** The first few, a clause each, names from outside in it. */
  readonly evidence: readonly string[];
  /** When a replica began to tell it, and when somebody had been told. */
  readonly tellingAt?: number;
  readonly toldAt?: number;
};

/** What flows have shown of an operation since it is in force, as its record keeps it. */
export type Observed = {
  /** When a replica first looked, milliseconds since the epoch. */
  readonly since: number;
  /** What sources of its cluster could tell then; `nothing`: none was connected. */
  readonly tells: Tells;
  /** When this was stored. */
  readonly at: number;
  readonly denied?: Count;
  readonly leak?: Leak;
  /** Of an allowance: what used it. */
  readonly used?: Count;
};

/** `denied`: no source tells what got through. */
export type Tells = "nothing" | "denied" | "forwarded";

/** Both together; undefined where there is neither. */
export function sumOf(a: Count | undefined, b: Count | undefined): Count | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    count: a.count + b.count,
    atLeast: a.atLeast || b.atLeast,
    firstAt: Math.min(a.firstAt, b.firstAt),
    lastAt: Math.max(a.lastAt, b.lastAt),
  };
}

/** Whether a leak is over as far as flows tell: what was denied a good while after it says so, silence does not. */
export function isOver({ leak, denied }: Pick<Observed, "leak" | "denied">): boolean {
  return leak !== undefined && denied !== undefined && denied.lastAt > leak.lastAt + overAfterMs;
}

/** Some nodes may deny while others do not. */
const overAfterMs = 60_000;

/** A sentence for the card; undefined is an operation at which nobody has looked. */
export function observedLine(observed: Observed | undefined): string {
  if (observed === undefined || (observed.tells === "nothing" && isEmpty(observed))) return "Observed: no flow source.";
  const { leak, denied, tells } = observed;
  const attempts = denied === undefined ? "" : `${manyWords(denied, "attempt was denied", "attempts were denied")}`;
  if (leak !== undefined) {
    const through = leak.sure ? "got through" : "got through, perhaps on connections that were open before";
    const since = attempts === "" ? "" : `; ${attempts}`;
    return `Observed: NO, ${countWords(leak)} ${through}, last at ${clock(leak.lastAt)}${since}.`;
  }
  if (denied === undefined) return "Observed: not known, no flow of it was seen yet. Silence is no proof.";
  if (tells !== "forwarded") {
    return `Observed: ${attempts}. What gets through is not seen: the flow source tells only what is denied.`;
  }
  return `Observed: ${attempts}, none was seen to get through.`;
}

/** Of an allowance: a sentence. */
export function usedLine(observed: Observed | undefined): string {
  if (observed === undefined || (observed.tells === "nothing" && observed.used === undefined)) {
    return "How often it is used is not known: Bulkhead has no flow source there.";
  }
  const { used, tells, since } = observed;
  if (used !== undefined) return `It is used: ${countWords(used)} seen, last at ${clock(used.lastAt)}.`;
  if (tells !== "forwarded") return "How often it is used is not known: the flow source tells only what is denied.";
  return `It was not seen used since ${clock(since)}.`;
}

function isEmpty({ denied, leak, used }: Observed): boolean {
  return denied === undefined && leak === undefined && used === undefined;
}

/** `at least 12 connections`. */
export function countWords({ count, atLeast }: Count): string {
  return `${atLeast ? "at least " : ""}${count} ${count === 1 ? "connection" : "connections"}`;
}

function manyWords({ count, atLeast, lastAt }: Count, one: string, many: string): string {
  return `${atLeast ? "at least " : ""}${count} ${count === 1 ? one : many}, last at ${clock(lastAt)}`;
}

/** `2026-01-01 14:00:03 UTC`. */
export function clock(ms: number): string {
  return `${new Date(ms).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}
