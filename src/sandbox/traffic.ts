import { setTimeout as delay } from "node:timers/promises";
import type { SandboxCluster } from "./kubernetes/cluster.ts";
import { backlogLines } from "./traffic-backlog.ts";
import { type Rules, rulesOf } from "./traffic-policies.ts";
import { createPrograms, type Enforcement } from "./traffic-programs.ts";

export type TrafficOptions = {
  readonly cluster: Pick<SandboxCluster, "objects">;
  /** Where the nodes' agents post what they export, as NDJSON; false: it was not taken, and is posted again. */
  readonly post: (body: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly seed?: number;
  /** Between two turns, milliseconds. */
  readonly everyMs?: number;
  /** What was denied in so many milliseconds before it starts is told first (traffic-backlog.ts). Default: nothing of it. */
  readonly backlogMs?: number;
};

/** The sandbox's data plane, as far as anybody sees it: what its agents tell. */
export type Traffic = {
  /** From now on this node, or every node, lets everything through whatever policies say. */
  breakEnforcement(node?: string): void;
  healEnforcement(): void;
  /** All programs once; resolves with how many lines were posted. */
  turn(): Promise<number>;
  stop(): Promise<void>;
};

/** Lines that nobody took: the oldest are lost, as an agent's file is rotated. */
const mostWaiting = 5_000;
const usualEveryMs = 500;

/** Pods connect to each other all the time, and each connection is decided by the policies that the cluster has then. */
export function startTraffic(options: TrafficOptions): Traffic {
  const { cluster, post, everyMs = usualEveryMs } = options;
  const stopping = new AbortController();
  const enforcement: Enforcement = { broken: new Set(), all: false };
  const programs = createPrograms(options);
  let rules: ReturnType<typeof rulesOf> | undefined;
  let waiting: string[] = [];
  const catchUp = createCatchUp(options, () => (rules = rulesOf(cluster, rules)));
  const turn = async (): Promise<number> => {
    rules = rulesOf(cluster, rules);
    waiting = [...waiting, ...programs(rules, enforcement)].slice(-mostWaiting);
    const sent = waiting.length;
    if (sent === 0 || !(await post(waiting.join("\n")))) return 0;
    waiting = [];
    return sent;
  };
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // A bot that is away, or comes up only now, gets it with the next turn.
      await catchUp()
        .then(turn)
        .catch(() => 0);
      await delay(everyMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
    }
  };
  const running = everyMs > 0 ? run() : Promise.resolve();
  return {
    breakEnforcement(node) {
      if (node === undefined) enforcement.all = true;
      else enforcement.broken.add(node);
    },
    healEnforcement() {
      enforcement.all = false;
      enforcement.broken.clear();
    },
    turn,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Tells what was before it started whole and at once, so that it is learnt from once; throws where it was not taken. */
function createCatchUp(
  { post, now, backlogMs = 0, everyMs = usualEveryMs }: TrafficOptions,
  rulesNow: () => Rules,
): () => Promise<void> {
  const toMs = now();
  let isOwed = backlogMs > 0;
  return async () => {
    if (!isOwed) return;
    const lines = backlogLines(rulesNow(), { fromMs: toMs - backlogMs, toMs, everyMs: Math.max(100, everyMs) });
    if (!(await post(lines.join("\n"))))
      throw new Error("the backlog was not taken: it comes again with the next turn");
    isOwed = false;
  };
}

/** `post` over HTTP, as a log shipper does it. */
export function postTo(url: string, token: string): (body: string) => Promise<boolean> {
  return async (body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
    const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.ok;
  };
}
