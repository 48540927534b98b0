import type { PodClass } from "./classes.ts";
import type { Matcher } from "./model.ts";

/** Which classes a matcher selects, worked out when first asked: one bit a class. */
export type Column = { readonly has: (index: number) => boolean };

/** Gives equal matchers the same column. */
export type Columns = { readonly of: (matcher: Matcher) => Column };

export function createColumns(classes: readonly PodClass[]): Columns {
  const byNamespace = Map.groupBy(classes, ({ identity }) => identity.namespace.name);
  const known = new Map<string, Column>();
  return {
    of: (matcher) => {
      const column = known.get(matcher.key) ?? createColumn(matcher, classes, byNamespace);
      known.set(matcher.key, column);
      return column;
    },
  };
}

function createColumn(
  matcher: Matcher,
  classes: readonly PodClass[],
  byNamespace: ReadonlyMap<string, readonly PodClass[]>,
): Column {
  let bits: Uint32Array | undefined;
  return {
    has: (index) => {
      bits ??= fill(matcher, classes.length, byNamespace);
      return (((bits[index >> 5] ?? 0) >>> (index & 31)) & 1) === 1;
    },
  };
}

function fill(matcher: Matcher, size: number, byNamespace: ReadonlyMap<string, readonly PodClass[]>): Uint32Array {
  const bits = new Uint32Array((size + 31) >> 5);
  const groups = matcher.namespace === undefined ? byNamespace.values() : [byNamespace.get(matcher.namespace) ?? []];
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || matcher.namespaces?.(first.identity.namespace) === false) continue;
    for (const { index, identity } of group) {
      if (matcher.pods?.(identity) !== false) bits[index >> 5] = (bits[index >> 5] ?? 0) | (1 << (index & 31));
    }
  }
  return bits;
}
