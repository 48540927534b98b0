import type { Operation, OperationKind, Origin } from "../policy/operation.ts";
import { operationId } from "../policy/operation.ts";
import { type Target, targetName } from "../policy/target.ts";
import type { Held } from "../scheduler/operations.ts";
import { note, refused, text } from "./answers.ts";
import { incidentOf } from "./incident.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import type { Context } from "./services.ts";

/** What is to be recorded about a command that writes. */
export type Wanted = {
  readonly kind: OperationKind;
  readonly target: Target;
  readonly command: { readonly dryRun: boolean; readonly incident: string | undefined; readonly reason: string };
  /** The incident where neither the command nor the channel names one: that of the quarantine that is ended. */
  readonly incident?: string | undefined;
  /** Gives and shows the answer where nothing can be recorded; by default that it was not accepted. */
  readonly unrecorded?: () => Promise<Reply>;
};

/** The recorded operation, or the answer that ends the command here. */
export type Acceptance = ({ readonly kind: "accepted" } & Held) | { readonly kind: "answered"; readonly reply: Reply };

/**
 * Records the operation together with its delivery, which is what accepting a command means: Slack does not repeat
 * it. A dry run records nothing. A second delivery of the same command is answered without a second message.
 */
export async function accept(context: Context, wanted: Wanted): Promise<Acceptance> {
  const { kind, target, command } = wanted;
  const operation = {
    ...newOperation(context, wanted),
    ...(await incidentOf(context, command.incident, wanted.incident)),
  };
  if (command.dryRun) return { kind: "accepted", operation, lease: undefined };
  const { services, outlet } = context;
  let accepted: Awaited<ReturnType<typeof services.operations.accept>>;
  try {
    accepted = await services.operations.accept(operation);
  } catch (error) {
    services.meter({ kind: "error", where: "accept", message: String(error) });
    return { kind: "answered", reply: await unrecorded(context, wanted) };
  }
  if (accepted.kind === "accepted") return accepted;
  if (accepted.kind === "duplicate") return { kind: "answered", reply: duplicate(accepted.operation) };
  const reply = refused(`${kind} ${targetName(target)}`, {
    kind: "refusal",
    reason: `the id ${operation.id} is taken by another operation`,
    next: "Type the command again: it then gets another id.",
  });
  await outlet.show(reply, undefined);
  return { kind: "answered", reply };
}

function newOperation({ request }: Context, { kind, target, command }: Wanted): Operation {
  return {
    version: kind === "undo" ? 4 : 3,
    id: operationId(kind, request.delivery),
    kind,
    state: "accepted",
    revision: 0,
    delivery: request.delivery,
    principal: request.principal,
    origin: originOf(request),
    target,
    reason: command.reason,
    steps: [{ step: "command", at: request.at }],
  };
}

function originOf({ source, channel, text: command, at, acknowledgedAt }: Request): Origin {
  const origin = { source, channel, command, at };
  return acknowledgedAt === undefined ? origin : { ...origin, acknowledgedAt };
}

async function unrecorded({ outlet }: Context, { kind, target, unrecorded: answer }: Wanted): Promise<Reply> {
  if (answer !== undefined) return answer();
  const reply = notRecorded(kind, target);
  await outlet.show(reply, undefined);
  return reply;
}

function notRecorded(kind: OperationKind, target: Target): Reply {
  return note(
    `Not accepted: ${kind} ${targetName(target)}`,
    [
      text("It could not be recorded (Redis does not answer), and Bulkhead writes nothing that it has not recorded."),
      text("Nothing was done. Type it again in a moment, or use bulkhead from a terminal with your own kubeconfig."),
    ],
    "failed",
  );
}

function duplicate(operation: Operation): Reply {
  return { ...note(`${operation.id} is on its way already`, [], "ok"), operation: operation.id };
}
