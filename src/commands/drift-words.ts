import { breaksIsolation, type DriftKind, type DriftRecord, standingDrift } from "../policy/drift.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { targetName } from "../policy/target.ts";
import { list, mustRead } from "./answers.ts";
import type { Button, Section } from "./reply.ts";

/** Kinds that Bulkhead can put back as it wrote them; the others are policies and pods of somebody else. */
const restorable: ReadonlySet<DriftKind> = new Set([
  "object-changed",
  "object-deleted",
  "marks-off",
  "ttl-altered",
  "label-off",
  "labels-back",
  "selector-back",
]);

/** What an allowance has lost is not opened anew: its time would count from then. Nor is one made longer that is to end sooner. */
export function isRestorable({ kind }: Pick<Operation, "kind">, drift: Pick<DriftRecord, "kind">): boolean {
  return restorable.has(drift.kind) && !(kind === "allowance" && drift.kind === "object-deleted");
}

/** What is put back without anybody, where that is configured: whoever narrowed an allowance meant less to be open. */
export function isRestoredAlone(operation: Pick<Operation, "kind">, drift: Pick<DriftRecord, "kind">): boolean {
  return operation.kind !== "allowance" && isRestorable(operation, drift);
}

/** What a containment that does not hold any more claims instead, of at most 150 characters; undefined where it holds as far as is known. */
export function driftHeadline(operation: Operation): string | undefined {
  const [worst, ...others] = isContaining(operation.kind) ? standingDrift(operation).filter(breaksIsolation) : [];
  if (worst === undefined) return undefined;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  const where = ` (${targetName(operation.target)})`;
  const said = `${worst.sure ? "NOT ISOLATED" : "UNKNOWN"}: ${worst.what}${more}`;
  return `${cut(said, 150 - Math.min(where.length, 70))}${cut(where, 70)}`;
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** What is not as the operation holds it, and what was lately; nothing where all is. */
export function driftSections(operation: Operation): readonly Section[] {
  const standing = standingDrift(operation);
  const over = standing.length > 0 || operation.state !== "in-force" ? [] : latest(operation);
  const items = [...standing, ...over].map(sentenceOf);
  if (items.length === 0) return [];
  const next = standing.some(({ state }) => state === "open") ? [whatNow(operation, standing)] : [];
  const title = standing.length > 0 ? "Drift: the cluster is not as this operation holds it" : "Drift: as it was again";
  return [mustRead(list(title, [...items, ...next]))];
}

/** Restore and Accept, as far as there is something for them to do. */
export function driftButtons(operation: Operation): readonly Button[] {
  const standing = standingDrift(operation);
  const restore = standing.some((record) => isRestorable(operation, record));
  const accept = standing.some(({ state }) => state === "open");
  return [
    ...(restore ? [{ action: "restore", label: "Restore", style: "primary" } as const] : []),
    ...(accept ? [{ action: "accept", label: "Accept", style: undefined } as const] : []),
  ];
}

/** What happened, by whom as far as known, how often, and how it stands. */
export function sentenceOf(record: DriftRecord): string {
  const { what, who, since, times } = record;
  const often = times === 1 ? "" : `, for the ${ordinal(times)} time`;
  const by = who === undefined ? "by whom is not known" : `by ${who}`;
  return `${capital(what)} since ${iso(since)}${often}, ${by}${endOf(record)}`;
}

function endOf({ state, by, ended, fights }: DriftRecord): string {
  if (state === "accepted") return `; accepted by ${by === undefined ? "?" : principalName(by)}.`;
  const when = ended === undefined ? "" : ` at ${iso(ended)}`;
  if (state === "gone") return `; that was over${when}.`;
  if (state === "restored") return `; put back by ${by === undefined ? "Bulkhead itself" : principalName(by)}${when}.`;
  if (fights === undefined) return ".";
  const put = fights === 1 ? "once" : `${fights} times`;
  return `. Bulkhead put it back by itself ${put}, each time it was undone, and it does not go on: who does that has to stop, or Restore is pressed by a person.`;
}

function ordinal(times: number): string {
  const last = times % 100 > 10 && times % 100 < 14 ? 0 : times % 10;
  return `${times}${["th", "st", "nd", "rd"][last] ?? "th"}`;
}

/** Of what is over, the one that ended last: the card says that it is. */
function latest({ drift }: Operation): readonly DriftRecord[] {
  const ended = drift?.records.filter(({ ended: at, state }) => at !== undefined && state !== "accepted") ?? [];
  return ended.toSorted((a, b) => (b.ended ?? 0) - (a.ended ?? 0)).slice(0, 1);
}

function whatNow(operation: Operation, standing: readonly DriftRecord[]): string {
  const restore = standing.some((record) => isRestorable(operation, record));
  const others = standing.some(({ kind }) => kind === "re-opened");
  const { namespace } = operation.target;
  return [
    ...(restore ? ["Restore puts back exactly what the plan wrote."] : []),
    ...(others ? [`Policies of others are not changed by Restore: ${undoWords(standing, namespace)}`] : []),
    "Accept leaves it as it is, and tells it no more.",
  ].join(" ");
}

function undoWords(standing: readonly DriftRecord[], namespace: string): string {
  const revisions = standing.flatMap(({ revision }) => revision ?? []);
  if (revisions.length === 0) return `/np history ${namespace} shows who changed what, /np rollback takes it back.`;
  return `${revisions.map((revision) => `/np rollback ${revision}`).join(", ")} takes it back.`;
}

function capital(clause: string): string {
  return clause.charAt(0).toUpperCase() + clause.slice(1);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
