import { setTimeout as wait } from "node:timers/promises";
import type { FlowSource } from "./flow-source.ts";
import type { FlowTls } from "./flow-tls.ts";
import { type Followed, type FollowOptions, follow, type Report } from "./follow.ts";
import { createFunnel, type Funnel } from "./funnel.ts";
import { lossesBetween } from "./gaps.ts";
import { connectGrpc, type GrpcConnection, type GrpcMethod } from "./grpc-connection.ts";
import type { Interest, Interests } from "./interests.ts";
import type { FlowFormat, FlowItem } from "./record.ts";
import { createRemembered, type Remembered } from "./remembered.ts";
import type { FlowSink } from "./sink.ts";
import { subscribe } from "./subscription.ts";

export type GrpcSourceOptions = FollowOptions & {
  /** Host and port. */
  readonly address: string;
  /** Undefined: plaintext. */
  readonly tls: FlowTls | undefined;
  readonly sink: FlowSink;
  readonly interests: Interests;
  /**
   * Where it was followed before: up to which event it told then, milliseconds since the epoch. What is not later counts no
   * more. Undefined: from now.
   */
  readonly sinceMs?: number | undefined;
  /** How often it is asked whether it is still there, milliseconds. */
  readonly aliveEveryMs?: number | undefined;
  /** How long it may take to answer, milliseconds. */
  readonly aliveWithinMs?: number | undefined;
};

/** What a message tells. The same `id` is the same event; `atMs` is the event's own time, milliseconds since the epoch. */
export type Told = { readonly id: string; readonly atMs: number; readonly items: readonly FlowItem[] };

/** How it was when it answered: `answer` is what it said of itself. */
export type Alive = { readonly answer: object; readonly atMs: number };

/** What differs between the servers that are followed over gRPC. */
export type Dialect = {
  readonly followed: Followed;
  readonly format: FlowFormat;
  /** A call that every such server answers. */
  readonly alive: { readonly method: GrpcMethod; readonly request: object };
  readonly stream: GrpcMethod;
  /** How much is asked for again after a break: they do not tell in order. Milliseconds. */
  readonly overlapMs: number;
  request(sinceMs: number | undefined, interests: readonly Interest[]): object;
  /** Undefined: nothing that was asked for, though an old server may send it. `status`: what `degraded` says may be another now. */
  read(message: object, nowMs: number): Told | "status" | undefined;
  /** What is not as it should be although the connection stands. */
  degraded(alive?: object): string | undefined;
  /** Since when it can tell all that was, after a break that began at `brokeMs`. */
  tellsSinceMs(before: Alive | undefined, now: Alive, brokeMs: number): number;
};

/** Bytes: some 100 each. More than any server's overlap at the rates of the facts (denied-flows §8). */
const mostRemembered = 100_000;
const aliveEveryMs = 20_000;
const aliveWithinMs = 10_000;
/** How long the old subscription may stand beside the new one that replaces it. */
const handOverMs = 2_000;
/** Changes that come together are one. */
const settleMs = 100;

/** What outlives a connection. */
type Memory = {
  readonly remembered: Remembered;
  /** Nothing before is asked for: somebody else may have counted it. */
  startMs: number | undefined;
  /** Of what was told, the latest; never in the future, whatever a node's clock says. */
  lastMs: number | undefined;
  stands: boolean;
  /** When the last connection that stood came to its end. */
  brokeMs: number | undefined;
  alive: Alive | undefined;
};

type Parts = {
  readonly options: GrpcSourceOptions;
  readonly dialect: Dialect;
  readonly memory: Memory;
  readonly funnel: Funnel;
};

/**
 * Follows a server's stream into the sink, and takes it up again where it broke: each event once, by its id. A server that says
 * nothing is asked whether it is there: silence is what a cluster without denied flows sounds like.
 */
export function followGrpc(options: GrpcSourceOptions, dialect: Dialect): FlowSource {
  const { sinceMs } = options;
  const remembered = createRemembered(mostRemembered);
  const memory: Memory = {
    remembered,
    startMs: sinceMs,
    lastMs: sinceMs,
    brokeMs: sinceMs,
    stands: false,
    alive: undefined,
  };
  const funnel = createFunnel(options.cluster, options.sink);
  const parts = { options, dialect, memory, funnel };
  const source = follow(options, dialect.followed, (report, stopped) => session(parts, report, stopped));
  return {
    state: () => ({ ...source.state(), positionMs: memory.lastMs }),
    async stop() {
      await source.stop();
      funnel.stop();
    },
  };
}

async function session(parts: Parts, report: Report, stopped: AbortSignal): Promise<void> {
  const { options, memory } = parts;
  const connection = await connectGrpc(options.address, options.tls);
  const over = new AbortController();
  const stop = Promise.withResolvers<void>();
  const end = () => stop.resolve();
  stopped.addEventListener("abort", end, { once: true });
  const here: Here = { connection, report, over: over.signal };
  try {
    await Promise.race([live(parts, here), ...(stopped.aborted ? [] : [stop.promise])]);
  } finally {
    over.abort();
    stopped.removeEventListener("abort", end);
    connection.close();
    if (memory.stands) memory.brokeMs = options.now();
    memory.stands = false;
  }
}

/** One connection, until it is over. */
type Here = { readonly connection: GrpcConnection; readonly report: Report; readonly over: AbortSignal };

async function live(parts: Parts, here: Here): Promise<void> {
  const { dialect, memory, funnel } = parts;
  const before = memory.alive;
  const alive = await askAlive(parts, here);
  here.report.connected();
  here.report.degraded(dialect.degraded(alive.answer));
  const { brokeMs } = memory;
  if (brokeMs !== undefined)
    for (const item of lossesBetween(brokeMs, dialect.tellsSinceMs(before, alive, brokeMs))) funnel.put(item);
  memory.stands = true;
  await Promise.race([readOn(parts, here), stayAlive(parts, here)]);
}

async function stayAlive(parts: Parts, here: Here): Promise<never> {
  for (;;) {
    await wait(parts.options.aliveEveryMs ?? aliveEveryMs, undefined, { signal: here.over });
    const { answer } = await askAlive(parts, here);
    here.report.degraded(parts.dialect.degraded(answer));
  }
}

async function askAlive({ options, dialect, memory }: Parts, { connection }: Here): Promise<Alive> {
  const { method, request } = dialect.alive;
  const answer = await connection.call(method, request, options.aliveWithinMs ?? aliveWithinMs);
  memory.alive = { answer, atMs: options.now() };
  return memory.alive;
}

/** With whatever is of interest now: where that changes a new subscription begins before the old one ends. */
async function readOn(parts: Parts, { connection, report, over }: Here): Promise<never> {
  const { interests, cluster } = parts.options;
  const wanted = () => JSON.stringify(interests.of(cluster));
  let asked = "";
  let changed = Promise.withResolvers<void>();
  const unhear = interests.onChange(() => (wanted() === asked ? undefined : changed.resolve()));
  over.addEventListener("abort", unhear, { once: true });
  const open = () => {
    asked = wanted();
    const start = () => connection.stream(parts.dialect.stream, requestOf(parts));
    return subscribe(start, parts.funnel, (message) => note(parts, report, message));
  };
  let current = open();
  for (;;) {
    await Promise.race([current.ended, changed.promise]);
    await wait(settleMs, undefined, { signal: over });
    changed = Promise.withResolvers();
    const next = open();
    await Promise.race([
      next.begun,
      current.ended.catch(() => undefined),
      wait(handOverMs, undefined, { signal: over }),
    ]);
    current.cancel();
    current = next;
  }
}

/** What is forgotten is not asked for again; where that is of the last moment, the rest of that moment is lost. */
function requestOf({ options, dialect, memory, funnel }: Parts): object {
  const { startMs, lastMs = 0, remembered } = memory;
  memory.startMs ??= options.now();
  const forgottenMs = remembered.forgottenMs();
  if (forgottenMs >= lastMs) for (const item of lossesBetween(lastMs, lastMs + 1)) funnel.put(item);
  const sinceMs = startMs === undefined ? undefined : Math.max(startMs, lastMs - dialect.overlapMs, forgottenMs + 1);
  return dialect.request(sinceMs, options.interests.of(options.cluster));
}

function note({ options, dialect, memory, funnel }: Parts, report: Report, message: object): void {
  const nowMs = options.now();
  const told = dialect.read(message, nowMs);
  if (told === undefined) return;
  if (told === "status") return report.degraded(dialect.degraded());
  report.heard(dialect.format);
  if (told.atMs <= (options.sinceMs ?? -Infinity) || !memory.remembered.isNew(told.id, told.atMs)) return;
  memory.lastMs = Math.max(memory.lastMs ?? 0, Math.min(told.atMs, nowMs));
  for (const item of told.items) funnel.put(item);
}
