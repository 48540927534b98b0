import type { ServerResponse } from "node:http";
import { StatusError } from "./status.ts";

/** Which requests a fault is for, and how often it strikes. */
export type FaultMatch = {
  readonly method?: string;
  /** Part of the path or of the query. */
  readonly path?: string | RegExp;
  /** How many requests meet it (default 1). */
  readonly times?: number;
};

/**
 * `status`: answered with this code before anything is done (429 and 503 with Retry-After). `reset`: the connection is
 * cut before anything is done. `lose-answer`: it is done, and the connection cut before the answer. `hang`: nothing
 * ever comes.
 */
export type Fault =
  | { readonly type: "status"; readonly code: number; readonly retryAfterSeconds?: number }
  | { readonly type: "reset" | "lose-answer" | "hang" };

/** What tests and drills can do to the connection between a client and the sandbox. */
export type Faults = {
  /** The next matching requests meet this fault. */
  inject(match: FaultMatch, fault: Fault): void;
  /** Forgets what was injected and has not struck. */
  clear(): void;
  /** Cuts all open watches, as a dying server does; with `clean` they end as at their timeout. Returns how many. */
  dropWatches(clean?: boolean): number;
  /** Every resourceVersion given out so far is answered 410 from now on. */
  expireHistory(): void;
  /** For the server: what this request meets; throws the Status where it is one. */
  meet(method: string, url: URL): "reset" | "lose-answer" | "hang" | undefined;
  /** For the server: a response that is a watch. */
  track(response: ServerResponse): void;
};

export function createFaults(expireHistory: () => void): Faults {
  let injected: { match: FaultMatch; fault: Fault; left: number }[] = [];
  const watches = new Set<ServerResponse>();
  return {
    inject: (match, fault) => void injected.push({ match, fault, left: match.times ?? 1 }),
    clear: () => {
      injected = [];
    },
    dropWatches: (clean = false) => {
      const open = [...watches];
      for (const response of open) {
        if (clean) response.end();
        else response.destroy();
      }
      return open.length;
    },
    expireHistory,
    meet: (method, url) => {
      const next = injected.find(({ match, left }) => left > 0 && matches(match, method, url));
      if (next === undefined) return undefined;
      next.left -= 1;
      if (next.fault.type !== "status") return next.fault.type;
      const { code, retryAfterSeconds = 1 } = next.fault;
      throw new StatusError(code, reasons.get(code), "a fault was injected here", { retryAfterSeconds });
    },
    track: (response) => {
      watches.add(response);
      response.on("close", () => watches.delete(response));
    },
  };
}

const reasons = new Map([
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
