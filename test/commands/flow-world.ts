import type { FlowServices } from "../../src/commands/flow-services.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { type FlowKey, textOf } from "../../src/flows/flow-key.ts";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";
import type { Ledger, LedgerQuery, LedgerView, Loss, Series } from "../../src/flows/ledger.ts";
import { createMutes } from "../../src/flows/mutes.ts";
import type { Place } from "../../src/flows/place.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import { createFlowWatches } from "../../src/flows/watches.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { createShelf } from "../../src/scheduler/shelf.ts";
import { connectTestRedis } from "../redis.ts";
import { startDesk } from "./desk.ts";

type DeskOptions = NonNullable<Parameters<typeof startDesk>[0]>;

/** What was counted of a key at one moment. */
type Seen = Partial<Pick<Series, "count" | "unit" | "atLeast" | "error" | "dnsQuery">> & { readonly agoMs?: number };

const minuteMs = 60_000;

/** A ledger that answers by what a test says was seen; `now` is the desk's clock. */
function createToldLedger(now: () => number) {
  let told: (Required<Omit<Seen, "agoMs" | "dnsQuery">> & {
    key: FlowKey;
    atMs: number;
    dnsQuery?: string | undefined;
  })[];
  let losses: Loss[];
  let sinceMs: number | undefined;
  let lastHeardMs: number | undefined;
  const reset = (): void => {
    told = [];
    losses = [];
    sinceMs = now() - 7 * 86_400_000;
    lastHeardMs = now();
  };
  reset();
  const ledger: Ledger = {
    write: () => Promise.resolve(),
    tend: () => Promise.resolve(),
    read: (query) => Promise.resolve(viewOf(query)),
  };
  function viewOf({ cluster, fromMs, toMs }: LedgerQuery): LedgerView {
    const within = told.filter(({ key, atMs }) => key.cluster === cluster && fromMs <= atMs && atMs < toMs);
    const groups = Map.groupBy(within, ({ key }) => textOf(key));
    const series = [...groups.values()].flatMap((same): Series[] => {
      const [first] = same;
      if (first === undefined) return [];
      const steps = Array.from({ length: (toMs - fromMs) / minuteMs }, () => 0);
      for (const { atMs, count } of same) {
        const at = Math.floor((atMs - fromMs) / minuteMs);
        steps[at] = (steps[at] ?? 0) + count;
      }
      return [
        {
          key: first.key,
          count: same.reduce((sum, { count }) => sum + count, 0),
          unit: first.unit,
          atLeast: same.some(({ atLeast }) => atLeast),
          error: first.error,
          firstMs: Math.min(...same.map(({ atMs }) => atMs)),
          lastMs: Math.max(...same.map(({ atMs }) => atMs)),
          dnsQuery: first.dnsQuery,
          steps,
        },
      ];
    });
    return {
      series: series.toSorted((a, b) => b.count - a.count),
      stepMs: minuteMs,
      losses: losses.filter(({ minuteMs: at }) => fromMs <= at && at < toMs),
      sinceMs,
      lastHeardMs,
    };
  }
  return {
    ledger,
    reset,
    saw(key: FlowKey, { agoMs = 0, ...seen }: Seen = {}): void {
      const usual = { count: 1, unit: "connections", atLeast: false, error: 0, dnsQuery: undefined } as const;
      told.push({ ...usual, ...seen, key, atMs: now() - agoMs });
    },
    lost(kind: Loss["kind"], count: number): void {
      losses.push({ cluster: "sandbox", kind, count, minuteMs: Math.floor(now() / minuteMs) * minuteMs });
    },
    heard(since: number | undefined, last: number | undefined): void {
      [sinceMs, lastHeardMs] = [since, last];
    },
  };
}

/** A workload of the seed. */
export function workload(namespace: string, name: string, of = "Deployment"): Place {
  return { kind: "workload", namespace, of, name };
}

export const checkout = workload("payments", "checkout");
export const postgres = workload("db", "postgres", "StatefulSet");
export const frontend = workload("shop", "frontend");

/** A denied flow on egress, on TCP 5432 unless said otherwise. */
export function flow(from: Place, to: Place, changes: Partial<FlowKey> = {}): FlowKey {
  return {
    cluster: "sandbox",
    class: "denied",
    from,
    to,
    protocol: "TCP",
    port: 5432,
    direction: "egress",
    reason: "no-rule",
    policies: [],
    ...changes,
  };
}

/** A desk over the seeded cluster with a ledger that a test fills; alice may do everything everywhere unless settings say otherwise. */
export async function startFlowDesk(options: DeskOptions = {}) {
  const redis = await connectTestRedis();
  let sources: readonly FlowSourceState[] = [
    {
      name: "relay",
      cluster: "sandbox",
      kind: "hubble-relay",
      state: "connected",
      why: undefined,
      formats: ["hubble"],
      lastFlowMs: undefined,
    },
  ];
  const clock = { now: Date.now };
  const told = createToldLedger(() => clock.now());
  const flows: FlowServices = {
    ledger: told.ledger,
    mutes: createMutes(redis),
    watches: createFlowWatches(redis),
    shelf: createShelf(redis),
    spikes: createSpikeStore(redis),
    sources: () => sources,
  };
  const desk = await startDesk({
    cluster: { objects: seedObjects() },
    ...options,
    services: { flows, ...options.services },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1", "terminal:jane"], verbs: ["*"], namespaces: ["*"] },
          { principals: ["slack:T1/U2"], verbs: ["status"], namespaces: ["payments"] },
        ],
        people: [],
      },
      ...options.settings,
    },
  });
  clock.now = () => desk.services.now();
  told.reset();
  return {
    ...desk,
    told,
    setSources: (next: typeof sources) => void (sources = next),
    async close() {
      await desk.close();
      redis.disconnect();
    },
  };
}

/** The lines of a reply in order, with `HH:MM` for times of day. */
export function linesIn(reply: Reply): readonly string[] {
  const texts = reply.sections.flatMap((section) => {
    if (section.kind === "list") return [section.title ?? "", ...section.items.map((item) => `- ${item}`)];
    return section.kind === "text" || section.kind === "row" ? [section.text] : [];
  });
  return texts.map((line) => line.replace(/(\d\d-\d\d )?\b\d\d:\d\d\b(?!:\d)/g, "HH:MM"));
}

/** What stands beside the first line that holds the words: its id, and what may be pressed. */
export function rowIn(reply: Reply, words: string) {
  const row = reply.sections.find((section) => section.kind === "row" && section.text.includes(words));
  if (row?.kind !== "row") throw new Error(`no line holds ${words}: ${JSON.stringify(reply.sections)}`);
  return {
    subject: row.subject,
    text: row.text,
    actions: row.buttons.map((button) => ("action" in button ? button.action : "open")),
    labels: row.buttons.map(({ label }) => label),
  };
}
