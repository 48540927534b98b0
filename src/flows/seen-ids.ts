/** The same event comes again: from two sources, or after a reconnection. */
export type SeenIds = {
  /** Whether it was not among the latest ones yet; it is from then on. */
  isFirst(id: string): boolean;
};

/** Remembers at least the latest `atLeast` ids, and at most twice as many. */
export function createSeenIds(atLeast: number): SeenIds {
  let latest = new Set<string>();
  let before = new Set<string>();
  return {
    isFirst(id) {
      if (latest.has(id) || before.has(id)) return false;
      if (latest.size >= atLeast) [before, latest] = [latest, new Set()];
      latest.add(id);
      return true;
    },
  };
}
