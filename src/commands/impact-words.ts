/** `a, b and 3 more things`: at most so many are named. */
export function someOf(names: readonly string[], most: number, things: string): string {
  const left = names.length - most;
  const shown = left <= 1 ? names : [...names.slice(0, most), `${left} more ${things}`];
  const last = shown.at(-1) ?? "";
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(", ")} and ${last}`;
}

/** `1 pod`, `3 pods`. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count} ${count === 1 ? thing : things}`;
}
