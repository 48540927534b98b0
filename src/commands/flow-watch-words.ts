import type { WatchSchedule } from "../flows/watch-times.ts";
import type { FlowWatch, Watched } from "../flows/watches.ts";
import { decideAccess } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { principalName } from "../policy/principal.ts";
import { clockWords } from "./flow-window.ts";
import type { Context, Services } from "./services.ts";

/** As one types it; `everything` where nothing was named. */
export function watchedWords({ cluster, namespace, workload }: Watched): string {
  const kind = workload?.of === undefined ? "" : `${workload.of}/`;
  const place = `${namespace ?? ""}${workload === undefined ? "" : `/${kind}${workload.name}`}`;
  return `${cluster === undefined ? "" : `${cluster}:`}${place}` || "everything";
}

/** What is typed after `flows unwatch`. */
export function typedWatched(watched: Watched): string {
  const words = watchedWords(watched);
  return words === "everything" ? "" : ` ${words}`;
}

/** `every 1h`, `each day at 09:00 UTC`. */
export function scheduleWords(schedule: WatchSchedule): string {
  if (schedule.kind === "every") return `every ${formatDuration(schedule.everyMs)}`;
  const [hours, minutes] = [Math.floor(schedule.minute / 60), schedule.minute % 60];
  return `each day at ${[hours, minutes].map((part) => String(part).padStart(2, "0")).join(":")} UTC`;
}

/** Whether the person may know of the watch: as they may look at what it is about. */
export function maySeeWatch({ services, request }: Pick<Context, "services" | "request">, watch: Watched): boolean {
  const { cluster, namespace } = watch;
  return decideAccess(services.settings.access, request.principal, "status", { cluster, namespace }).allowed;
}

/** What, when, for whom, and when it last looked and posted: for a list. */
export function watchLine(watch: FlowWatch, { now }: Pick<Services, "now">): string {
  const nowMs = now();
  const at = (ms: number | undefined, never: string): string => (ms === undefined ? never : clockWords(ms, nowMs));
  return [
    `${watchedWords(watch)}, ${scheduleWords(watch.schedule)}, as ${principalName(watch.by)} may see it`,
    `last look ${at(watch.lookedMs, "not yet")}`,
    `last post ${at(watch.postedMs, "none")}`,
    ...(watch.owed === undefined || watch.owed.tries === 0 ? [] : ["WARNING: Slack did not take the newest post yet"]),
  ].join("; ");
}
