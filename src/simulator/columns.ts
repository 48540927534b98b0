import type { PodClass } from "./classes.ts";
import type { Matcher } from "./model.ts";

/** Which classes a matcher selects: one bit a class, worked out when first asked. */
export type Column = { readonly has: (index: number) => boolean };

/** Gives equal matchers the same column. */
export type Columns = {
  readonly of: (matcher: Matcher) => Column;
  /** Counts up, for what is bound to these columns. */
  readonly nextId: () => number;
  /** Works out all columns for all classes that there are, so that no question has to wait for it. */
  readonly prepare: () => void;
};

/** `classes` may grow: columns follow. */
export function createColumns(classes: readonly PodClass[]): Columns {
  const known = new Map<string, Column>();
  const index = createNamespaceIndex(classes);
  let ids = 0;
  return {
    nextId: () => ids++,
    prepare: () => {
      for (const column of known.values()) column.has(classes.length - 1);
    },
    of: (matcher) => {
      const column = known.get(matcher.key) ?? createColumn(matcher, classes, index);
      known.set(matcher.key, column);
      return column;
    },
  };
}

/** Classes by namespace, of those from `start` on. */
type NamespaceIndex = (start: number) => ReadonlyMap<string, readonly PodClass[]>;

/** Nearly all columns are filled from the first class on: that grouping is kept until there are more classes. */
function createNamespaceIndex(classes: readonly PodClass[]): NamespaceIndex {
  const grouped = (start: number) => Map.groupBy(classes.slice(start), ({ identity }) => identity.namespace.name);
  let [whole, size] = [grouped(0), classes.length];
  return (start) => {
    if (start > 0) return grouped(start);
    if (size !== classes.length) [whole, size] = [grouped(0), classes.length];
    return whole;
  };
}

function createColumn(matcher: Matcher, classes: readonly PodClass[], index: NamespaceIndex): Column {
  let bits = new Uint32Array(0);
  let filled = 0;
  const fill = (): void => {
    const longer = new Uint32Array((classes.length + 31) >> 5);
    longer.set(bits);
    bits = longer;
    for (const selected of selectedBy(matcher, index(filled)))
      bits[selected >> 5] = (bits[selected >> 5] ?? 0) | (1 << (selected & 31));
    filled = classes.length;
  };
  return {
    has: (at) => {
      if (at >= filled) fill();
      return (((bits[at >> 5] ?? 0) >>> (at & 31)) & 1) === 1;
    },
  };
}

function* selectedBy(matcher: Matcher, byNamespace: ReadonlyMap<string, readonly PodClass[]>): Generator<number> {
  const groups = matcher.namespace === undefined ? byNamespace.values() : [byNamespace.get(matcher.namespace) ?? []];
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || matcher.namespaces?.(first.identity.namespace) === false) continue;
    for (const { index, identity } of group) if (matcher.pods?.(identity) !== false) yield index;
  }
}
