import { trafficPaths } from "./traffic-paths.ts";
import type { Rules } from "./traffic-policies.ts";
import { createPrograms, isDeniedLine } from "./traffic-programs.ts";

const allEnforce = { broken: new Set<string>(), all: false };

/**
 * What its agents denied in a time before the sandbox was there, as lines: made up, of the same programs and by the policies that
 * the cluster has now. A receiver takes three quarters of an hour of the demo's in one body.
 */
export function backlogLines(
  rules: Rules,
  { fromMs, toMs, everyMs }: { readonly fromMs: number; readonly toMs: number; readonly everyMs: number },
): readonly string[] {
  let at = fromMs;
  const now = (): number => at;
  const linesIn = (paths: typeof trafficPaths) => createPrograms({ now, seed: 2, paths });
  const denied = trafficPaths.filter((path) => linesIn([{ ...path, every: 1 }])(rules, allEnforce).some(isDeniedLine));
  const programs = linesIn(denied);
  const lines: string[] = [];
  for (; at < toMs; at += everyMs) lines.push(...programs(rules, allEnforce).filter(isDeniedLine));
  return lines;
}
