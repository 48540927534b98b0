/** A pod whose forwarded flows are wanted too: one that an operation is about. */
export type Interest = { readonly cluster: string; readonly namespace: string; readonly pod: string };

/** Forwarded flows are far too many to be asked for; these are the exceptions. */
export type Interests = {
  of(cluster: string): readonly Interest[];
  has(interest: Interest): boolean;
  set(interests: readonly Interest[]): void;
  /** Called after a change; returns what ends that. */
  onChange(listener: () => void): () => void;
};

/** Interests that begin with none. A listener is told only where something changed. */
export function createInterests(): Interests {
  const listeners = new Set<() => void>();
  let byText = new Map<string, Interest>();
  return {
    of: (cluster) => [...byText.values()].filter((interest) => interest.cluster === cluster),
    has: (interest) => byText.has(textOf(interest)),
    set(interests) {
      const next = new Map(interests.map((interest) => [textOf(interest), interest]));
      const isSame = next.size === byText.size && [...next.keys()].every((text) => byText.has(text));
      byText = next;
      if (!isSame) for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** No name of Kubernetes has a slash; a cluster's name may be anything, and is last. */
function textOf({ cluster, namespace, pod }: Interest): string {
  return `${namespace}/${pod}/${cluster}`;
}
