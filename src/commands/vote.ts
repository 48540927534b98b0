import { isRefusal } from "../policy/guard.ts";
import { note, refused, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Command } from "./command.ts";
import { findOperation } from "./find-operation.ts";
import { type Pressed, press } from "./press.ts";
import type { Reply } from "./reply.ts";
import type { Request } from "./request.ts";

type Asking = Omit<Pressed, "request"> & { readonly request: Request };

/** `approve` and `deny` typed: exactly the press on the operation's button. With --dry-run what it is about. */
export async function vote(
  context: Asking,
  { kind, operation: prefix, dryRun }: Extract<Command, { kind: "approve" | "deny" }>,
): Promise<Reply> {
  const { services, request, outlet, samples } = context;
  const operation = await findOperation(context, prefix);
  if (isRefusal(operation)) {
    await samples.refused(request, { verb: kind, why: operation.reason });
    return tell(context, refused(kind, operation));
  }
  if (dryRun) {
    const card = operationCard(operation, services.now());
    return tell(context, { ...card, shape: "note", buttons: [], operation: undefined, outcome: "ok" });
  }
  const { text: _typed, ...asked } = request;
  const pressed = { ...asked, action: kind, operation: operation.id, card: undefined };
  const reply = await press({ services, outlet, samples, request: pressed });
  const isHere = operation.card === undefined || operation.card.channel === request.channel;
  // The card is brought up to date where it is; who typed this elsewhere has to see what came of it, too.
  if (reply.shape === "card" && !isHere) await outlet.show(note(reply.headline, [text(operation.id)]), undefined);
  return reply;
}

async function tell({ outlet }: Asking, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
