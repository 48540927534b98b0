/** One that is told, and how many like it were not, since the one before. */
export type Sample<T> = { readonly value: T; readonly held: number };

/** Tells the first of its kind at once and then one in a while: nobody can flood what is told. */
export type Sampler<T> = {
  /** The value as a sample; undefined where one like it was told a moment ago: then it is counted. */
  take(kind: string, value: T): Sample<T> | undefined;
  /** What was only counted and whose while is over; with `all` whatever was only counted. */
  due(all?: boolean): readonly Sample<T>[];
};

export type SamplerOptions = {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** At most one sample of a kind in so many milliseconds. */
  readonly everyMs: number;
  /** Of more kinds than this, further ones count as one kind. */
  readonly mostKinds: number;
};

type Held<T> = { since: number; count: number; last: T };

export function createSampler<T>({ now, everyMs, mostKinds }: SamplerOptions): Sampler<T> {
  const kinds = new Map<string, Held<T>>();

  function take(kind: string, value: T): Sample<T> | undefined {
    const key = kinds.has(kind) || kinds.size < mostKinds ? kind : "others";
    const held = kinds.get(key);
    if (held === undefined || now() - held.since >= everyMs) {
      kinds.set(key, { since: now(), count: 0, last: value });
      return { value, held: held?.count ?? 0 };
    }
    held.count += 1;
    held.last = value;
    return undefined;
  }

  function due(all = false): readonly Sample<T>[] {
    const over = [...kinds].filter(([, { since }]) => all || now() - since >= everyMs);
    return over.flatMap(([kind, held]) => {
      if (held.count === 0) {
        kinds.delete(kind);
        return [];
      }
      kinds.set(kind, { since: now(), count: 0, last: held.last });
      return [{ value: held.last, held: held.count - 1 }];
    });
  }

  return { take, due };
}
