import type { WatchSchedule } from "../flows/watch-times.ts";
import { isWatchId } from "../flows/watches.ts";
import { formatDuration, parseDuration } from "../policy/duration.ts";
import type { Command } from "./command.ts";
import { type Usage, usage } from "./parse-answers.ts";

type Flows = Extract<Command, { kind: "flows" }>;
type PlaceNamed = (where: string | undefined) => Flows | Usage;

/** A look reads what was denied since the last one, and no more than 48 h are kept. */
const shortestMs = 5 * 60_000;
const longestMs = 48 * 3_600_000;

const usualSchedule: WatchSchedule = { kind: "every", everyMs: 3_600_000 };

/** `flows watch [ns | ns/workload] [every 1h | at 09:00]`: the words after `watch`. */
export function parseWatch(words: readonly string[], placeNamed: PlaceNamed): Flows | Usage {
  const at = words.findIndex((word) => word === "every" || word === "at");
  const [how, time = "", ...more] = at < 0 ? [] : words.slice(at);
  const [where, ...others] = at < 0 ? words : words.slice(0, at);
  const surplus = [...others, ...more];
  if (surplus.length > 0) return tooMuch(surplus);
  const schedule = how === undefined ? usualSchedule : how === "every" ? everyOf(time) : timeOf(time);
  if ("problem" in schedule) return schedule;
  const named = watchable(placeNamed(where));
  return named.kind === "usage" ? named : { ...named, what: { ...named.what, kind: "watch", schedule } };
}

/** `flows unwatch [ns | ns/workload | w-…]`: the words after `unwatch`. */
export function parseUnwatch([where, ...more]: readonly string[], placeNamed: PlaceNamed): Flows | Usage {
  if (more.length > 0) return tooMuch(more);
  const isId = where !== undefined && isWatchId(where);
  const named = watchable(placeNamed(isId ? undefined : where));
  if (named.kind === "usage") return named;
  return { ...named, what: { ...named.what, kind: "unwatch", watch: isId ? where : undefined } };
}

type Denied = Flows & { readonly what: Extract<Flows["what"], { kind: "denied" }> };

function watchable(named: Flows | Usage): Denied | Usage {
  if (named.kind === "usage") return named;
  const { what } = named;
  if (what.kind !== "denied") return usage("A namespace or a workload is watched: flows watch payments.", "flows");
  return { ...named, what };
}

function everyOf(time: string): WatchSchedule | Usage {
  const everyMs = parseDuration(time);
  if (everyMs !== undefined && everyMs >= shortestMs && everyMs <= longestMs) return { kind: "every", everyMs };
  const bounds = `${formatDuration(shortestMs)} to ${formatDuration(longestMs)}`;
  return usage(`every takes ${bounds}, such as 1h.`, "flows");
}

function timeOf(time: string): WatchSchedule | Usage {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  if (hours === undefined) return usage("at takes a time of day in UTC, such as 09:00.", "flows");
  return { kind: "at", minute: Number(hours) * 60 + Number(minutes) };
}

function tooMuch(words: readonly string[]): Usage {
  return usage(`"${words.join(" ").slice(0, 80)}" is more than flows takes.`, "flows");
}
