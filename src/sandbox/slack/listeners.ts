/** Those who want to know of every change. */
export type Listeners<T> = {
  readonly tell: (change: T) => void;
  /** Calls back on every change; the answer ends that. */
  readonly watch: (listener: (change: T) => void) => () => void;
  /**
   * Waits for something to be so: `look` is asked now and after every change, until it finds something. Throws `late`'s
   * sentence after `timeoutMs`.
   */
  readonly until: <V>(look: () => V | undefined, timeoutMs: number, late: () => string) => Promise<V>;
};

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(change: T) => void>();
  const watch: Listeners<T>["watch"] = (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
    watch,
    until: (look, timeoutMs, late) => {
      const present = look();
      if (present !== undefined) return Promise.resolve(present);
      return new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          stop();
          reject(new Error(late()));
        }, timeoutMs);
        const stop = watch(() => {
          const found = look();
          if (found === undefined) return;
          stop();
          clearTimeout(limit);
          resolve(found);
        });
      });
    },
  };
}
