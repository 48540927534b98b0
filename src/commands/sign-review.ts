import { refuseSecond } from "../policy/approval.ts";
import { isDue } from "../policy/debt.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { note, refused, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Command } from "./command.ts";
import { findOperation } from "./find-operation.ts";
import { record } from "./journal.ts";
import type { Pressed } from "./press.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import { amend } from "./services.ts";

type Asking = Omit<Pressed, "request"> & { readonly request: Request };

type ReviewCommand = Extract<Command, { kind: "review" }>;

/**
 * Another person signs what was done without the agreement of others. In the audit log first: a signature that is only on
 * a card is none.
 */
export async function signReview(context: Asking, command: ReviewCommand): Promise<Reply> {
  const { services, request, outlet } = context;
  const operation = await findOperation(context, command.operation);
  const no = isRefusal(operation) ? operation : refuseReview(context, operation);
  if (isRefusal(operation) || no !== undefined) return turnDown(context, operation, no ?? refusal("", ""));
  const { principal: by } = request;
  const at = services.now();
  await record(services, operation, {
    kind: "reviewed",
    actor: by,
    ok: true,
    summary: `reviewed by ${principalName(by)} (${operation.debt?.because ?? ""}): ${command.note}`,
    detail: { note: command.note, debt: operation.debt },
  });
  const signed = await amend(services, operation.id, (now) =>
    now.debt === undefined || now.debt.reviewed !== undefined
      ? now
      : { ...now, debt: { ...now.debt, reviewed: { by, at, note: command.note } } },
  );
  if (signed.card !== undefined) await outlet.show(operationCard(signed, services.now()), signed.card);
  const reply = { ...note(`Reviewed: ${operation.id}`, [text(command.note)]), operation: operation.id };
  await outlet.show(reply, undefined);
  return reply;
}

function refuseReview({ services, request }: Asking, operation: Operation): Refusal | undefined {
  const { debt, id } = operation;
  if (debt === undefined || operation.confirmed === undefined) {
    return refusal(`${id} needs no review`, "Look at /np status for what does.");
  }
  if (debt.reviewed !== undefined) {
    return refusal(`${id} was reviewed by ${principalName(debt.reviewed.by)} already`, "Nothing is left to do.");
  }
  if (!isDue(operation)) return refusal(`${id} has not ended yet`, "Review it when it has: its card says when.");
  return refuseSecond(services.settings.access, request.principal, operation);
}

async function turnDown(context: Asking, operation: Operation | Refusal, no: Refusal): Promise<Reply> {
  const { request, outlet, samples } = context;
  const place = isRefusal(operation) ? {} : operation.target;
  await samples.refused(request, { ...place, verb: "review", why: no.reason });
  const reply = refused("review", no);
  await outlet.show(reply, undefined);
  return reply;
}
