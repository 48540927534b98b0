import type { Operation } from "../policy/operation.ts";
import type { Lease } from "../scheduler/leases.ts";
import type { Held } from "../scheduler/operations.ts";
import { note, text } from "./answers.ts";
import type { Outlet } from "./desk.ts";
import type { Reply } from "./reply.ts";
import { amend, type Context, LostRace, type Services } from "./services.ts";
import { inOperation } from "./tracing.ts";

/** This replica's right to work at an operation. */
export type Hold = {
  /**
   * To be called between what a write relies on and the write: throws LeaseLost where another replica has taken the
   * operation over. While the store is away it lets the work go on: every step can be repeated by two at once.
   */
  check(): Promise<void>;
  /** Something was done and could not be stored: the lease lapses though the answer was seen, and it is done again. */
  owe(): void;
  /** For the write of the operation itself, which the store refuses where it was lost; undefined where there is none. */
  readonly lease: Lease | undefined;
};

/** Another replica took the operation over: it acts, records and answers from here on. */
export class LeaseLost extends Error {
  constructor(operation: string) {
    super(`another replica has taken operation ${operation} over`);
    this.name = "LeaseLost";
  }
}

const renewEveryMs = 2_000;
const tryAgainAfterMs = 5_000;

/**
 * Does what is owed for an operation that this replica holds: while the work runs the lease is renewed, and it ends
 * when somebody has seen the answer and all of it is stored. Else it lapses, and whoever claims it does what is missing.
 */
export function owing<C extends Pick<Context, "services" | "outlet">>(
  context: C,
  held: Held,
  work: (context: C, hold: Hold) => Promise<Reply>,
): Promise<Reply> {
  return inOperation(context.services, held.operation, () => doOwed(context, held, work));
}

async function doOwed<C extends Pick<Context, "services" | "outlet">>(
  context: C,
  { operation, lease }: Held,
  work: (context: C, hold: Hold) => Promise<Reply>,
): Promise<Reply> {
  const { services } = context;
  const outlet = tracked(context.outlet);
  const hold = lease === undefined ? unheld : renewed(services, lease);
  try {
    const reply = await work({ ...context, outlet }, hold);
    await settle(services, { operation, lease }, outlet.reached() && !hold.owes());
    return reply;
  } catch (error) {
    if (error instanceof LeaseLost) return takenOver(operation);
    if (operation.state === "accepted") await fail(services, { operation, lease }, error);
    throw error;
  } finally {
    hold.stop();
  }
}

const unheld = {
  lease: undefined,
  check: () => Promise.resolve(),
  owe: () => undefined,
  owes: () => false,
  stop: () => undefined,
};

function renewed(services: Services, lease: Lease): Hold & { owes(): boolean; stop(): void } {
  let lost = false;
  let owes = false;
  const renew = async (): Promise<void> => {
    try {
      lost ||= !(await services.leases.renew(lease));
    } catch (error) {
      services.meter({ kind: "error", where: "renew lease", message: String(error) });
    }
  };
  const timer = setInterval(() => void renew(), renewEveryMs).unref();
  return {
    lease,
    async check() {
      await renew();
      if (lost) throw new LeaseLost(lease.operation);
    },
    owe: () => {
      owes = true;
    },
    owes: () => owes,
    stop: () => clearInterval(timer),
  };
}

/** Remembers whether the last reply reached anybody; a command that shows nothing owes nothing. */
function tracked(outlet: Outlet): Outlet & { reached(): boolean } {
  let reached = true;
  return {
    async show(reply, card) {
      const shown = await outlet.show(reply, card);
      reached = shown.reached;
      return shown;
    },
    reached: () => reached,
  };
}

async function settle(services: Services, { lease }: Held, settled: boolean): Promise<void> {
  if (lease === undefined) return;
  try {
    await (settled ? services.leases.end(lease) : services.leases.postpone(lease, tryAgainAfterMs));
  } catch (error) {
    // It lapses, and the answer is given once more.
    services.meter({ kind: "error", where: "end lease", message: String(error) });
  }
}

/** The caller is told why by whoever catches the error: nothing is planned once more behind his back. */
async function fail(services: Services, { operation, lease }: Held, error: unknown): Promise<void> {
  try {
    await storeFailure(services, operation, error, lease);
    await settle(services, { operation, lease }, true);
  } catch (storing) {
    services.meter({ kind: "error", where: "store failure", message: String(storing) });
  }
}

/** Stores that what was accepted could not be planned, and returns it. Throws LostRace where it has gone on since. */
export function storeFailure(
  services: Services,
  { id }: Operation,
  error: unknown,
  lease: Lease | undefined,
): Promise<Operation> {
  const why = error instanceof Error ? error.message : String(error);
  const result = { headline: `Failed: ${why}`.slice(0, 150), tone: "bad", lines: [], audited: "" } as const;
  const failed = (now: Operation): Operation => {
    if (now.state !== "accepted") throw new LostRace(id);
    return { ...now, state: "failed", result };
  };
  return amend(services, id, failed, { lease });
}

function takenOver({ id }: Operation): Reply {
  return { ...note(`${id} goes on elsewhere`, [text("Another replica has taken it over.")]), operation: id };
}
