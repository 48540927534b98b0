import type { ServerResponse } from "node:http";
import { createFreezer, type Freezer } from "./freezer.ts";
import { createRandom } from "./random.ts";
import { StatusError } from "./status.ts";

/** Which requests a fault is for, and how often it strikes. */
export type FaultMatch = {
  readonly method?: string;
  /** Part of the path or of the query. */
  readonly path?: string | RegExp;
  /** How many requests meet it: by default one, or with `share` any number. */
  readonly times?: number;
  /** How many matching requests pass before it begins (default 0). */
  readonly skip?: number;
  /** The part of the matching requests that meet it, in (0, 1], drawn by `seed` (default 1). */
  readonly share?: number;
  readonly seed?: number;
};

/**
 * `status`: answered with this code before anything is done (with Retry-After, 1 s where none is given). `reset`: the
 * connection is cut before anything is done. `lose-answer`: it is done, and the connection cut before the answer.
 * `swallow-answer`: it is done, and nothing ever comes. `hang`: nothing is done, and nothing ever comes.
 */
export type Fault =
  | { readonly type: "status"; readonly code: number; readonly retryAfterSeconds?: number }
  | { readonly type: Silent };

type Silent = "reset" | "lose-answer" | "swallow-answer" | "hang";

/** A response that is a watch, and how to end it with 410. */
export type OpenWatch = { readonly response: ServerResponse; readonly expire: () => void };

/** What tests and drills can do to the connection between a client and the sandbox. */
export type Faults = Pick<Freezer, "freeze" | "thaw"> & {
  /** The next matching requests meet this fault. */
  inject(match: FaultMatch, fault: Fault): void;
  /** Forgets what was injected and has not struck; with a part of a path only what was injected for paths with it. */
  clear(path?: string): void;
  /** How many requests met a fault so far. */
  struck(): number;
  /** Cuts all open watches, as a dying server does; with `clean` they end as at their timeout. Returns how many. */
  dropWatches(clean?: boolean): number;
  /** Every resourceVersion given out so far is answered 410 from now on. */
  expireHistory(): void;
  /** The same, and every open watch gets its ERROR event with 410 at once. Returns how many. */
  expireWatches(): number;
};

/** The same for the server itself. */
export type ServerFaults = Faults & {
  readonly freezer: Freezer;
  /** What this request meets; throws the Status where it is one. */
  meet(method: string, url: URL): Silent | undefined;
  track(watch: OpenWatch): void;
};

type Injected = { readonly match: FaultMatch; readonly fault: Fault; left: number; readonly strikes: () => boolean };

export function createFaults(expireHistory: () => void): ServerFaults {
  let injected: Injected[] = [];
  let struck = 0;
  const watches = new Set<OpenWatch>();
  const freezer = createFreezer();
  const each = (end: (watch: OpenWatch) => void): number => {
    const open = [...watches];
    for (const watch of open) end(watch);
    return open.length;
  };
  return {
    freezer,
    freeze: () => freezer.freeze(),
    thaw: () => freezer.thaw(),
    inject: (match, fault) => void injected.push(injectedOf(match, fault)),
    clear: (path = "") => {
      injected = injected.filter(({ match }) => path !== "" && !String(match.path ?? "").includes(path));
    },
    struck: () => struck,
    dropWatches: (clean = false) => each(({ response }) => void (clean ? response.end() : response.destroy())),
    expireHistory,
    expireWatches: () => {
      expireHistory();
      return each(({ expire }) => expire());
    },
    meet: (method, url) => {
      const next = injected.find(({ match, left, strikes }) => left > 0 && matches(match, method, url) && strikes());
      if (next === undefined) return undefined;
      next.left -= 1;
      struck += 1;
      if (next.fault.type !== "status") return next.fault.type;
      const { code, retryAfterSeconds = 1 } = next.fault;
      throw new StatusError(code, reasons.get(code), "a fault was injected here", { retryAfterSeconds });
    },
    track: (watch) => {
      watches.add(watch);
      watch.response.on("close", () => watches.delete(watch));
    },
  };
}

function injectedOf(match: FaultMatch, fault: Fault): Injected {
  const { share, seed = 1, times = share === undefined ? 1 : Number.POSITIVE_INFINITY } = match;
  const random = createRandom(seed);
  let { skip = 0 } = match;
  const strikes = (): boolean => {
    skip -= 1;
    return skip < 0 && (share === undefined || random() < share);
  };
  return { match, fault, left: times, strikes };
}

const reasons = new Map([
  [409, "Conflict"],
  [429, "TooManyRequests"],
  [500, "InternalError"],
  [503, "ServiceUnavailable"],
  [504, "Timeout"],
]);

function matches({ method, path }: FaultMatch, given: string, url: URL): boolean {
  if (method !== undefined && method !== given) return false;
  const target = `${url.pathname}${url.search}`;
  return path === undefined || (typeof path === "string" ? target.includes(path) : path.test(target));
}
