import type { FlowItem } from "./record.ts";

const minuteMs = 60_000;
/** As far back as anything is kept (a day). */
const mostMinutes = 1_440;

/**
 * A gap of which nobody can say how much was in it: one event lost in each of its minutes, so that every count over them is
 * known for a lower bound. Both milliseconds since the epoch; nothing where the end is not after the beginning.
 */
export function lossesBetween(fromMs: number, toMs: number): readonly FlowItem[] {
  const minutes = Math.min(mostMinutes, Math.max(0, Math.ceil((toMs - fromMs) / minuteMs)));
  return Array.from({ length: minutes }, (_, back) => ({
    kind: "lost",
    count: 1,
    atMs: Math.max(fromMs, toMs - 1 - back * minuteMs),
    node: undefined,
  }));
}
