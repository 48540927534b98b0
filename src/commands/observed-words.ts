import { type Observed, observedLine } from "../policy/observed.ts";
import { isContaining, type Operation } from "../policy/operation.ts";
import { list, mustRead } from "./answers.ts";
import type { Section } from "./reply.ts";

/** What got through, with its evidence, and what to do; nothing where nothing did. */
export function observedSections({ state, kind, observed, target }: Operation): readonly Section[] {
  const leak = observed?.leak;
  if (state !== "in-force" || !isContaining(kind) || leak === undefined) return [];
  const more = leak.count - leak.evidence.length;
  const items = [
    ...leak.evidence,
    ...(more > 0 ? [`and ${more} more`] : []),
    `Do not rely on it: the cluster's network does not hold what the policies say. /np verify-enforcement ${target.cluster}: tests it; stop the workload, or its node's traffic, by other means until then.`,
  ];
  return [mustRead(list(leak.sure ? "Got through" : "Perhaps got through", items))];
}

/** The lines of a verdict, with what flows have shown by now in place of what they had shown then. */
export function withObserved(observed: Observed | undefined, lines: readonly string[]): readonly string[] {
  if (observed === undefined) return lines;
  return lines.map((line) => (line.startsWith("Observed: ") ? observedLine(observed) : line));
}
