import type { Count } from "../policy/observed.ts";
import { sumOf } from "../policy/observed.ts";
import type { Portion, Tally } from "../scheduler/observations.ts";

/** What a replica has seen of an operation and not stored yet. */
export type Pending = {
  count(counter: string, seen: Count): void;
  line(text: string, seen: Count, kept: number): void;
  /** What is to be stored: until `stored`, the same again, whatever comes meanwhile; undefined: nothing. */
  portion(): Portion | undefined;
  stored(): void;
};

/** So many flows are told one by one; of more there are enough already. */
const mostLines = 300;

/** `begin` makes an id that nothing else has. */
export function createPending(newId: () => string): Pending {
  let counters = new Map<string, Tally>();
  let lines = new Map<string, Tally & { readonly kept: number }>();
  let sending: Portion | undefined;
  return {
    count: (name, seen) => void counters.set(name, { name, ...added(counters.get(name), seen) }),
    line(name, seen, kept) {
      if (lines.has(name) || lines.size < mostLines) lines.set(name, { name, kept, ...added(lines.get(name), seen) });
    },
    portion() {
      if (sending !== undefined || counters.size + lines.size === 0) return sending;
      sending = { id: newId(), counters: [...counters.values()], lines: [...lines.values()] };
      [counters, lines] = [new Map(), new Map()];
      return sending;
    },
    stored: () => void (sending = undefined),
  };
}

function added(before: Count | undefined, { count, atLeast, firstAt, lastAt }: Count): Count {
  const seen = { count, atLeast, firstAt, lastAt };
  if (before === undefined) return seen;
  const { count: sum, ...rest } =
    sumOf({ count: before.count, atLeast: before.atLeast, firstAt: before.firstAt, lastAt: before.lastAt }, seen) ??
    seen;
  return { count: sum, ...rest };
}
