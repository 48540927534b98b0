import { breaksIsolation, type DriftRecord } from "../policy/drift.ts";
import type { Operation } from "../policy/operation.ts";
import { principalKey } from "../policy/principal.ts";
import { targetName } from "../policy/target.ts";
import { list, note } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Outlet } from "./desk.ts";
import { sentenceOf } from "./drift-words.ts";
import { recordAs } from "./journal.ts";
import type { Reply } from "./reply.ts";
import { amend, keepCard, type Services } from "./services.ts";

/**
 * Tells how these records stand: the audit (under one id, whoever writes it), the card, and a message of its own that calls
 * who asked for the operation and who confirmed it. What reached nobody is not marked as told, so that it is told again.
 */
export async function tellDrift(
  services: Services,
  operation: Operation,
  {
    records,
    outlet,
    remark,
  }: { readonly records: readonly DriftRecord[]; readonly outlet: Outlet; readonly remark?: string | undefined },
): Promise<void> {
  if (records.length === 0) return;
  await Promise.all(records.map((record) => recordDrift(services, operation, record)));
  const shown = await outlet.show(operationCard(operation, services.now()), operation.card);
  if (shown.card !== undefined && shown.card.ts !== operation.card?.ts) await keepCard(services, operation, shown.card);
  const card = shown.card ?? operation.card;
  const { reached } = await outlet.show(messageOf({ ...operation, ...(card && { card }) }, records, remark), undefined);
  if (!reached) return;
  const told = new Set(records.map(keyOf));
  const at = services.now();
  await amend(services, operation.id, (now) =>
    withRecords(now, (record) => (told.has(keyOf(record)) ? { ...record, toldAt: at } : record)),
  );
}

/** The operation with each record of its drift changed so. */
export function withRecords(operation: Operation, change: (record: DriftRecord) => DriftRecord): Operation {
  const { drift } = operation;
  return drift === undefined ? operation : { ...operation, drift: { ...drift, records: drift.records.map(change) } };
}

/** Which drift, which time, and how it stood. */
function keyOf({ id, times, state }: DriftRecord): string {
  return `${id}:${times}:${state}`;
}

/** Throws where the chain takes it neither now nor later. */
export async function recordDrift(services: Services, operation: Operation, record: DriftRecord): Promise<void> {
  const { kind, what, who, since, times, state, by, object, revision } = record;
  const entry = {
    kind: "drift",
    verb: "drift",
    actor: by ?? { kind: "scheduler" },
    ok: state !== "open",
    summary: sentenceOf(record),
    detail: { drift: kind, what, who, since: new Date(since).toISOString(), times, state, object, revision },
  } as const;
  await recordAs(services, operation, entry, `${operation.id}:drift:${keyOf(record)}`);
}

function messageOf(operation: Operation, records: readonly DriftRecord[], remark: string | undefined): Reply {
  const { id, card, target } = operation;
  const open = records.filter(({ state }) => state === "open");
  const where = card?.permalink === undefined ? [] : [`Its card: ${card.permalink}`];
  return {
    ...note(`${headlineOf(operation, open)}: ${id}, ${targetName(target)}`.slice(0, 150), [
      list(undefined, [...records.map(sentenceOf), ...(remark === undefined ? [] : [remark])]),
      ...(open.length === 0
        ? []
        : [list(undefined, ["Restore and Accept are on its card; /np drift lists what is not as it is held."])]),
    ]),
    shape: "card",
    tone: open.length === 0 ? "neutral" : "bad",
    mentions: open.length === 0 ? [] : whoCares(operation),
    footer: [id, ...where],
  };
}

function headlineOf(operation: Operation, open: readonly DriftRecord[]): string {
  if (open.length === 0) return "As it was again";
  if (operation.kind === "allowance") return "An allowance was changed by somebody else";
  return open.some(breaksIsolation) ? "NOT ISOLATED as it was" : "Changed by somebody else";
}

/** Keys of the people who asked for it and who confirmed it. */
export function whoCares({ principal, confirmed }: Operation): readonly string[] {
  const people = [principal, ...(confirmed === undefined ? [] : [confirmed.by])];
  const keys = people.flatMap((one) => (one.kind === "slack" ? (principalKey(one) ?? []) : []));
  return [...new Set(keys)];
}
