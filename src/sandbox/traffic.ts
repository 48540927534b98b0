import { setTimeout as delay } from "node:timers/promises";
import type { SandboxCluster } from "./kubernetes/cluster.ts";
import { createRandom } from "./kubernetes/random.ts";
import { type Attempt, linesOf } from "./traffic-lines.ts";
import { endsOfPath, trafficPaths } from "./traffic-paths.ts";
import { type Rules, rulesOf } from "./traffic-policies.ts";

export type TrafficOptions = {
  readonly cluster: Pick<SandboxCluster, "objects">;
  /** Where the nodes' agents post what they export, as NDJSON; false: it was not taken, and is posted again. */
  readonly post: (body: string) => Promise<boolean>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly seed?: number;
  /** Between two turns, milliseconds. */
  readonly everyMs?: number;
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

/** Pods connect to each other all the time, and each connection is decided by the policies that the cluster has then. */
export function startTraffic(options: TrafficOptions): Traffic {
  const { cluster, post, everyMs = 500 } = options;
  const stopping = new AbortController();
  const enforcement: Enforcement = { broken: new Set(), all: false };
  const programs = createPrograms(options);
  let rules: ReturnType<typeof rulesOf> | undefined;
  let waiting: string[] = [];
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
      await turn().catch(() => 0);
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

/** `post` over HTTP, as a log shipper does it. */
export function postTo(url: string, token: string): (body: string) => Promise<boolean> {
  return async (body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
    const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.ok;
  };
}

type Enforcement = { readonly broken: Set<string>; all: boolean };

/** What all programs do in one turn, as lines; the same for the same seed. */
function createPrograms({ now, seed = 1 }: TrafficOptions) {
  const random = createRandom(seed);
  const begun = now().toString(16).padStart(12, "0").slice(-12);
  let [turns, lines] = [0, 0];
  const newId = (): string => {
    lines += 1;
    return `${lines.toString(16).padStart(8, "0")}-0000-4000-8000-${begun}`;
  };
  return (rules: Rules, enforcement: Enforcement): readonly string[] => {
    turns += 1;
    const due = trafficPaths.filter(({ every }) => turns % every === 0);
    return due.flatMap((path) => {
      const [clients, servers] = endsOfPath(path, rules.pods);
      return clients.flatMap((from) => {
        const others = servers.filter(({ uid }) => uid !== from.uid);
        const one = path.to.kind === "outside" ? path.to.address : others[Math.floor(random() * others.length)];
        if (one === undefined) return [];
        const fromPort = 32_768 + Math.floor(random() * 28_000);
        const attempt: Attempt = { from, to: one, protocol: path.protocol, port: path.port, fromPort, at: now() };
        return linesOf(attempt, withBroken(rules.decide(attempt), attempt, enforcement), newId);
      });
    });
  };
}

/** A node that does not enforce lets through what leaves its pods and what comes to them. */
function withBroken(
  { egress, ingress }: ReturnType<Rules["decide"]>,
  { from, to }: Attempt,
  { broken, all }: Enforcement,
): ReturnType<Rules["decide"]> {
  const isBroken = (node: string | undefined): boolean => all || (node !== undefined && broken.has(node));
  const target = typeof to === "string" ? undefined : to.nodeName;
  return { egress: egress || isBroken(from.nodeName), ingress: ingress || isBroken(target) };
}
