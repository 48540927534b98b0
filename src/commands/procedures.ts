import { isUnanswered } from "../kubernetes/failure.ts";
import type { Operation, StepTime } from "../policy/operation.ts";
import { actAllow } from "./act-allow.ts";
import { actContain, actQuarantine } from "./act-containment.ts";
import { actRelease } from "./act-release.ts";
import { actUndo } from "./act-undo.ts";
import { type Doing, type Ended, recordOutcome, type Surroundings, storeEnd, unstored } from "./ending.ts";
import { type Hold, LeaseLost } from "./hold.ts";
import { StepFailed } from "./step-failed.ts";
import { type SpanAttributes, tracingOf } from "./tracing.ts";
import { whatToDo } from "./unanswered.ts";

/**
 * Carries a confirmed operation out, records the outcome, and returns it as stored at its end. Throws LeaseLost where
 * another replica does so: then this one writes and tells nothing more.
 */
export async function carryOut(context: Surroundings, operation: Operation, hold: Hold): Promise<Operation> {
  const tracing = tracingOf(context.services);
  const steps: StepTime[] = [...operation.steps];
  const done = async (step: string): Promise<void> => {
    steps.push({ step, at: context.services.now() });
    measure(context, operation, steps);
    tracing.event(step);
  };
  let end: Ended;
  try {
    end = await act(context, operation, { hold, done });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    end = failed(error);
    context.services.meter({ kind: "error", where: operation.kind, message: String(error) });
  }
  await hold.check();
  const { ok, detail, state, allowance, ...result } = end;
  const { headline: summary } = end;
  tracing.set({ "bulkhead.state": state, ...verdictOf(detail) });
  const audited = await recordOutcome(context.services, operation, { ok, summary, detail: { ...detail, steps } }, hold);
  const ended = { state, steps, result: { ...result, audited }, ...(allowance && { allowance }) };
  try {
    return await storeEnd(context.services, operation, ended, hold);
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    hold.owe();
    return unstored(context.services, { ...operation, ...ended }, error);
  }
}

/** Isolated, open …: of a kind that gives none, nothing. */
function verdictOf({ verdict }: Ended["detail"]): SpanAttributes {
  return typeof verdict === "string" ? { "bulkhead.verdict": verdict } : {};
}

async function act(context: Surroundings, operation: Operation, doing: Doing): Promise<Ended> {
  const { plan } = operation;
  if (plan?.kind === "quarantine") return actQuarantine(context, operation, plan, doing);
  if (plan?.kind === "contain") return actContain(context, operation, plan, doing);
  if (plan?.kind === "allow") return actAllow(context, operation, plan, doing);
  if (plan?.kind === "release") return actRelease(context, operation, plan, doing);
  if (plan?.kind === "undo") return actUndo(context, operation, plan, doing);
  throw new Error(`operation ${operation.id} has no plan to carry out`);
}

function failed(error: unknown): Ended {
  const left = error instanceof StepFailed ? error.left : "What was written so far stays: look at /np status.";
  const why = error instanceof Error ? error.message : String(error);
  return {
    state: "failed",
    ok: false,
    headline: `Failed: ${why}`.slice(0, 150),
    tone: "bad",
    lines: [why, left, ...(isUnanswered(error) ? [whatToDo(error)] : [])],
    detail: { error: why, left },
  };
}

/** Of the metric: a rollback's step names the policy that was written, and there is no end of those. */
const labels: ReadonlySet<string> = new Set([
  "labels back",
  "labels off",
  "pod gone",
  "pod labelled",
  "policies of others changed",
  "policies of others changed back",
  "policy deleted",
  "quarantine label off",
  "read back",
  "realised",
  "settled",
  "timer set",
]);

function measure({ services }: Surroundings, operation: Operation, steps: readonly StepTime[]): void {
  const last = steps.at(-1);
  if (last === undefined) return;
  services.meter({
    kind: "step",
    verb: operation.kind,
    step: labels.has(last.step) ? last.step : "policy written",
    sinceCommandMs: last.at - operation.origin.at,
    sinceConfirmMs: last.at - (operation.confirmed?.at ?? last.at),
  });
}
