import { isOperationIdPrefix } from "../policy/operation.ts";
import type { Command } from "./command.ts";
import { reasonLimit, type Usage, usage } from "./parse-answers.ts";
import { takeFlags } from "./parse-flags.ts";
import { shownWords } from "./parse-target.ts";

/** `approve` and `deny` of an operation. */
export function parseVote(kind: "approve" | "deny", all: readonly string[]): Command | Usage {
  const flags = takeFlags(all, kind === "approve" ? ["--dry-run"] : []);
  if (flags.kind === "usage") return { ...flags, topic: kind };
  const [operation, ...rest] = flags.words;
  const problem = notAnOperation(operation);
  if (operation === undefined || problem !== undefined) return usage(problem ?? "", kind);
  if (rest.length > 0) return usage(`"${shownWords(rest)}" is more than ${kind} takes.`, kind);
  return { kind, operation, dryRun: flags.set.has("--dry-run") };
}

/** `review` of an operation, with what was found. */
export function parseReview([operation, ...words]: readonly string[]): Command | Usage {
  const problem = notAnOperation(operation);
  if (operation === undefined || problem !== undefined) return usage(problem ?? "", "review");
  const note = words.join(" ").trim();
  if (note === "") return usage("A review needs a note: what did you find?", "review");
  if (note.length > reasonLimit) return usage(`The note is longer than ${reasonLimit} characters.`, "review");
  return { kind: "review", operation, note };
}

function notAnOperation(word: string | undefined): string | undefined {
  if (word === undefined) return "Which operation?";
  return isOperationIdPrefix(word) ? undefined : `"${word.slice(0, 80)}" is no operation's id, such as a-7f3kd2m.`;
}
