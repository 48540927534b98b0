import { formatDuration } from "../policy/duration.ts";
import type { AllowanceEnd, Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { operationCard } from "./card.ts";
import { inTime } from "./clusters.ts";
import type { Outlet } from "./desk.ts";
import { recordAs, standing } from "./journal.ts";
import { keepCard, type Services } from "./services.ts";
import { tellClosed } from "./tell-closed.ts";
import { inEnd } from "./tracing.ts";

/** How an allowance ended, and what is known of it. */
export type AllowanceEnding = {
  /** As it is stored, or as its objects told of it. */
  readonly operation: Operation;
  readonly end: AllowanceEnd;
  /** What proves it, for the audit: the objects, which net closed them, who says so. */
  readonly detail: Readonly<Record<string, unknown>>;
};

const withinMs = 15_000;

/**
 * Tells everybody that nothing of an allowance is left in the cluster: the audit (under one id, whichever replica and net
 * writes it), the operation, its card. The objects are gone already, so that nothing waits for this; it throws where any of it
 * could not be done in time, and the sweep over the allowances does it again. A card that reached nobody is shown
 * again by a takeover.
 */
export function endAllowance(
  services: Services,
  ending: AllowanceEnding,
  outletFor: (operation: Operation) => Outlet,
): Promise<void> {
  return inEnd(services, ending.operation, ending.end, async () => {
    const audited = await auditEnded(services, ending);
    await showEnded(services, { ...ending, audited }, outletFor);
  });
}

/** The entry alone; where it stands then. Waits for nothing but a place to lie: where Redis is away it is spooled. */
export async function auditEnded(services: Services, { operation, end, detail }: AllowanceEnding): Promise<string> {
  const { at, lateMs, why, by } = end;
  const note = {
    kind: "ended",
    actor: by ?? { kind: "scheduler" },
    ok: true,
    summary: sentenceOf(end),
    detail: { why, at: new Date(at).toISOString(), lateMs, ...detail },
  } as const;
  return standing(await inTime(recordAs(services, operation, note, `${operation.id}:ended`), withinMs));
}

/** The rest, with where its entry stands. */
export async function showEnded(
  services: Services,
  ending: AuditedEnding,
  outletFor: (operation: Operation) => Outlet,
): Promise<void> {
  const held = await inTime(storeEnded(services, ending), withinMs);
  if (held === undefined) return;
  const { operation: stored, lease } = held;
  const outlet = outletFor(stored);
  const shown = await inTime(outlet.show(operationCard(stored, services.now()), stored.card), withinMs);
  const card = shown.card ?? stored.card;
  if (card !== undefined)
    await inTime(tellClosed(services, { ...stored, card }, outlet), withinMs).catch(() => undefined);
  if (shown.card !== undefined && shown.card.ts !== stored.card?.ts) await keepCard(services, stored, shown.card);
  if (shown.reached && lease !== undefined) await services.leases.end(lease);
}

type AuditedEnding = AllowanceEnding & { readonly audited: string };

type Stored = Awaited<ReturnType<Services["operations"]["replaceAndHold"]>>;

/** With its lease, so that its card is owed until it was seen. Undefined where another replica has told it already. */
async function storeEnded(services: Services, ending: AuditedEnding, tries = 5): Promise<Stored> {
  const { operation } = ending;
  const current = await services.operations.get(operation.id);
  if (current === undefined) return restoreEnded(services, ending);
  if (current.allowance?.ended !== undefined) return undefined;
  const stored = await services.operations.replaceAndHold(endedOf(current, ending));
  if (stored !== undefined) return stored;
  if (tries <= 1) throw new Error(`operation ${operation.id} kept changing`);
  return storeEnded(services, ending, tries - 1);
}

/** Its record was lost: what its objects told of it is what is left. */
async function restoreEnded(services: Services, ending: AuditedEnding): Promise<Stored> {
  const accepted = await services.operations.accept(endedOf({ ...ending.operation, revision: 0 }, ending));
  if (accepted.kind !== "accepted") throw new Error(`operation ${ending.operation.id} is stored by somebody else`);
  return { operation: accepted.operation, lease: accepted.lease };
}

function endedOf(operation: Operation, { end, audited }: AuditedEnding): Operation {
  const { allowance = { ttlSeconds: 0, maxSeconds: 0 }, result, state } = operation;
  const { extending: _, ...record } = allowance;
  const steps = [...operation.steps, { step: isFound(end) ? "found gone" : "closed", at: end.at }];
  const ended = { ...operation, steps, allowance: { ...record, ended: end } };
  // What failed is told as it is; nothing of it is left now.
  if (state === "failed") return ended;
  return {
    ...ended,
    state: "done",
    result: {
      headline: `CLOSED: ${subjectOf(operation)}, ${sentenceOf(end)}`.slice(0, 150),
      tone: isFound(end) ? "warning" : "good",
      lines: [...(result?.lines ?? []), openConnections],
      audited,
    },
  };
}

/** Not closed by Bulkhead. */
function isFound({ why }: AllowanceEnd): boolean {
  return why === "gone" || why === "unseen";
}

const openConnections = "Connections that were opened meanwhile may go on: most engines cut off only new ones.";

function subjectOf({ plan, target }: Operation): string {
  return plan?.kind === "allow" ? `${plan.template.name} in ${target.namespace}` : target.namespace;
}

/** `closed 40ms after its end at the latest`. */
function sentenceOf({ why, lateMs, by }: AllowanceEnd): string {
  const early = `${formatDuration(Math.max(0, -lateMs))} before its end`;
  if (why === "unseen") return "nothing of it is in the cluster, and nobody saw that anything was";
  if (why === "gone") return `somebody else deleted it ${lateMs < 0 ? early : "after its end"}`;
  if (why === "ended") return `ended ${by === undefined ? "early" : `by ${principalName(by)}`} ${early}`;
  return `closed at most ${formatDuration(Math.max(0, lateMs))} after its end`;
}
