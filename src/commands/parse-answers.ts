import type { CommandName } from "./command.ts";

/** Text that is no command: what is wrong, and the command whose usage helps. */
export type Usage = { readonly kind: "usage"; readonly problem: string; readonly topic: CommandName | undefined };

/** A reason longer than this is refused: it goes onto objects and cards whole. */
export const reasonLimit = 500;

export function usage(problem: string, topic: CommandName | undefined): Usage {
  return { kind: "usage", problem, topic };
}

export function tooLong(topic: CommandName): Usage {
  return usage(`The reason is longer than ${reasonLimit} characters.`, topic);
}

/** What is wrong with a word that names no namespace. */
export function notAPlace(word: string): string {
  return `"${word.slice(0, 80)}" is no namespace's name, with or without a cluster (cluster:namespace).`;
}
