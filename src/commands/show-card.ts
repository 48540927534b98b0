import type { Operation } from "../policy/operation.ts";
import { mustRead, text } from "./answers.ts";
import { operationCard } from "./card.ts";
import type { Reply } from "./reply.ts";
import type { Press } from "./request.ts";
import { type Context, keepCard } from "./services.ts";

/** What showing needs of its surroundings: a press, or a replica that takes an operation over. */
export type Showing = Pick<Context<Press>, "services" | "outlet"> & { readonly request: Partial<Pick<Press, "card">> };

/** Shows the operation's card in its place, with the remark above it where there is one, and keeps where it lies now. */
export async function showCard(
  { services, outlet, request }: Showing,
  operation: Operation,
  remark?: string,
): Promise<Reply> {
  const card = operationCard(operation, services.now());
  const reply = remark === undefined ? card : { ...card, sections: [mustRead(text(remark)), ...card.sections] };
  const place = operation.card ?? request.card;
  const { card: shown } = await outlet.show(reply, place);
  if (shown !== undefined && shown.ts !== place?.ts) await keepCard(services, operation, shown);
  return reply;
}
