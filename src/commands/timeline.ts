import type { ChainedEntry } from "../audit/entry.ts";
import { principalKey, principalName } from "../policy/principal.ts";
import { liftedBy } from "./incident-entries.ts";
import { actionOf, outcomeOf } from "./timeline-words.ts";

/** What one entry of the audit says, in words; every string is hostile until it is written in some format. */
export type TimelineRow = {
  /** UTC, ISO 8601. */
  readonly at: string;
  readonly actor: string;
  /** The principal's key; empty where nobody could tell. */
  readonly actorKey: string;
  readonly action: string;
  readonly object: string;
  readonly reason: string;
  readonly outcome: string;
  readonly operation: string;
  /** Slack's address of the operation's card; empty where there is none. */
  readonly permalink: string;
  /** The entry's number in the chain, and its hash (64 hex digits). */
  readonly entry: number;
  readonly hash: string;
};

/** What a postmortem needs of an incident. */
export type Timeline = {
  readonly incident: string;
  /** UTC, ISO 8601. */
  readonly exportedAt: string;
  /** What verifying the chain found, in words. */
  readonly chain: string;
  readonly people: readonly { readonly name: string; readonly key: string; readonly entries: number }[];
  readonly clusters: readonly string[];
  /** By time, then by number. */
  readonly rows: readonly TimelineRow[];
  /** What was still to be done when this was exported, as far as the chain knows. */
  readonly open: readonly string[];
};

export type About = Pick<Timeline, "incident" | "exportedAt" | "chain">;

/** The timeline of an incident from its entries (incident-entries.ts), in the order of the chain. Pure. */
export function timelineOf(entries: readonly ChainedEntry[], about: About): Timeline {
  const intents = new Set(entries.flatMap(({ kind, operation }) => (kind === "intent" ? (operation ?? []) : [])));
  const rows = entries
    .map((entry) =>
      entry.kind === "outcome" && intents.has(entry.operation ?? "") ? { ...rowOf(entry), reason: "" } : rowOf(entry),
    )
    .toSorted((a, b) => compare(a.at, b.at) || a.entry - b.entry);
  return { ...about, people: peopleIn(rows), clusters: clustersIn(entries), rows, open: openItems(entries) };
}

function rowOf(entry: ChainedEntry): TimelineRow {
  return {
    at: entry.at,
    actor: principalName(entry.actor),
    actorKey: principalKey(entry.actor) ?? "",
    action: actionOf(entry),
    object: objectOf(entry),
    reason: entry.reason ?? "",
    outcome: outcomeOf(entry),
    operation: entry.operation ?? "",
    permalink: entry.where.permalink ?? "",
    entry: entry.seq,
    hash: entry.hash,
  };
}

/** With cluster and uid, since a name alone is that of several pods in time. */
function objectOf({ object, namespace, cluster, detail }: ChainedEntry): string {
  const plan = detail?.["plan"];
  const uid = typeof plan === "object" && plan !== null && "podUid" in plan ? plan.podUid : undefined;
  const what = object ?? (namespace === undefined ? "" : `namespace ${namespace}`);
  return [
    what,
    ...(cluster === undefined ? [] : [`cluster ${cluster}`]),
    ...(typeof uid === "string" ? [`uid ${uid}`] : []),
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function peopleIn(rows: readonly TimelineRow[]): Timeline["people"] {
  const keys = [...new Set(rows.map(({ actorKey }) => actorKey))].toSorted(compare);
  return keys.map((key) => {
    const theirs = rows.filter(({ actorKey }) => actorKey === key);
    return { name: theirs.at(-1)?.actor ?? "", key, entries: theirs.length };
  });
}

function clustersIn(entries: readonly ChainedEntry[]): readonly string[] {
  return [...new Set(entries.flatMap(({ cluster }) => cluster ?? []))].toSorted(compare);
}

/** Operations in the order in which they began; what of them is not at its end. */
function openItems(entries: readonly ChainedEntry[]): readonly string[] {
  const ended = new Map<string, string>();
  for (const entry of entries) {
    const quarantine = liftedBy(entry);
    const outcome = quarantine === undefined ? undefined : outcomeEntry(entries, entry.operation);
    if (quarantine !== undefined && outcome !== undefined && !hasFailed(outcome))
      ended.set(quarantine, outcome.operation ?? "");
  }
  const operations = [...new Set(entries.flatMap(({ operation }) => operation ?? []))];
  return operations.flatMap((id) => [...(ended.has(id) ? [] : openItem(entries, id)), ...owedBy(entries, id)]);
}

/** What others were asked and have not answered, and what another person is still to look at. */
function owedBy(entries: readonly ChainedEntry[], id: string): readonly string[] {
  const of = entries.filter(({ operation }) => operation === id);
  const [asked, began] = [of.findLast(isKind("approval-asked")), of.find(isKind("intent"))];
  if (asked !== undefined && began === undefined) {
    const isOpen = !of.some(({ kind }) => endsRequest.has(kind));
    return isOpen ? [`${id}, ${asked.verb} of ${objectOf(asked)}: waits for approval since ${asked.at}`] : [];
  }
  const because = began === undefined ? undefined : reviewOf(began);
  if (began === undefined || because === undefined || of.some(isKind("reviewed"))) return [];
  return [`${id}, ${began.verb} of ${objectOf(began)}: needs review (${because})`];
}

const endsRequest: ReadonlySet<string> = new Set(["denied", "withdrawn", "void", "expired"]);

function isKind(wanted: ChainedEntry["kind"]): (entry: ChainedEntry) => boolean {
  return ({ kind }) => kind === wanted;
}

/** Why the plan that was carried out leaves something for another person to look at. */
function reviewOf({ detail }: ChainedEntry): string | undefined {
  const plan = detail?.["plan"];
  if (typeof plan !== "object" || plan === null) return undefined;
  if ("breakGlass" in plan && plan.breakGlass === true) return "break-glass";
  return "review" in plan && typeof plan.review === "string" ? plan.review : undefined;
}

function openItem(entries: readonly ChainedEntry[], id: string): readonly string[] {
  const began = entries.find(({ operation, kind }) => operation === id && kind === "intent");
  const outcome = outcomeEntry(entries, id);
  const about = began ?? outcome;
  if (about === undefined) return [];
  const what = `${id}, ${about.verb} of ${objectOf(about)}`;
  if (outcome === undefined) return [`${what}: confirmed at ${about.at}, and no outcome is recorded`];
  if (hasFailed(outcome)) return [`${what}: failed at ${outcome.at}, ${outcome.summary}; ${leftBy(outcome)}`];
  if (about.verb === "quarantine" || about.verb === "lockdown")
    return [`${what}: in force since ${outcome.at}, ${outcome.summary}`];
  return outcome.ok === false ? [`${what}: ended at ${outcome.at}, ${outcome.summary}`] : [];
}

/** The last one: an operation that failed may have been tried again. What was put back later is no end of it. */
function outcomeEntry(entries: readonly ChainedEntry[], id: string | undefined): ChainedEntry | undefined {
  return entries.findLast(({ operation, kind, verb }) => operation === id && kind === "outcome" && verb !== "restore");
}

function hasFailed({ detail }: ChainedEntry): boolean {
  return detail !== undefined && "error" in detail;
}

function leftBy({ detail }: ChainedEntry): string {
  const left = detail?.["left"];
  return typeof left === "string" ? left : "what was written so far stays";
}

/** By code units: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
