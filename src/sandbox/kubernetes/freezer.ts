/** A server that is stopped and goes on later, as by SIGSTOP and SIGCONT: connections are taken, nothing is answered. */
export type Freezer = {
  freeze(): void;
  /** What was held up happens now, in its order. */
  thaw(): void;
  /** At once, or when it thaws. */
  whenThawed(act: () => void): void;
};

export function createFreezer(): Freezer {
  let held: (() => void)[] | undefined;
  return {
    freeze: () => {
      held ??= [];
    },
    thaw: () => {
      const acts = held ?? [];
      held = undefined;
      for (const act of acts) act();
    },
    whenThawed: (act) => {
      if (held === undefined) act();
      else held.push(act);
    },
  };
}
