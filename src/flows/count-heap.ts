/** Something that has a count, and that a heap finds by its text. */
export type Counted = { readonly text: string; count: number };

/** The lowest count is at 0; each is at most as high as the two below it, at 2n + 1 and 2n + 2. */
export type CountHeap<Of extends Counted> = {
  readonly all: readonly Of[];
  find(text: string): Of | undefined;
  /** Puts one more there, or restores the order around one whose count has grown. */
  place(counted: Of): void;
  /** Puts it where the lowest one was. */
  replaceLowest(counted: Of): void;
};

export function createCountHeap<Of extends Counted>(): CountHeap<Of> {
  const places = new Map<string, number>();
  const all: Of[] = [];

  const put = (counted: Of, at: number): void => {
    all[at] = counted;
    places.set(counted.text, at);
  };
  const sink = (counted: Of, from: number): void => {
    let at = from;
    for (;;) {
      const child = lowerChild(all, at);
      const below = all[child];
      if (below === undefined || below.count >= counted.count) break;
      put(below, at);
      at = child;
    }
    put(counted, at);
  };
  return {
    all,
    find(text) {
      const at = places.get(text);
      return at === undefined ? undefined : all[at];
    },
    place(counted) {
      const at = places.get(counted.text);
      if (at === undefined) rise({ all, put }, counted);
      else sink(counted, at);
    },
    replaceLowest(counted) {
      const [lowest] = all;
      if (lowest !== undefined) places.delete(lowest.text);
      sink(counted, 0);
    },
  };
}

type Heap<Of> = { readonly all: readonly Of[]; readonly put: (counted: Of, at: number) => void };

/** From the end up to its place. */
function rise<Of extends Counted>({ all, put }: Heap<Of>, counted: Of): void {
  let at = all.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = all[parent];
    if (above === undefined || above.count <= counted.count) break;
    put(above, at);
    at = parent;
  }
  put(counted, at);
}

/** Beyond the end where there is none below. */
function lowerChild(all: readonly Counted[], at: number): number {
  const left = 2 * at + 1;
  const right = all[left + 1];
  return right !== undefined && right.count < (all[left]?.count ?? 0) ? left + 1 : left;
}
