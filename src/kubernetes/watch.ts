import { setTimeout as wait } from "node:timers/promises";
import { failureOfStatus } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { KubernetesError } from "./failure.ts";
import { listAll } from "./list.ts";
import type { RawObject } from "./parse.ts";
import { type Change, createStore, type Store, storedOf } from "./store.ts";
import { createProgress, type Progress, type WatchState } from "./watch-progress.ts";

export type Watch<T> = {
  state(): WatchState;
  /** The resourceVersion up to which the store is complete; empty where it has lost its place. */
  position(): string;
  readonly store: Pick<Store<T>, "all" | "inNamespace">;
  close(): Promise<void>;
};

export type WatchOptions<T> = {
  readonly path: string;
  readonly parse: (raw: unknown) => T;
  readonly now: () => number;
  readonly onChange?: (change: Change<T>) => void;
  /** Told after all changes that a complete list showed, with its resourceVersion. */
  readonly onListed?: (resourceVersion: string) => void;
  /** Told of every failure, the thrown errors of the listeners included; it must not throw. */
  readonly onProblem?: (error: unknown, path: string) => void;
  /** How long one watch request lasts, in milliseconds. Default 10 000. */
  readonly turnMs?: number;
  /** After how long it lists again although nothing went wrong, in milliseconds. Default 600 000, give or take a fifth. */
  readonly relistMs?: number;
  /** How long it waits where this may not be read, in milliseconds. Default: as after any failure. */
  readonly forbiddenMs?: number;
};

/**
 * Follows a collection: a list, then watch requests, each from where the one before ended. Nothing ends it but `close`:
 * after 410 it lists again, after anything else it goes on after a jittered wait. A request lasts `turnMs`, so that a
 * quiet server is heard from too; one that is silent for half as long again is given up as frozen. Now and then it
 * lists although all seems well, for what only a list can show: events that a server or a proxy swallowed.
 */
export function watchCollection<T>(connection: Connection, options: WatchOptions<T>): Watch<T> {
  const { path, now, onProblem } = options;
  const report = (error: unknown): void => onProblem?.(error, path);
  const closing = new AbortController();
  const store = createStore<T>(guarded(options.onChange, report));
  const onListed = guarded(options.onListed, report);
  const progress = createProgress(path, now);
  const following = follow({ ...options, onListed, connection, store, progress, closed: closing.signal });
  return {
    state: () => progress.state(),
    position: () => progress.position(),
    store,
    async close() {
      closing.abort();
      await following;
    },
  };
}

/** A listener that throws is reported, and the watch goes on. */
function guarded<T>(listen: ((value: T) => void) | undefined, report: (error: unknown) => void): (value: T) => void {
  return (value) => {
    try {
      listen?.(value);
    } catch (error) {
      report(error);
    }
  };
}

type Following<T> = WatchOptions<T> & {
  readonly connection: Connection;
  readonly store: Store<T>;
  readonly progress: Progress;
  readonly closed: AbortSignal;
};

async function follow<T>(following: Following<T>): Promise<void> {
  const { connection, progress, closed, onProblem, path, forbiddenMs } = following;
  const relist = createRelist(following);
  while (!closed.aborted) {
    try {
      await (progress.position() === "" || relist.isDue() ? list(following) : watch(following));
    } catch (error) {
      if (closed.aborted) return;
      const failure = asKubernetesError(error);
      onProblem?.(failure, path);
      if (failure.kind === "unreachable" || failure.kind === "timeout") connection.renew();
      const soonMs = progress.failed(failure);
      const waitMs = failure.kind === "forbidden" ? (forbiddenMs ?? soonMs) : soonMs;
      await wait(waitMs, undefined, { signal: closed }).catch(() => undefined);
    }
  }
}

/** One that fails is not due again before its next time: the watch goes on from where it was. */
function createRelist<T>({ now, relistMs = 600_000 }: Following<T>) {
  const next = (): number => now() + relistMs * (0.8 + 0.4 * Math.random());
  let dueAt = next();
  return {
    isDue() {
      if (now() < dueAt) return false;
      dueAt = next();
      return true;
    },
  };
}

function asKubernetesError(error: unknown): KubernetesError {
  if (error instanceof KubernetesError) return error;
  return new KubernetesError({ kind: "not-kubernetes", message: "an object could not be read", cause: error });
}

async function list<T>(following: Following<T>): Promise<void> {
  const { connection, path, parse, store, progress, closed, onListed } = following;
  const limits = { signal: closed, timeoutMs: 30_000 };
  const listed = await listAll(connection, path, (raw) => storedOf(raw, parse), limits);
  store.replaceAll(listed.items, listed.resourceVersion);
  progress.listed(listed.resourceVersion);
  onListed?.(listed.resourceVersion);
}

async function watch<T>(following: Following<T>): Promise<void> {
  const { connection, path, parse, store, progress, closed, now, turnMs = 10_000 } = following;
  const silence = createSilence(turnMs * 1.5, closed);
  try {
    const events = await connection.stream(path, watchQuery(progress.position(), turnMs), silence.signal);
    const openedAt = now();
    let heard = 0;
    for await (const event of events) {
      silence.broken();
      heard += 1;
      progress.advanced(applyEvent(store, event, parse));
    }
    if (heard === 0 && now() - openedAt < turnMs / 4) throw endedAtOnce(path);
    progress.advanced(progress.position());
  } finally {
    silence.over();
  }
}

function watchQuery(resourceVersion: string, turnMs: number): Record<string, string> {
  const timeoutSeconds = String(Math.max(1, Math.round(turnMs / 1_000)));
  return { watch: "true", allowWatchBookmarks: "true", resourceVersion, timeoutSeconds };
}

type RawEvent = { readonly type?: string; readonly object?: RawObject };

/** Returns the resourceVersion to go on from. Throws KubernetesError for an ERROR event. */
function applyEvent<T>(store: Store<T>, event: unknown, parse: (raw: unknown) => T): string {
  const { type, object } = event as RawEvent;
  if (type === "ERROR") throw failureOfStatus(object, "the watch");
  const entry = storedOf(object, parse);
  if (type === "DELETED") store.remove(entry.uid, "event", entry.resourceVersion);
  else if (type !== "BOOKMARK") store.put(entry, type === "ADDED" ? "creation" : "event");
  return entry.resourceVersion;
}

function endedAtOnce(path: string): KubernetesError {
  return new KubernetesError({ kind: "unreachable", message: `the watch of ${path} ended as soon as it began` });
}

/** A signal that fires as a timeout after so much silence, or when `closed` does. */
function createSilence(ms: number, closed: AbortSignal) {
  const frozen = new AbortController();
  const timer = setTimeout(() => frozen.abort(new DOMException("silent", "TimeoutError")), ms);
  return {
    signal: AbortSignal.any([closed, frozen.signal]),
    broken: () => void timer.refresh(),
    over: () => clearTimeout(timer),
  };
}
