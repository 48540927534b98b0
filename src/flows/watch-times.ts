/** When a watch looks: so many milliseconds after each other, or each day at so many minutes after midnight UTC. */
export type WatchSchedule =
  | { readonly kind: "every"; readonly everyMs: number }
  | { readonly kind: "at"; readonly minute: number };

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** A card says first that it is watched. */
const firstMs = 5_000;

/** The first look: in a few seconds, or when the time of day comes. Milliseconds since the epoch. */
export function firstLook(schedule: WatchSchedule, nowMs: number): number {
  return schedule.kind === "every" ? nowMs + firstMs : nextAt(schedule.minute, nowMs - 1);
}

/** The look after the one that was due then: later than now, so that those that were missed are one. */
export function nextLook(schedule: WatchSchedule, dueMs: number, nowMs: number): number {
  if (schedule.kind === "at") return nextAt(schedule.minute, nowMs);
  const { everyMs } = schedule;
  return dueMs + everyMs * (Math.floor(Math.max(0, nowMs - dueMs) / everyMs) + 1);
}

/** How long it is from one look to the next, milliseconds. */
export function betweenLooks(schedule: WatchSchedule): number {
  return schedule.kind === "every" ? schedule.everyMs : dayMs;
}

function nextAt(minute: number, afterMs: number): number {
  const today = Math.floor(afterMs / dayMs) * dayMs + minute * minuteMs;
  return today > afterMs ? today : today + dayMs;
}
