import { isRefusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import type { LiftPlan, ReleasePlan } from "../policy/plan.ts";
import { targetName } from "../policy/target.ts";
import type { Doing, Ended, Surroundings } from "./ending.ts";
import type { Contained } from "./find-quarantine.ts";
import type { Hold } from "./hold.ts";
import { showLifted } from "./lift.ts";
import { liftObjects } from "./lift-objects.ts";
import { claimForRelease } from "./releasing.ts";
import { type Restored, restore } from "./restore.ts";
import { clusterOf, type Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";

/** Ends what the plan lifts, and says whether that was exact. */
export async function actRelease(
  context: Surroundings,
  operation: Operation,
  plan: ReleasePlan | LiftPlan,
  doing: Doing,
): Promise<Ended> {
  const { services } = context;
  await doing.hold.check();
  const quarantine = await theQuarantine(services, operation, plan);
  const found = await endIt(services, plan, quarantine.plan, doing);
  const lifted = await lift(context, { quarantine, release: operation.id }, doing.hold);
  return {
    state: "done",
    ok: found.exact,
    headline: `Released: ${targetName(operation.target)}${found.exact ? "" : ", but not exactly"}`,
    tone: found.exact ? "good" : "warning",
    lines: [...found.lines, ...lifted],
    detail: {
      exact: found.exact,
      lines: found.lines,
      mode: plan.mode,
      ...(plan.mode === "objects" ? {} : { labelsAfter: plan.labelsBefore }),
    },
  };
}

function endIt(
  services: Services,
  plan: ReleasePlan | LiftPlan,
  contained: Contained["plan"],
  doing: Doing,
): Promise<Restored> {
  const { cluster } = clusterOf(services, plan.target.cluster);
  if (plan.mode === "objects" && contained.kind === "contain")
    return liftObjects({ cluster, plan, contained, ...doing });
  if (plan.mode !== "objects" && contained.kind === "quarantine")
    return restore({ services, cluster, plan, quarantine: contained, ...doing });
  throw new Error(`the plan of this release is not for what ${plan.lifts} did`);
}

/** A replica that died after it had marked the quarantine as lifted leaves the rest to be done. */
async function theQuarantine(
  services: Services,
  { id }: Operation,
  { lifts }: Pick<ReleasePlan, "lifts">,
): Promise<Contained> {
  const stored = await services.operations.get(lifts);
  const { plan } = stored ?? {};
  if (stored?.liftedBy === id && (plan?.kind === "quarantine" || plan?.kind === "contain")) return { ...stored, plan };
  const found = await claimForRelease(services, id, lifts);
  if (isRefusal(found)) throw new StepFailed(found.reason, found.next);
  return found;
}

/**
 * The cluster holds the truth by now: what cannot be stored is returned as a line for the release's card, is owed, and
 * does not make a failure of it.
 */
async function lift(
  context: Surroundings,
  { quarantine, release }: { readonly quarantine: Operation; readonly release: string },
  hold: Hold,
): Promise<readonly string[]> {
  try {
    await showLifted(context, quarantine, release);
    return [];
  } catch (error) {
    hold.owe();
    context.services.meter({ kind: "error", where: "store lift", message: String(error) });
    return [`That ${quarantine.id} has ended could not be stored (Redis does not answer).`];
  }
}
