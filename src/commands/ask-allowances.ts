import { formatDuration } from "../policy/duration.ts";
import type { AllowanceRecord, Operation } from "../policy/operation.ts";
import { clock } from "./allow-words.ts";
import { allowanceButtons } from "./allowance-buttons.ts";
import { howOften, whatNow } from "./allowance-question.ts";
import { note, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Outlet, Shown } from "./desk.ts";
import { amend, type Services } from "./services.ts";

type OutletFor = (operation: Operation) => Outlet;

/**
 * One sweep over the allowances in force: ten and two minutes before its end, its card and the thread below it ask whether it is
 * still used. How often it has asked is stored first, so that of several replicas one asks; where nobody saw it, the next
 * sweep asks again. One that cannot be asked about holds up no other, and is metered. Resolves with how many were asked about.
 */
export async function askAllowances(services: Services, outletFor: OutletFor): Promise<number> {
  const live = await services.operations.list({ live: true });
  const asked = await Promise.all(live.map((operation) => ask(services, operation, outletFor)));
  return asked.filter((one) => one).length;
}

async function ask(services: Services, operation: Operation, outletFor: OutletFor): Promise<boolean> {
  const due = dueOf(services, operation);
  const { allowance } = operation;
  if (due === undefined || allowance === undefined) return false;
  try {
    const stored = await services.operations.replace({
      ...operation,
      allowance: { ...allowance, asked: due.questions },
    });
    if (stored === undefined) return false;
    const reached = await tell(services, stored, outletFor(stored), due.leftMs).catch(() => false);
    if (!reached) await amend(services, stored.id, (now) => unasked(now, due.questions, allowance.asked ?? 0));
    return reached;
  } catch (error) {
    services.meter({ kind: "error", where: "ask", message: `${operation.id}: ${String(error)}` });
    return false;
  }
}

type Due = { readonly questions: number; readonly leftMs: number };

/** By the API server's clock at its latest: rather a moment early than after the end. Undefined where nothing is due. */
function dueOf({ clusters }: Services, { state, allowance, card, origin, target }: Operation): Due | undefined {
  const time = clusters.get(target.cluster)?.cluster.serverTime();
  // What was typed at a terminal has nobody to be asked.
  const canAsk = card !== undefined || origin.source === "slack";
  if (state !== "in-force" || !canAsk || time === undefined) return undefined;
  if (allowance?.endsAt === undefined || allowance.ended !== undefined) return undefined;
  const leftMs = allowance.endsAt - time.latestMs;
  const questions = momentsOf(allowance).filter((moment) => leftMs <= moment).length;
  return leftMs > 0 && questions > (allowance.asked ?? 0) ? { questions, leftMs } : undefined;
}

const minuteMs = 60_000;
/** Five seconds, and the time between two sweeps. */
const leastMs = 7_000;

/**
 * How long before its end it asks, milliseconds: ten minutes and two, of shorter times half and a tenth, and always so that five
 * seconds are left. What lasts no longer than that is not asked about.
 */
export function momentsOf({ ttlSeconds }: Pick<AllowanceRecord, "ttlSeconds">): readonly number[] {
  const ttlMs = ttlSeconds * 1_000;
  const moments = [Math.min(10 * minuteMs, ttlMs / 2), Math.min(2 * minuteMs, ttlMs / 10)];
  return [...new Set(moments.map((moment) => Math.max(leastMs, moment)))].filter((moment) => moment < ttlMs);
}

/** Whether somebody saw it: on the card, or below it. */
async function tell(services: Services, operation: Operation, outlet: Outlet, leftMs: number): Promise<boolean> {
  const shown: Shown = await outlet.show(operationCard(operation, services.now()), operation.card);
  const { card } = shown;
  if (operation.card === undefined && card !== undefined) {
    await amend(services, operation.id, (one) => ({ ...one, card: one.card ?? card }));
  }
  const followed = card === undefined ? false : ((await outlet.follow?.(question(operation, leftMs), card)) ?? false);
  return shown.reached || followed;
}

function question(operation: Operation, leftMs: number) {
  const { id, allowance } = operation;
  const ends = allowance?.endsAt === undefined ? "" : ` at ${clock(allowance.endsAt)}`;
  return {
    ...note(`Ends in ${formatDuration(wholeSeconds(leftMs))}${ends}. Is it still used?`, [
      text(whatNow(operation)),
      text(howOften(operation)),
    ]),
    buttons: allowanceButtons(operation),
    operation: id,
  };
}

function wholeSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000)) * 1_000;
}

/** Unless it was extended meanwhile, or asked about again. */
function unasked(operation: Operation, questions: number, before: number): Operation {
  const { allowance } = operation;
  if (allowance?.asked !== questions) return operation;
  const { asked: _asked, ...rest } = allowance;
  return { ...operation, allowance: before === 0 ? rest : { ...rest, asked: before } };
}
