import { type Counted, createCountHeap } from "./count-heap.ts";

/** One of many that are counted. `error`: how many of `count` may belong to others. */
export type Counter = Counted & { error: number };

export type SpaceSaving<Of extends Counter> = {
  /**
   * The counter of that text, with so much added; where there is none and there is room for no more, the lowest one goes, and
   * the new one (`make`) has its count, as error.
   */
  add(text: string, count: number, make: () => Of): Of;
  /** In no order. */
  readonly entries: readonly Of[];
  /** How much was counted as others' so far: the sum of the errors that were made here. */
  evicted(): number;
};

/**
 * Space-Saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams, 2005), with
 * weights: at most `most` counters, whose counts add up to all that was added, N. A count is never too low, and too high
 * by at most N/`most`; whatever has more than that is among them. An addition takes O(log most).
 */
export function createSpaceSaving<Of extends Counter>(most: number): SpaceSaving<Of> {
  const heap = createCountHeap<Of>();
  let evicted = 0;
  return {
    add(text, count, make) {
      const known = heap.find(text);
      const counter = known ?? make();
      const lowest = known === undefined && heap.all.length >= most ? heap.all[0] : undefined;
      counter.count += count + (lowest?.count ?? 0);
      counter.error += lowest?.count ?? 0;
      evicted += lowest?.count ?? 0;
      if (lowest === undefined) heap.place(counter);
      else heap.replaceLowest(counter);
      return counter;
    },
    entries: heap.all,
    evicted: () => evicted,
  };
}
