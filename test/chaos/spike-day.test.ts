import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAlertmanager } from "../../src/alertmanager.ts";
import type { Services } from "../../src/commands/services.ts";
import type { Alert } from "../../src/commands/spike-alert.ts";
import { createSpikeWatch, type SpikeWatch } from "../../src/commands/spike-watch.ts";
import { createFlowStores } from "../../src/flow-stores.ts";
import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import type { CountedMinute, PolicyChangeAt, Spike } from "../../src/flows/spike.ts";
import { usualPace } from "../../src/flows/spike-pace.ts";
import { createSpikeStore, type SpikeStore } from "../../src/flows/spike-store.ts";
import { createSpikes, step } from "../../src/flows/spikes.ts";
import { verdictOf } from "../flows/judge-day.ts";
import { recordedDay } from "../flows/recorded-day.ts";
import { type Pager, startPager } from "../pager.ts";
import { type OwnServer, startAlertmanager } from "../prometheus.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

const minuteMs = 60_000;
const cluster = "home";
/** Of the three, one stops after so many spikes that it stored, before it tells anybody, and comes back so much later. */
const stopsAt = [1, 3] as const;
const restartMinutes = 4;

let redis: Redis;
let pager: Pager;
let alertmanager: OwnServer;
let nowMs = 0;

beforeAll(async () => {
  redis = await connectTestRedis();
  pager = await startPager();
  alertmanager = await startAlertmanager(pager.url);
}, 300_000);
afterAll(async () => {
  await alertmanager.stop();
  await pager.stop();
  redis.disconnect();
});

test("A recorded day with three replicas, one restarted: each spike is one page and one card", async () => {
  const day = recordedDay(1);
  const world = await createWorld();
  await learntFirst(day.minutes(), day.judgedFromMs);
  for (const minute of day.minutes()) if (minute.minuteMs >= day.judgedFromMs) await world.pass(minute);

  const told = [...world.told.values()];
  const { missed, false: wrong, scans } = verdictOf(day, told);
  expect({ missed, wrong, scans }).toEqual({ missed: [], wrong: [], scans: 1 });
  expect(world.restarts).toBe(stopsAt.length);
  expect(world.cards.toSorted()).toEqual(told.map(({ id }) => id).toSorted());
  expect(pager.pages).toHaveLength(told.length);
  expect(pager.firing()).toBe(0);
}, 1_800_000);

/** The day before, by one replica that nobody watches. */
async function learntFirst(minutes: Iterable<CountedMinute>, untilMs: number): Promise<void> {
  const empty = createSpikes(cluster);
  let state = empty;
  for (const minute of minutes) {
    if (minute.minuteMs >= untilMs) break;
    state = step(state, minute).state;
  }
  await createSpikeStore(redis).store(empty, { state, begun: [], grown: [], ended: [] });
}

async function createWorld() {
  const ledger = createMemoryLedger();
  const changes = new Set<PolicyChangeAt>();
  const cards: string[] = [];
  const told = new Map<string, Spike>();
  const operations = { list: () => Promise.resolve([]) };
  const history = historyOf(changes);
  const services = { now: () => nowMs, meter: () => undefined, history, operations } as unknown as Services;
  const parts = {
    services,
    flows: { ...createFlowStores(redis), ledger, sources: () => [] },
    channels: { channel: "C0ALL", channels: [] },
    alert: async (alerts: readonly Alert[]) => {
      expect(await createAlertmanager([{ url: alertmanager.url }]).send(alerts.map(asOfNow))).toEqual([]);
    },
    runbookUrl: undefined,
    meter: { begun: () => undefined, ended: () => undefined, judged: () => undefined },
  };
  const replica = (store: SpikeStore): SpikeWatch =>
    createSpikeWatch({
      ...parts,
      store,
      outletIn: (channel) => ({
        show({ footer }, card) {
          if (card === undefined) cards.push(footer[0] ?? "");
          return Promise.resolve({ card: card ?? { channel, ts: `${cards.length}` }, reached: true });
        },
      }),
    });
  const store = createSpikeStore(redis);
  const steady = [replica(store), replica(store)];
  const mortal = createMortal(store, replica);
  return {
    told,
    cards,
    get restarts() {
      return mortal.restarts();
    },
    /** One minute as its flows are counted, and judged once it is late enough; waits until the pager knows what spikes. */
    async pass(minute: CountedMinute): Promise<void> {
      for (const change of minute.changes) changes.add(change);
      await ledger.write(batchOf(minute));
      nowMs = minute.minuteMs + minuteMs + usualPace.lateMs;
      await Promise.all([mortal, ...steady].map((one) => one.sweep(cluster)));
      // What the one that stops had stored is told by the next look of another.
      if (mortal.isStopped()) await steady[0]?.sweep(cluster);
      const all = await store.all(cluster);
      for (const { spike } of all) told.set(spike.id, spike);
      const open = all.filter(({ end }) => end === undefined).length;
      await waitFor(() => pager.firing() === open, { timeoutMs: 60_000 });
    },
  };
}

/** A replica that stops right after it stored a spike, and is started anew a few minutes later with no memory. */
function createMortal(store: SpikeStore, replica: (store: SpikeStore) => SpikeWatch) {
  let begun = 0;
  let restarts = 0;
  let stoppedMs: number | undefined;
  const fatal: SpikeStore = {
    ...store,
    async store(before, next) {
      const stored = await store.store(before, next);
      if (stored) begun += next.begun.length;
      if (stored && next.begun.length > 0 && begun >= (stopsAt[restarts] ?? Number.POSITIVE_INFINITY)) {
        stoppedMs = nowMs;
        throw new Error("killed");
      }
      return stored;
    },
  };
  let watch = replica(fatal);
  return {
    restarts: () => restarts,
    isStopped: () => stoppedMs !== undefined,
    async sweep(of: string): Promise<void> {
      if (stoppedMs !== undefined && nowMs < stoppedMs + restartMinutes * minuteMs) return;
      if (stoppedMs !== undefined) {
        [watch, stoppedMs, restarts] = [replica(fatal), undefined, restarts + 1];
      }
      await watch.sweep(of).catch((error: unknown) => {
        if (stoppedMs === undefined) throw error;
      });
    },
  };
}

/** The day goes by in minutes, and a real Alertmanager has a clock of its own: what goes on goes on there, too. */
function asOfNow(alert: Alert): Alert {
  const now = Date.now();
  const isOver = alert.endsAtMs <= nowMs;
  return { ...alert, startsAtMs: now - minuteMs, endsAtMs: isOver ? now - 1 : now + 5 * minuteMs };
}

function batchOf({ minuteMs: atMs, counted }: CountedMinute) {
  return {
    id: `${atMs}`,
    tallies: counted.map(({ key, count, atLeast }) => ({
      key,
      minuteMs: atMs,
      count,
      unit: "connections" as const,
      atLeast,
      firstMs: atMs,
      lastMs: atMs + minuteMs - 1,
    })),
    losses: [],
    heard: [{ cluster, atMs: atMs + minuteMs }],
  };
}

function historyOf(changes: ReadonlySet<PolicyChangeAt>) {
  return {
    find: () => Promise.resolve([]),
    list: ({ since, until }: { readonly since: number; readonly until: number }) =>
      Promise.resolve(
        [...changes].filter(({ atMs }) => since <= atMs && atMs <= until).map((one) => ({ ...one, at: one.atMs })),
      ),
  };
}
