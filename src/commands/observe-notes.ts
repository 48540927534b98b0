import type { Sighting } from "../flows/sighting.ts";
import type { Count } from "../policy/observed.ts";
import type { Portion } from "../scheduler/observations.ts";
import type { Watched } from "./observe-index.ts";
import { lineText } from "./observe-lines.ts";
import { createPending, type Pending } from "./observe-portion.ts";

/** What this replica has seen of operations and not stored yet; bounded by what is looked at. */
export type Notes = {
  /** Counts what it is, and keeps its line where it came around the operation; whether it got through. */
  take(watched: Watched, sighting: Sighting, seen: Count): boolean;
  /** The same of what was taken before the operation was in force: its line is kept, and it was not counted. */
  judgeAgain(watched: Watched, sighting: Sighting, seen: Count): void;
  /** What is to be stored of an operation; the same until `stored`. Undefined: nothing. */
  portion(operation: string): Portion | undefined;
  stored(operation: string): void;
  /** Forgets all but these. */
  keep(operations: ReadonlySet<string>): void;
};

/** Before and after an operation was confirmed, what was seen around it is kept, milliseconds. */
export const aroundMs = 15 * 60_000;
/** So many flows are kept with an operation; and so many more of those that got through. */
const mostLines = 200;
const mostLeaks = 20;

/** `newId` makes an id that nothing else has. */
export function createNotes(newId: () => string): Notes {
  const pending = new Map<string, Pending>();
  const of = ({ operation: { id } }: Watched): Pending => {
    const known = pending.get(id) ?? createPending(newId);
    pending.set(id, known);
    return known;
  };
  return {
    take(watched, sighting, seen) {
      const counter = watched.judge(sighting);
      const isLeak = counter !== undefined && gotThrough(counter);
      if (counter !== undefined) of(watched).count(counter, seen);
      const most = mostLines + (isLeak ? mostLeaks : 0);
      if (isLeak || isAround(watched, sighting)) of(watched).line(lineText(sighting, counter), seen, most);
      return isLeak;
    },
    judgeAgain(watched, sighting, seen) {
      const counter = watched.judge(sighting);
      if (counter === undefined) return;
      of(watched).count(counter, seen);
      if (gotThrough(counter)) of(watched).line(lineText(sighting, counter), seen, mostLines + mostLeaks);
    },
    portion: (id) => pending.get(id)?.portion(),
    stored: (id) => pending.get(id)?.stored(),
    keep(operations) {
      for (const id of pending.keys()) if (!operations.has(id)) pending.delete(id);
    },
  };
}

function gotThrough(counter: string): boolean {
  return counter.startsWith("leak:") || counter.startsWith("perhaps:");
}

function isAround({ operation: { confirmed, origin } }: Watched, { record }: Sighting): boolean {
  return Math.abs(record.fromMs - (confirmed?.at ?? origin.at)) <= aroundMs;
}
