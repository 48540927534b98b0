import { didYouMean } from "../policy/suggest.ts";
import type { Usage } from "./parse-answers.ts";

/** Takes known `--flags` out wherever they stand; an unknown one is a usage answer, never part of a reason. */
export function takeFlags(
  words: readonly string[],
  known: readonly string[],
): Usage | { readonly kind: "flags"; readonly words: readonly string[]; readonly set: ReadonlySet<string> } {
  const flags = words.filter((word) => word.startsWith("--"));
  const unknown = flags.find((flag) => !known.includes(flag));
  if (unknown !== undefined) {
    const problem = `There is no option "${unknown.slice(0, 40)}".${didYouMean(unknown.slice(0, 40), known)}`;
    return { kind: "usage", problem, topic: undefined };
  }
  return { kind: "flags", words: words.filter((word) => !word.startsWith("--")), set: new Set(flags) };
}
