import type { FlowClass } from "../flows/flow-key.ts";
import type { FlowUnit } from "../flows/record.ts";
import type { ComparedLine } from "./flow-lines.ts";
import { grouped, unitWords } from "./flow-words.ts";

/** `Denied in all: 1 240 connections and 33 packets, of 4 kinds, 2 new.`, and of what is only audited a line of its own. */
export function totalLines(lines: readonly ComparedLine[]): readonly string[] {
  const denied = lines.filter(({ key }) => key.class === "denied");
  const audited = lines.filter(({ key }) => key.class === "audited");
  const fresh = denied.filter(({ before }) => before === 0).length;
  const kinds = denied.length > 1 ? `, of ${grouped(denied.length)} kinds` : "";
  const news = fresh === 0 ? "" : `, ${fresh === denied.length ? "all" : grouped(fresh)} new`;
  return [
    ...(denied.length === 0 ? [] : [`Denied in all: ${sumWords(denied)}${kinds}${news}.`]),
    ...(audited.length === 0 ? [] : [`Would be denied, by policies that only audit: ${sumWords(audited)}.`]),
  ];
}

const otherClasses: readonly (readonly [FlowClass, string, string])[] = [
  ["reply", "reply", "replies"],
  ["probe", "health probe", "health probes"],
  ["multicast", "multicast or link-local", "multicast or link-local"],
  ["settling", "right after a pod's start or a policy's change", "right after a pod's start or a policy's change"],
  ["not-policy", "dropped for a reason that is no policy's", "dropped for reasons that are no policy's"],
];

/** `Not listed: 420 replies, 33 health probes.`; undefined where there is none. */
export function otherWords(lines: readonly ComparedLine[]): string | undefined {
  const told = otherClasses.flatMap(([of, one, many]) => {
    const count = lines.reduce((sum, { key, count: each }) => sum + (key.class === of ? each : 0), 0);
    return count === 0 ? [] : [`${grouped(count)} ${count === 1 ? one : many}`];
  });
  return told.length === 0 ? undefined : `Not listed: ${told.join(", ")}.`;
}

/** By unit, since they cannot be added: `at least 1 240 connections and 33 packets`. */
function sumWords(lines: readonly ComparedLine[]): string {
  const byUnit = Map.groupBy(lines, ({ unit }) => unit);
  return [...byUnit].map(([unit, same]) => unitSum(unit, same)).join(" and ");
}

/** Errors of single lines are between lines: what is counted in all is counted once. */
function unitSum(unit: FlowUnit, lines: readonly ComparedLine[]): string {
  const sum = lines.reduce((total, { count }) => total + count, 0);
  const least = lines.some(({ atLeast }) => atLeast) ? "at least " : "";
  return `${least}${grouped(sum)} ${unitWords(unit, sum)}`;
}
