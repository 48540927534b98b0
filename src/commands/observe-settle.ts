import type { Count, Leak, Observed, Tells } from "../policy/observed.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import type { Observation } from "../scheduler/observations.ts";
import type { Outlet } from "./desk.ts";
import { seenBy } from "./observe-evidence.ts";
import { type FlowLine, lineOf, lineWords } from "./observe-lines.ts";
import { tellObserved } from "./observe-tell.ts";
import { releaseOf } from "./releasing.ts";
import type { Services } from "./services.ts";

/** What settling needs of its surroundings. */
export type Settling = {
  readonly services: Services;
  readonly outletFor: (operation: Operation) => Outlet;
  readonly tells: Tells;
};

/**
 * Brings the operation's record to what all replicas have seen of it, if that says something new, and tells it: what got
 * through is stored before anybody is told, and whoever stored it tells. Of an operation that is not in force, or is being
 * released at this moment, nothing is kept: what was cut off is opened then.
 */
export async function settleObserved(parts: Settling, id: string, seen: Observation): Promise<void> {
  const { services, tells } = parts;
  const operation = await services.operations.get(id);
  if (operation === undefined || operation.state !== "in-force") return;
  const at = services.now();
  const next = afterLook(operation, foundIn(services, operation, seen), { at, tells });
  if (next === undefined || (await releaseOf(services, operation)) !== undefined) return;
  const stored = await services.operations.replace({ ...operation, observed: next });
  // Somebody else was first: the next look compares again.
  if (stored !== undefined)
    await tellObserved(services, stored, { before: operation.observed, outlet: parts.outletFor(stored) });
}

type Looked = { readonly at: number; readonly tells: Tells };

/** Numbers alone are stored no more often than this. */
const everyMs = 30_000;

/** Undefined where the record says it already, or says it well enough for now. */
function afterLook({ observed: before }: Operation, found: Found, looked: Looked): Observed | undefined {
  const next = nextOf(before, found, looked);
  if (before === undefined)
    return next.tells === "nothing" && keys.every((key) => next[key] === undefined) ? undefined : next;
  if (isNews(before, next, looked.at)) return next;
  const isMore = keys.some((key) => before[key]?.count !== next[key]?.count);
  return isMore && looked.at - before.at >= everyMs ? next : undefined;
}

const keys = ["denied", "leak", "used"] as const;

function nextOf(before: Observed | undefined, found: Found, { at, tells }: Looked): Observed {
  const { denied, leak, used } = found;
  return {
    since: before?.since ?? at,
    // What was told once can be told: a source that reconnects makes nothing unknown.
    tells: tells === "nothing" ? (before?.tells ?? tells) : tells,
    at,
    ...(denied && { denied }),
    ...(leak && { leak: withTelling(leak, before?.leak, at) }),
    ...(used && { used }),
  };
}

function isNews(before: Observed, next: Observed, at: number): boolean {
  const isOwed = next.leak?.tellingAt === at && next.leak.toldAt === undefined;
  const isFirst = keys.some((key) => before[key] === undefined && next[key] !== undefined);
  return before.tells !== next.tells || isOwed || isFirst;
}

type Found = {
  readonly denied?: Count | undefined;
  readonly leak?: Leak | undefined;
  readonly used?: Count | undefined;
};

/** Its words are for the card, and so for whoever asked for the operation. */
function foundIn(services: Services, operation: Operation, { counters, lines }: Observation): Found {
  if (!isContaining(operation.kind)) return { used: ofTellers(counters, "used") };
  const denied = counters.get("denied");
  const [surely, perhaps] = [ofTellers(counters, "leak"), ofTellers(counters, "perhaps")];
  const count = surely ?? perhaps;
  if (count === undefined) return { denied };
  const what = surely === undefined ? "perhaps" : "leak";
  const told = lines.flatMap(({ name }) => lineOf(name) ?? []).filter((line) => line.what === what);
  const words = told
    .toSorted((a, b) => inside(a) - inside(b))
    .map((line) => lineWords(line, seenBy(services, operation)));
  const evidence = [...new Set(words)].slice(0, mostEvidence);
  return { denied, leak: { ...count, sure: surely !== undefined, evidence } };
}

/** The world outside comes first. */
function inside({ from, to }: FlowLine): number {
  return from.namespace === undefined || to.namespace === undefined ? 0 : 1;
}

const mostEvidence = 5;

/** Both ends may have told of the same connections: the larger number is sure. */
function ofTellers(counters: ReadonlyMap<string, Count>, what: string): Count | undefined {
  const all = ["ingress", "egress", "unsaid"].flatMap((teller) => counters.get(`${what}:${teller}`) ?? []);
  if (all.length === 0) return undefined;
  return {
    count: Math.max(...all.map(({ count }) => count)),
    atLeast: all.some(({ atLeast }) => atLeast),
    firstAt: Math.min(...all.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...all.map(({ lastAt }) => lastAt)),
  };
}

/** It is told once; what was perhaps and is sure now is told again. Who began to tell it a moment ago may yet do so. */
function withTelling(leak: Leak, before: Leak | undefined, at: number): Leak {
  const known = before === undefined || before.sure !== leak.sure ? undefined : before;
  if (known?.toldAt !== undefined) return { ...leak, toldAt: known.toldAt };
  const isBeingTold = known?.tellingAt !== undefined && at - known.tellingAt <= tellAgainMs;
  const isForgotten = known !== undefined && at - known.firstAt > owedForMs;
  if (isForgotten) return leak;
  return { ...leak, tellingAt: isBeingTold ? (known.tellingAt ?? at) : at };
}

const tellAgainMs = 10_000;
const owedForMs = 3_600_000;
