import { type Life, type Lineage, orderOf, startOf } from "./lineage.ts";
import { type Step, stepsOf } from "./revisions.ts";

export type Bounds = {
  /** Revisions from before this moment go, milliseconds since the epoch. */
  readonly since: number;
  /** How many of one policy stay. */
  readonly most: number;
};

/** Characters of images of one policy that are kept beside its newest revision: the largest of objects are 1.5 MB. */
const mostCharacters = 4_000_000;

/** Without its oldest revisions. Undefined where nothing is left: it was deleted, and that revision went, too. */
export function bounded(lineage: Lineage, bounds: Bounds): Lineage | undefined {
  const steps = stepsOf(lineage);
  const last = steps[steps.length - kept(steps, bounds) - 1];
  if (last === undefined) return lineage;
  const floor = orderOf(last.resourceVersion);
  const lives = lineage.lives.flatMap((life, index) => above(life, lineage.lives[index + 1], floor));
  return lives.length === 0 ? undefined : { ...lineage, floor, lives };
}

/** How many of the newest stay. They are in the order of time, too (order.ts). */
function kept(steps: readonly Step[], { since, most }: Bounds): number {
  let characters = 0;
  const newest = steps.toReversed();
  const beyond = newest.findIndex((step, index) => {
    characters += (step.before?.spec.length ?? 0) + (step.after?.spec.length ?? 0);
    return index >= most || step.at < since || (index > 0 && characters > mostCharacters);
  });
  return beyond === -1 ? steps.length : beyond;
}

/** The form that the first revision above the floor changed stays: it is what that was before. */
function above(life: Life, next: Life | undefined, floor: number): readonly Life[] {
  const end = endOf(life, next);
  if (end !== undefined && end <= floor) return [];
  const first = life.points.findIndex(({ resourceVersion }) => orderOf(resourceVersion) > floor);
  const from = first === -1 ? life.points.length - 1 : Math.max(0, first - 1);
  return [{ ...life, points: life.points.slice(Math.max(0, from)) }];
}

function endOf({ end }: Life, next: Life | undefined): number | undefined {
  const before = next === undefined ? undefined : startOf(next);
  if (end === undefined) return before;
  const own = orderOf(end.resourceVersion);
  return end.seen || before === undefined ? own : Math.min(own, before);
}
