import { textOf } from "../flows/flow-key.ts";
import type { LedgerView } from "../flows/ledger.ts";
import { mutedPattern } from "../flows/mutes.ts";
import type { Counted, CountedMinute, PolicyChangeAt } from "../flows/spike.ts";
import type { FlowServices } from "./flow-services.ts";
import { cutIn } from "./operations-cutting.ts";
import type { Services } from "./services.ts";

const minuteMs = 60_000;
/** The ledger knows minutes one by one for three hours (redis-ledger.ts). */
const furthestMs = 3 * 3_600_000 - 5 * minuteMs;
/** Where nothing was judged before, so much of what is kept is learnt from. */
const firstMs = 3_600_000;
/** Clocks of replicas differ by less. */
const clocksAgreeMs = 10 * minuteMs;
const lookBackMs = 15 * minuteMs;
const mostChanges = 100;

/**
 * The minutes that are to be judged, the earliest first; what lies too far back is passed over. `endMs`: nothing came later. Where
 * minutes of the future were judged, by a replica whose clock was wrong, it goes on from now: or nothing would be until then.
 */
export function minutesDue(judgedMs: number | undefined, endMs: number): readonly number[] {
  const end = Math.floor(endMs / minuteMs) * minuteMs;
  if (judgedMs !== undefined && judgedMs > end + clocksAgreeMs) return [end - minuteMs];
  const begin = judgedMs === undefined ? end - firstMs : Math.max(judgedMs + minuteMs, end - furthestMs);
  return Array.from({ length: Math.max(0, (end - begin) / minuteMs) }, (_, index) => begin + index * minuteMs);
}

/** Whether any source ever told of it, as far as is kept. Throws where the store is away. */
export async function isAnyHeard(services: Services, { ledger }: FlowServices, cluster: string): Promise<boolean> {
  const toMs = services.now();
  return (await ledger.read({ cluster, fromMs: toMs - minuteMs, toMs })).lastHeardMs !== undefined;
}

/** Which minute of which cluster. */
export type MinuteOf = { readonly cluster: string; readonly atMs: number };

/**
 * What was counted in that minute, what changed before, and what operations cut off in it; `told`: those of which something was
 * told. Throws where the store is away.
 */
export async function minuteOf(
  services: Services,
  flows: FlowServices,
  { told, ...minute }: MinuteOf & { readonly told: readonly string[] },
): Promise<CountedMinute> {
  const { cluster, atMs } = minute;
  const [view, changes, mutes, cut] = await Promise.all([
    flows.ledger.read({ cluster, fromMs: atMs, toMs: atMs + minuteMs }),
    changesOf(services, minute),
    flows.mutes.all(services.now()),
    cutIn(services, minute, told),
  ]);
  const muted = new Set(mutes.map(({ pattern }) => textOf(pattern)));
  const counted = view.series
    .filter(({ key }) => key.class === "denied")
    .map(
      ({ key, count, error, atLeast }): Counted => ({
        key,
        count: Math.max(0, count - error),
        atLeast: atLeast || error > 0,
      }),
    );
  return {
    minuteMs: atMs,
    counted,
    isHeard: counted.length > 0 || isWithin(view, atMs),
    changes,
    isMuted: (key) => muted.size > 0 && muted.has(textOf(mutedPattern(key))),
    cut,
  };
}

/** Before the first that came, and after the last, nobody told anything. */
function isWithin({ sinceMs, lastHeardMs }: LedgerView, atMs: number): boolean {
  return sinceMs !== undefined && lastHeardMs !== undefined && sinceMs <= atMs && atMs <= lastHeardMs;
}

async function changesOf({ history }: Services, { cluster, atMs }: MinuteOf): Promise<readonly PolicyChangeAt[]> {
  const revisions = await history?.list({
    cluster,
    since: atMs - lookBackMs,
    until: atMs + minuteMs,
    limit: mostChanges,
  });
  return (revisions ?? []).map(({ id, namespace, at }) => ({ id, namespace: namespace || undefined, atMs: at }));
}
