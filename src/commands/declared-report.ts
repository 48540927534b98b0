import type { DeclaredDrift } from "./declared.ts";

/** For people: `-` is what is declared, `+` what is there. */
export function declaredText(drift: DeclaredDrift): string {
  const { missing, extra, changed, same, ours } = drift;
  const lines = [
    ...part("Declared, and not in the cluster:", missing),
    ...part("In the cluster, and not declared:", extra),
    ...(changed.length === 0 ? [] : ["Not as declared (- declared, + in the cluster):"]),
    ...changed.flatMap(({ name, diff }) => [`  ${name}`, ...diff.text.split("\n").map((line) => `    ${line}`)]),
    ...part("Bulkhead's own, not counted:", ours),
    isDrift(drift)
      ? `${missing.length} missing, ${extra.length} not declared, ${changed.length} changed; ${same} as declared.`
      : `No drift: ${same} as declared.`,
  ];
  return `${lines.join("\n")}\n`;
}

/** For programs. */
export function declaredJson({ changed, ...rest }: DeclaredDrift): string {
  return `${JSON.stringify({ ...rest, changed: changed.map(({ name, diff }) => ({ name, diff: diff.text })) })}\n`;
}

export function isDrift({ missing, extra, changed }: DeclaredDrift): boolean {
  return missing.length + extra.length + changed.length > 0;
}

function part(title: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [title, ...names.map((name) => `  ${name}`)];
}
