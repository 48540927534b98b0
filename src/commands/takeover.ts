import type { Operation } from "../policy/operation.ts";
import type { Lease } from "../scheduler/leases.ts";
import { proposeAllow } from "./allow.ts";
import { againCard, askAgain } from "./ask-again.ts";
import { operationCard } from "./card.ts";
import { isAllowing } from "./command.ts";
import { run } from "./confirm.ts";
import { proposeContain } from "./contain.ts";
import type { Outlet } from "./desk.ts";
import { type Hold, owing, storeFailure } from "./hold.ts";
import { proposeAgain } from "./isolate-again.ts";
import { showLifted } from "./lift.ts";
import { parse } from "./parse.ts";
import { proposeQuarantine } from "./quarantine.ts";
import { proposeRelease } from "./release.ts";
import { releaseOf as runningRelease } from "./releasing.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import { proposeRollback, type RollbackCommand, releaseOf } from "./rollback.ts";
import { type Context, keepCard, LostRace, type Services } from "./services.ts";
import { tracedOutlet } from "./tracing.ts";
import { markAgain } from "./undo-marks.ts";
import { recordVotes } from "./votes.ts";

export type Takeover = {
  /** Takes over what replicas left unfinished; returns when it has begun, with how many. Throws where Redis is away. */
  sweep(): Promise<number>;
  /** Resolves when what was taken over is done. */
  drain(): Promise<void>;
};

/** So many at once; others wait for the next sweep, here or elsewhere. */
const mostAtOnce = 10;

/** An answer that reached nobody is tried again for so long after the operation's last step. */
const owedForMs = 3_600_000;

/**
 * Finishes what a replica that is gone had accepted: plans what was not planned, carries out what was confirmed, and
 * shows what nobody has seen. `outletFor` gives the way to whoever asked for the operation.
 */
export function createTakeover(services: Services, outletFor: (operation: Operation) => Outlet): Takeover {
  const working = new Set<Promise<unknown>>();
  return {
    async sweep() {
      const leases = await services.leases.claim(mostAtOnce - working.size);
      for (const lease of leases) {
        const work = takeOver(services, lease, outletFor).finally(() => working.delete(work));
        working.add(work);
      }
      return leases.length;
    },
    async drain() {
      await Promise.all(working);
    },
  };
}

async function takeOver(services: Services, lease: Lease, outletFor: (operation: Operation) => Outlet): Promise<void> {
  try {
    const operation = await services.operations.get(lease.operation);
    if (operation === undefined || isForgotten(operation, services.now()))
      return void (await services.leases.end(lease));
    services.meter({ kind: "takeover", state: operation.state });
    const context = {
      services,
      outlet: tracedOutlet(services, outletFor(operation)),
      request: { card: operation.card },
    };
    await owing(context, { operation, lease }, (held, hold) => resume(held, operation, hold));
  } catch (error) {
    // Its lease lapses: the next sweep, here or elsewhere, tries again.
    services.meter({ kind: "error", where: "takeover", message: String(error) });
  }
}

/** What was confirmed is never given up; an answer that could be shown to nobody is, after a while. */
function isForgotten({ state, steps, origin }: Operation, now: number): boolean {
  return state !== "running" && now - (steps.at(-1)?.at ?? origin.at) > owedForMs;
}

type Resumed = Parameters<typeof run>[0];

async function resume(context: Resumed, operation: Operation, hold: Hold): Promise<Reply> {
  const { services } = context;
  if (operation.state === "accepted") return proposeOrFail(context, operation, hold);
  if (operation.state !== "running") return show(context, operation);
  if ((await runningRelease(services, operation)) !== undefined) {
    hold.owe();
    return operationCard(operation, services.now());
  }
  const undecided = await askAgain(services, operation, hold);
  if (undecided !== undefined) {
    await recordVotes(services, undecided);
    return showCard(context, undecided, againCard(undecided, services.now()));
  }
  return run(context, await begin(services, operation, hold), hold);
}

/** Stored before anything else, so that it is seen to be under way again. */
async function begin(services: Services, operation: Operation, hold: Hold): Promise<Operation> {
  const steps = [...operation.steps, { step: `taken over by ${services.replica}`, at: services.now() }];
  const stored = await services.operations.replace({ ...operation, steps }, hold.lease);
  if (stored !== undefined) return stored;
  await hold.check();
  throw new LostRace(operation.id);
}

/** Nobody waits for an error to be thrown here: whoever asked sees the card that says what failed. */
async function proposeOrFail(context: Resumed, operation: Operation, hold: Hold): Promise<Reply> {
  const { services } = context;
  try {
    return await propose(context, operation);
  } catch (error) {
    services.meter({ kind: "error", where: "takeover", message: String(error) });
    return show(context, await storeFailure(services, operation, error, hold.lease));
  }
}

/** The command as it was typed, under the operation that it was accepted as. */
async function propose({ services, outlet }: Resumed, operation: Operation): Promise<Reply> {
  const { principal, origin, delivery } = operation;
  const request: Request = { principal, ...origin, text: origin.command, delivery };
  const command = parse(origin.command);
  const context = { services, outlet, request };
  if (command.kind === "lockdown") return proposeContain(context, operation, command);
  if (command.kind === "quarantine" && command.workload !== undefined)
    return proposeContain(context, operation, command);
  if (command.kind === "quarantine") return proposeQuarantine(context, operation, command);
  if (command.kind === "allow" && isAllowing(command)) return proposeAllow(context, operation, command);
  if (command.kind === "release") return proposeRelease(context, operation, command);
  if (command.kind === "rollback") return proposeUndoing(context, operation, command);
  throw new Error(`operation ${operation.id} was accepted from a command that is not known here`);
}

/** What is undone by a command of its own was accepted as that. */
function proposeUndoing(context: Context, operation: Operation, command: RollbackCommand): Promise<Reply> {
  const id = command.what.kind === "operation" ? command.what.operation : "";
  if (operation.kind === "release") return proposeRelease(context, operation, releaseOf(command, id));
  if (operation.kind === "undo") return proposeRollback(context, operation, command);
  return proposeAgain(context, operation, id, command);
}

/** A release that has ended may still owe its quarantine the word of it; what was decided about an approval, its entries. */
async function show(context: Resumed, operation: Operation): Promise<Reply> {
  const { services } = context;
  if (operation.kind === "release" && operation.state === "done") await lift(context, operation);
  if (operation.kind === "undo" && operation.confirmed !== undefined) await markAgain(services, operation);
  await recordVotes(services, operation);
  return showCard(context, operation, operationCard(operation, services.now()));
}

async function showCard({ services, outlet }: Resumed, operation: Operation, reply: Reply): Promise<Reply> {
  const { card } = await outlet.show(reply, operation.card);
  if (card !== undefined && card.ts !== operation.card?.ts) await keepCard(services, operation, card);
  return reply;
}

async function lift(context: Resumed, { id, plan }: Operation): Promise<void> {
  const quarantine = plan?.kind === "release" ? await context.services.operations.get(plan.lifts) : undefined;
  if (quarantine !== undefined && quarantine.state !== "done") await showLifted(context, quarantine, id);
}
