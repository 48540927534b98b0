import type { AllowanceRecord, Operation, OperationResult } from "../policy/operation.ts";
import { type Hold, LeaseLost } from "./hold.ts";
import { type Note, recordEnd, standing } from "./journal.ts";
import { amend, type Context, LostRace, type Services } from "./services.ts";

/** What carrying out needs beside the operation. */
export type Surroundings = Pick<Context, "services" | "outlet">;

/** What a step may use: `done` tells of a step that was taken, `hold.check` says whether the next one may be. */
export type Doing = { readonly hold: Hold; done(step: string): Promise<void> };

/** How an operation ended, before its place in the audit is known. */
export type Ended = Omit<OperationResult, "audited"> & {
  readonly state: "in-force" | "done" | "failed";
  readonly ok: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Of an allowance: when it ends. */
  readonly allowance?: AllowanceRecord;
};

/** The deed is done: an audit that is away now is said on the card, and does not undo it. */
export async function recordOutcome(
  services: Services,
  operation: Operation,
  end: Pick<Note, "ok" | "summary" | "detail">,
  hold: Hold,
): Promise<string> {
  const actor = operation.confirmed?.by ?? operation.principal;
  try {
    return standing(await recordEnd(services, operation, { kind: "outcome", actor, ...end }, hold));
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    services.meter({ kind: "error", where: "audit outcome", message: String(error) });
    return "NOT in the audit log: it could not be written";
  }
}

/**
 * Only of what still runs, and by whoever still holds it: a replica that slept meanwhile must not undo a later end.
 * Where the operation cannot be read, what is known of it is stored as it is: it may be kept where Redis is away.
 */
export async function storeEnd(
  services: Services,
  operation: Operation,
  ended: Partial<Operation>,
  hold: Hold,
): Promise<Operation> {
  const { lease } = hold;
  const end = (now: Operation): Operation => {
    if (now.state !== "running") throw new LeaseLost(now.id);
    return { ...now, ...ended };
  };
  try {
    return await amend(services, operation.id, end, { lease });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    if (error instanceof LostRace) await hold.check();
    const kept = await services.operations.replace({ ...operation, ...ended }, lease);
    if (kept === undefined) throw error;
    return kept;
  }
}

/** What was done is told as it is, even where its record could not be brought up to date. */
export function unstored(services: Services, operation: Operation, error: unknown): Operation {
  services.meter({ kind: "error", where: "store outcome", message: String(error) });
  const { result } = operation;
  if (result === undefined) return operation;
  return { ...operation, result: { ...result, lines: [...result.lines, notStored] } };
}

const notStored = "This end could not be stored (Redis does not answer): /np status may show it as still under way.";
