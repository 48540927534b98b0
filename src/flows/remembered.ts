/** The ids that came lately, so that what comes again is not counted again. */
export type Remembered = {
  /** False where it came before. `atMs` is the event's own time, milliseconds since the epoch. */
  isNew(id: string, atMs: number): boolean;
  /** Whether it came, without keeping it. */
  has(id: string): boolean;
  /** What is of this time or earlier may have been forgotten: who asks for it again would count it again. */
  forgottenMs(): number;
};

type Generation = { readonly ids: Set<string>; latestMs: number };

/** At most `most` ids, in two generations: the older one is dropped as a whole when the younger one is full. */
export function createRemembered(most: number): Remembered {
  let young: Generation = { ids: new Set(), latestMs: -Infinity };
  let old = young;
  let forgottenMs = -Infinity;

  function makeRoom(): void {
    if (young.ids.size < most / 2) return;
    if (old !== young) forgottenMs = Math.max(forgottenMs, old.latestMs);
    old = young;
    young = { ids: new Set(), latestMs: -Infinity };
  }

  const has = (id: string): boolean => young.ids.has(id) || old.ids.has(id);
  return {
    has,
    isNew(id, atMs) {
      if (has(id)) return false;
      makeRoom();
      young.ids.add(id);
      young.latestMs = Math.max(young.latestMs, atMs);
      return true;
    },
    forgottenMs: () => forgottenMs,
  };
}
