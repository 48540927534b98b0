/**
 * Where policies changed a moment ago: engines need that long to enforce them everywhere, and what they drop meanwhile is
 * no news. Only so long: what a changed policy denies is what people want to hear of first.
 */
export type Settled = {
  /** A policy of that namespace changed; undefined: one that holds for the whole cluster. Milliseconds since the epoch. */
  changed(cluster: string, namespace: string | undefined, atMs: number): void;
  /** Whether something that was seen then, in any of these namespaces, falls into such a moment. */
  isSettling(cluster: string, namespaces: readonly (string | undefined)[], atMs: number): boolean;
};

const settlesMs = 10_000;
/** Clocks of nodes and of whoever told of the change differ. */
const skewMs = 1_000;
/** Of each namespace, the latest ones: records come late by minutes at most. */
const mostChanges = 16;
/** Beyond, all is forgotten: it is of seconds. */
const mostNamespaces = 20_000;

export function createSettled(): Settled {
  const changes = new Map<string, readonly number[]>();
  return {
    changed(cluster, namespace, atMs) {
      const key = keyOf(cluster, namespace);
      const before = changes.get(key) ?? [];
      changes.delete(key);
      changes.set(key, [...before, atMs].slice(-mostChanges));
      if (changes.size > mostNamespaces) changes.clear();
    },
    isSettling: (cluster, namespaces, atMs) =>
      changes.size > 0 &&
      [undefined, ...namespaces].some((namespace) =>
        changes.get(keyOf(cluster, namespace))?.some((ms) => ms - skewMs <= atMs && atMs < ms + settlesMs),
      ),
  };
}

function keyOf(cluster: string, namespace = ""): string {
  return `${namespace}/${cluster}`;
}
