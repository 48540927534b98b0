import type { Logger } from "pino";
import type { FlowSourceState } from "./flows/flow-source.ts";
import { type FailureKind, KubernetesError } from "./kubernetes/failure.ts";
import type { WatchState } from "./kubernetes/watch-progress.ts";
import type { Metrics } from "./metrics.ts";
import type { SweepOptions } from "./scheduler/sweep.ts";

type Outlets = { readonly log: Pick<Logger, "error" | "warn" | "info">; readonly metrics: Pick<Metrics, "meter"> };

/** Every failure is counted; the log has when a sweep begins to fail, and when it works again. */
export function sweepTrouble(sweep: string, { log, metrics }: Outlets): SweepOptions {
  return {
    onError(error, again) {
      metrics.meter({ kind: "error", where: "sweep", message: String(error) });
      if (!again) log.error({ where: "sweep", sweep, error: String(error) }, "error");
    },
    onRecovery: () => log.info({ sweep }, "a sweep works again"),
  };
}

/** What is stored of the history and cannot be read stays so: the log has each once. */
export function historyTrouble({ log, metrics }: Outlets): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    const message = String(error);
    metrics.meter({ kind: "error", where: "history", message });
    if (told.has(message) || told.size > 100) return;
    told.add(message);
    log.error({ where: "history", error: message }, "error");
  };
}

/** A connection is tried twice a second: the log has a failure once a minute, with how many it stands for. */
export function redisTrouble(log: Pick<Logger, "warn">, now: () => number): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;
  return (error) => {
    untold += 1;
    if (now() - toldAt < everyMs) return;
    log.warn({ error: String(error), failures: untold }, "Redis");
    toldAt = now();
    untold = 0;
  };
}

/** What was counted of flows and could not be stored, or was posted wrongly: the log has the first, and one a minute from then on. */
export function flowTrouble(outlets: Outlets, now: () => number): (error: unknown) => void {
  return onceAMinute("flows", outlets, now);
}

/** Spans that could not be sent are lost: the log has the first such failure, and one a minute from then on. */
export function traceTrouble(outlets: Outlets, now: () => number): (error: unknown) => void {
  return onceAMinute("traces", outlets, now);
}

function onceAMinute(where: string, { log, metrics }: Outlets, now: () => number): (error: unknown) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (error) => {
    metrics.meter({ kind: "error", where, message: String(error) });
    if (now() - toldAt < everyMs) return;
    toldAt = now();
    log.warn({ where, error: String(error) }, where);
  };
}

/** A flow source that fails tries again and again: the log has each new reason, and at most one line a minute of a source. */
export function sourceTrouble(log: Outlets["log"], now: () => number): (state: FlowSourceState) => void {
  const told = new Map<string, { readonly at: number; readonly words: string }>();
  return ({ cluster, name, state, why }) => {
    const words = `${state} ${why ?? ""}`;
    const last = told.get(`${cluster}/${name}`);
    if (last?.words === words || (last !== undefined && now() - last.at < everyMs)) return;
    told.set(`${cluster}/${name}`, { at: now(), words });
    const what = { cluster, source: name, state, ...(why !== undefined && { why }) };
    if (why === undefined) log.info(what, "flow source");
    else log.warn(what, "flow source");
  };
}

type WatchTrouble = Outlets & {
  readonly cluster: string;
  /** How the watches of this cluster stand. */
  readonly watches: () => readonly WatchState[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

const everyMs = 60_000;

/**
 * What to tell of failures of a cluster's watches: every one is counted; the log has the first of its kind, until the
 * watches that failed so work again, and at most one of a kind a minute. To be called before the watch's state changes.
 */
export function watchTrouble({ cluster, watches, now, log, metrics }: WatchTrouble) {
  const failing = new Map<string, FailureKind | "listener">();
  const toldAt = new Map<FailureKind | "listener", number>();
  return (error: unknown, path: string): void => {
    metrics.meter({ kind: "error", where: "watch", message: String(error) });
    const kind = error instanceof KubernetesError ? error.kind : "listener";
    const troubled = new Set(watches().flatMap(({ path: one, problem }) => (problem === undefined ? [] : [one])));
    for (const one of failing.keys()) if (!troubled.has(one)) failing.delete(one);
    const isKnown = [...failing.values()].includes(kind);
    // What is not told now is told by a later try, if it lasts.
    if (!isKnown && now() - (toldAt.get(kind) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    failing.set(path, kind);
    if (isKnown) return;
    toldAt.set(kind, now());
    log.warn({ cluster, path, kind, error: String(error) }, "watch");
  };
}
