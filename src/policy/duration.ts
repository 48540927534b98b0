const unitMs = new Map([
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** `90s`, `30m`, `2h`, `1d`, `1h30m` in milliseconds; undefined for anything else, zero and beyond 365 days included. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,6}[smhd])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  const durationMs = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs.get(unit ?? "") ?? 0), 0);
  return durationMs > 0 && durationMs <= 365 * 86_400_000 ? durationMs : undefined;
}

/** A length of time for people, at most two units: `1h 30m`, `2.4 s`, `87 ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 60_000) return `${(durationMs / 1_000).toFixed(1).replace(/\.0$/, "")} s`;
  const units = [...unitMs].reverse();
  const largest = units.findIndex(([, ms]) => durationMs >= ms);
  let rest = durationMs;
  const parts = units.slice(largest, largest + 2).map(([unit, ms]) => {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.filter((part) => part !== "").join(" ");
}
