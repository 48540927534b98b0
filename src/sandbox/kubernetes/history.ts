import type { Change } from "./store.ts";

/** The latest changes, for watches that resume and lists that continue. */
export type History = {
  record(change: Change): void;
  /** Changes after that revision, oldest first; undefined where they are no longer all remembered. */
  since(revision: number): readonly Change[] | undefined;
  /** The revision before the oldest change that is remembered. */
  oldest(): number;
  /** Forgets everything up to and including that revision. */
  expire(revision: number): void;
};

export function createHistory(size: number, start: number): History {
  let changes: Change[] = [];
  let oldest = start;
  return {
    record: (change) => {
      changes.push(change);
      // Dropped in blocks: slicing for every change would copy the whole history each time.
      if (changes.length < size * 1.25) return;
      oldest = changes[changes.length - size - 1]?.revision ?? oldest;
      changes = changes.slice(-size);
    },
    since: (revision) => (revision < oldest ? undefined : changes.filter((change) => change.revision > revision)),
    oldest: () => oldest,
    expire: (revision) => {
      changes = [];
      oldest = revision;
    },
  };
}
