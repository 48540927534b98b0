/** Both ends belong to it. */
export type Interval<T> = { readonly first: T; readonly last: T };

/** Sorted, apart from each other and not adjacent. */
export type Intervals<T> = readonly Interval<T>[];

/** How to step in a space of whole numbers, of either type. */
export type Steps<T> = { readonly next: (value: T) => T; readonly previous: (value: T) => T };

/** From intervals in any order, overlapping as they may. */
export function unite<T extends number | bigint>(intervals: Intervals<T>, { next }: Steps<T>): Intervals<T> {
  const merged: { first: T; last: T }[] = [];
  for (const { first, last } of intervals.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))) {
    const open = merged.at(-1);
    if (open === undefined || first > next(open.last)) merged.push({ first, last });
    else if (last > open.last) open.last = last;
  }
  return merged;
}

export function intersect<T extends number | bigint>(a: Intervals<T>, b: Intervals<T>): Intervals<T> {
  return a.flatMap((one) =>
    b
      .filter((other) => other.first <= one.last && one.first <= other.last)
      .map((other) => ({
        first: other.first > one.first ? other.first : one.first,
        last: other.last < one.last ? other.last : one.last,
      })),
  );
}

/** What is in `a` and not in `b`. */
export function subtract<T extends number | bigint>(
  a: Intervals<T>,
  b: Intervals<T>,
  { next, previous }: Steps<T>,
): Intervals<T> {
  return a.flatMap(({ first, last }) => {
    const rest: Interval<T>[] = [];
    let from = first;
    for (const hole of b) {
      if (hole.last < from || from > last) continue;
      if (hole.first > last) break;
      if (hole.first > from) rest.push({ first: from, last: previous(hole.first) });
      from = next(hole.last);
    }
    return from <= last ? [...rest, { first: from, last }] : rest;
  });
}
