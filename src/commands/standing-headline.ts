import { isContaining, type Operation } from "../policy/operation.ts";
import { targetName } from "../policy/target.ts";
import { leastOf, observedHeadline } from "../policy/verdict.ts";
import { driftHeadline } from "./drift-words.ts";

/**
 * What a containment in force claims instead of what it claimed at first, of at most 150 characters: the least of what
 * drift and flows leave of it. Undefined where neither says anything against it.
 */
export function standingHeadline(operation: Operation): string | undefined {
  if (operation.state !== "in-force" || !isContaining(operation.kind)) return undefined;
  const observed = observedHeadline(operation.observed, heldSince(operation));
  const standing = leastOf([driftHeadline(operation), observed && named(observed, operation)]);
  if (standing === undefined || standing === driftHeadline(operation)) return standing;
  return leastOf([operation.result?.headline, standing]) === standing ? standing : undefined;
}

/** What got through while something was open is told by what was open; milliseconds since the epoch, 0: always. */
function heldSince({ drift }: Operation): number {
  const ended = drift?.records.flatMap(({ state, ended: at }) =>
    state === "restored" || state === "gone" ? (at ?? []) : [],
  );
  return Math.max(0, ...(ended ?? []));
}

function named(headline: string, { target }: Operation): string {
  const where = ` (${targetName(target)})`;
  return headline.length + where.length <= 150 ? `${headline}${where}` : headline;
}
