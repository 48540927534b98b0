/** Remembers answers, not failures; who asks while an answer is awaited gets the same. Forgets all at a thousand. */
export function remembering<T>(now: () => number, keepMs: (answer: T) => number) {
  const known = new Map<string, { readonly answer: Promise<T>; until: number }>();
  return (key: string, ask: () => Promise<T>): Promise<T> => {
    const before = known.get(key);
    if (before !== undefined && now() < before.until) return before.answer;
    if (known.size >= 1_000) known.clear();
    const entry = { answer: ask(), until: Number.POSITIVE_INFINITY };
    known.set(key, entry);
    entry.answer.then(
      (answer) => {
        entry.until = now() + keepMs(answer);
      },
      () => known.delete(key),
    );
    return entry.answer;
  };
}
