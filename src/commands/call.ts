import type { Operation } from "../policy/operation.ts";
import { note, text } from "./answers.ts";
import type { Reply } from "./reply.ts";
import type { Showing } from "./show-card.ts";

/**
 * Calls people to an operation by a message of its own, since a change of a card notifies nobody: `mentions` are keys of
 * Slack users and groups. That it could not be said is the outlet's to log; nothing waits for it.
 */
export async function callPeople(
  { outlet }: Pick<Showing, "outlet">,
  { id, card }: Operation,
  call: { readonly headline: string; readonly lines: readonly string[]; readonly mentions: readonly string[] },
): Promise<void> {
  const { headline, lines, mentions } = call;
  if (mentions.length === 0) return;
  const where = card?.permalink === undefined ? [] : [`Its card: ${card.permalink}`];
  const reply: Reply = {
    ...note(headline, lines.map(text)),
    shape: "card",
    tone: "warning",
    mentions,
    footer: [id, ...where],
  };
  await outlet.show(reply, undefined);
}
