import type { Operation } from "../policy/operation.ts";
import { clock } from "./allow-words.ts";
import { text } from "./answers.ts";
import type { Section } from "./reply.ts";

export const stillUsed =
  "It closes by itself then. Extend lets it hold for longer, End now closes it, Make permanent gives what a change request needs.";

export const howOften = "How often it is used is not known: Bulkhead has no source of flows yet.";

/** On the card from the first question on: it stays there until the allowance is extended or has ended. */
export function questionSections({ state, allowance }: Operation): readonly Section[] {
  if (state !== "in-force" || (allowance?.asked ?? 0) === 0 || allowance?.endsAt === undefined) return [];
  return [text(`It ends at ${clock(allowance.endsAt)}. Is it still used? ${stillUsed} ${howOften}`)];
}
