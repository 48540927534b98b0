import { usedLine } from "../policy/observed.ts";
import type { Operation } from "../policy/operation.ts";
import { clock } from "./allow-words.ts";
import { text } from "./answers.ts";
import type { Section } from "./reply.ts";

/** What happens of itself, and what its buttons do. */
export function whatNow({ allowance }: Pick<Operation, "allowance">): string {
  const more = allowance !== undefined && allowance.ttlSeconds < allowance.maxSeconds;
  const extend = more ? "Extend lets it hold for longer" : "It cannot be extended any more";
  return `It closes by itself then. ${extend}; End now closes it, Make permanent gives what a change request needs.`;
}

/** Whether it is used, as far as flows have shown. */
export function howOften({ observed }: Pick<Operation, "observed">): string {
  return usedLine(observed);
}

/** On the card from the first question on: it stays there until the allowance is extended or has ended. */
export function questionSections(operation: Operation): readonly Section[] {
  const { state, allowance } = operation;
  if (state !== "in-force" || (allowance?.asked ?? 0) === 0 || allowance?.endsAt === undefined) return [];
  return [
    text(`It ends at ${clock(allowance.endsAt)}. Is it still used? ${whatNow(operation)} ${howOften(operation)}`),
  ];
}
