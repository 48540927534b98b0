import { isUnanswered, KubernetesError } from "../kubernetes/failure.ts";
import type { Refusal } from "../policy/guard.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Operation } from "../policy/operation.ts";
import { lineageOf } from "../policy/revision.ts";
import type { UndoPlan, UndoWrite } from "../policy/undo-plan.ts";
import type { Doing, Ended, Surroundings } from "./ending.ts";
import { LeaseLost } from "./hold.ts";
import { clusterOf, type Services } from "./services.ts";
import { StepFailed } from "./step-failed.ts";
import { whatToDo } from "./unanswered.ts";
import { stepOf } from "./undo-author.ts";
import { markAsUndone } from "./undo-marks.ts";
import { objectOf, verbOf } from "./undo-rehearsal.ts";
import { type Still, stillAllowed } from "./undo-still.ts";
import { type Written, writeUndo } from "./undo-write.ts";

/**
 * Writes what the plan says, one policy after the other; the first that is not as it was planned ends it, and what was
 * written until then stays and is told. One that is as it is to be already is done: so any replica can go on with it.
 */
export async function actUndo(
  { services }: Surroundings,
  operation: Operation,
  plan: UndoPlan,
  doing: Doing,
): Promise<Ended> {
  const { cluster } = clusterOf(services, plan.target.cluster);
  const still = stillAllowed({ services, cluster, operation }, plan);
  const check = async () => {
    await still.check();
    await doing.hold.check();
  };
  const done: Written[] = [];
  for (const write of plan.writes) {
    try {
      await doing.hold.check();
      const written = await writeUndo({ services, cluster, operation, hold: doing.hold, check }, write);
      done.push(written);
      await doing.done(written.by === "us" ? stepOf(write) : `${manifestName(objectOf(write))} was so already`);
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      await markThem(services, operation, done, doing);
      return stopped(operation, plan, { done, error });
    }
  }
  const unmarked = await markThem(services, operation, done, doing);
  await doing.done("read back");
  return withHeld(operation, finished(plan, done, unmarked), await heldNow(services, still));
}

/** The last write and a quarantine may have come at once, and neither have seen the other. */
async function heldNow(services: Services, still: Still): Promise<Refusal | "unknown" | undefined> {
  try {
    return await still.held();
  } catch (error) {
    services.meter({ kind: "error", where: "held after undo", message: String(error) });
    return "unknown";
  }
}

function withHeld({ id }: Operation, ended: Ended, held: Refusal | "unknown" | undefined): Ended {
  if (held === undefined) return ended;
  if (held === "unknown") return { ...ended, lines: [...ended.lines, notRead] };
  return {
    ...ended,
    ok: false,
    headline: `ROLLED BACK, AND OPEN TO WHAT IS CUT OFF: ${held.reason}`.slice(0, 150),
    tone: "bad",
    lines: [`${held.reason}. Both came at the same time: /np rollback ${id} takes this back.`, ...ended.lines],
  };
}

const notRead = "Whether anything was cut off at the same time could not be read: look at /np status.";

/** That the history does not know it yet undoes nothing: whoever looks at the operation again says it again. */
async function markThem(
  services: Services,
  operation: Operation,
  done: readonly Written[],
  { hold }: Doing,
): Promise<readonly string[]> {
  try {
    await markAsUndone(services, operation, lineagesOf(operation, done));
    return [];
  } catch (error) {
    hold.owe();
    services.meter({ kind: "error", where: "mark undone", message: String(error) });
    return ["The history does not say yet that this was undone (Redis does not answer); that follows by itself."];
  }
}

/** Of what it wrote itself. */
function lineagesOf({ target: { cluster } }: Operation, done: readonly Written[]): ReadonlySet<string> {
  return new Set(
    done
      .filter(({ by }) => by === "us")
      .map(({ write }) => {
        const { apiVersion, kind, metadata } = objectOf(write);
        const { namespace, name } = metadata;
        return lineageOf({ cluster, apiVersion, kind, namespace, name });
      }),
  );
}

function finished(plan: UndoPlan, done: readonly Written[], unmarked: readonly string[]): Ended {
  const ours = done.filter(({ by }) => by === "us");
  const inexact = done.filter(({ differs }) => differs !== undefined);
  const [first] = plan.writes;
  const what =
    plan.writes.length === 1 && first !== undefined
      ? manifestName(objectOf(first))
      : `${ours.length} of ${plan.writes.length} policies`;
  const isAll = plan.stop === undefined;
  const exact = inexact.length === 0 && isAll;
  return {
    state: "done",
    ok: inexact.length === 0,
    headline: headlineOf(what, { written: ours.length, exact: inexact.length === 0, isAll }),
    tone: exact && ours.length > 0 ? "good" : "warning",
    lines: [
      ...done.map(lineOf),
      ...leftOf(plan),
      ...plan.opens.map((one) => `Opened: ${one}`),
      ...plan.closes.map((one) => `Closed: ${one}`),
      ...unmarked,
    ],
    detail: { writes: done.map(detailOf), opens: plan.opens, closes: plan.closes },
  };
}

function headlineOf(
  what: string,
  { written, exact, isAll }: { readonly written: number; readonly exact: boolean; readonly isAll: boolean },
): string {
  if (written === 0) return `Nothing was written: ${what} was as it was before already`.slice(0, 150);
  const but = exact ? (isAll ? "" : ", but not all that was asked for") : ", but not exactly";
  return `Rolled back: ${what}${but}`.slice(0, 150);
}

function leftOf({ stop }: UndoPlan): readonly string[] {
  if (stop === undefined) return [];
  const more = stop.left > 1 ? ` and ${stop.left - 1} more of those that were asked for` : "";
  return [`Not undone: ${stop.change.revision}${more}, since ${stop.why}.`];
}

function lineOf({ write, by, differs }: Written): string {
  const name = manifestName(objectOf(write));
  if (differs !== undefined) return `${name}: ${differs}.`;
  if (by === "us") return `${name}: ${pastOf(write)}, and read back as it was before.`;
  return `${name} was so already, by ${by}: nothing was written.`;
}

function pastOf(write: UndoWrite): string {
  return pasts[verbOf(write)];
}

const pasts = { create: "created again", change: "changed back", delete: "deleted" } as const;

function detailOf({ write, by, resourceVersion }: Written) {
  const { from, to, pausesFlux } = write;
  const paused = pausesFlux === true ? { pausesFlux } : {};
  return { from: from ?? null, to: to ?? null, by, resourceVersion: resourceVersion ?? null, ...paused };
}

type Half = { readonly done: readonly Written[]; readonly error: unknown };

/** Never called done: what is written, what is not, and what to do about either. */
function stopped(operation: Operation, plan: UndoPlan, { done, error }: Half): Ended {
  const why = error instanceof Error ? error.message : String(error);
  const missing = plan.writes.slice(done.length);
  const names = (writes: readonly UndoWrite[]) =>
    writes.map((write) => `${verbOf(write)} ${manifestName(objectOf(write))}`).join(", ");
  const written = done.filter(({ by }) => by === "us").map(({ write }) => write);
  const left =
    written.length === 0
      ? "Nothing of it was written."
      : `Written: ${names(written)}. /np rollback ${operation.id} takes that back.`;
  const perhaps =
    error instanceof KubernetesError && error.mayHaveTakenEffect
      ? " Whether the first of these took effect is not known."
      : "";
  return {
    state: "failed",
    ok: false,
    headline: `${written.length === 0 ? "Not rolled back" : "HALF ROLLED BACK"}: ${why}`.slice(0, 150),
    tone: "bad",
    lines: [
      `${why}.`.replace(/\.\.$/, "."),
      left,
      `Not written: ${names(missing)}.${perhaps} To undo what is left, type it again: it is planned anew, by what is there then.`,
      ...(error instanceof StepFailed ? [error.left] : []),
      ...(isUnanswered(error) ? [whatToDo(error)] : []),
    ],
    detail: {
      error: why,
      writes: done.map(detailOf),
      missing: missing.map(({ from = null, to = null }) => ({ from, to })),
    },
  };
}
