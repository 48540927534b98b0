import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { LedgerView } from "../../src/flows/ledger.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import type { FlowItem } from "../../src/flows/record.ts";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { createSink } from "../../src/flows/sink.ts";
import { createRandom } from "../chaos/random.ts";
import { connectTestRedis } from "../redis.ts";
import { anItem, nobody } from "./flow.ts";

const redis = await connectTestRedis();
afterAll(() => redis.disconnect());
beforeEach(() => redis.flushdb());

const cluster = "kind";
const minuteMs = 60_000;
const nowMs = Date.now();
const minute = Math.floor(nowMs / minuteMs) * minuteMs;
const hour = { cluster, fromMs: minute - 60 * minuteMs, toMs: minute + minuteMs };

/** Writes what each replica takes, a part at a time, and answers what one of them reads. */
async function countedBy(replicas: readonly (readonly FlowItem[])[], parts = 10): Promise<readonly LedgerView[]> {
  await redis.flushdb();
  const open = () => createRedisLedger(redis, { keepMs: 48 * 60 * minuteMs });
  const ledgers = replicas.map(open);
  for (const [index, items] of replicas.entries()) {
    const ledger = ledgers[index] ?? open();
    for (let part = 0; part < parts; part += 1) {
      const sink = createSink({
        ledger,
        replica: `${index} ${part}`,
        addresses: createPodAddresses(),
        settled: createSettled(),
        now: () => nowMs,
      });
      const size = Math.ceil(items.length / parts);
      sink.take(cluster, items.slice(part * size, (part + 1) * size));
      await sink.stop();
    }
  }
  return Promise.all([...ledgers, open()].map((ledger) => ledger.read(hour)));
}

/** As round robin would have it. */
function divided(items: readonly FlowItem[], among: number): readonly (readonly FlowItem[])[] {
  return Array.from({ length: among }, (_, one) => items.filter((_item, index) => index % among === one));
}

function from(name: string, over: Parameters<typeof anItem>[0] = {}): FlowItem {
  const end = { ...nobody, namespace: "shop", workload: { kind: "Deployment", name } };
  return anItem({ from: end, fromMs: nowMs, toMs: nowMs, ...over });
}

function top(view: LedgerView | undefined): readonly string[] {
  const names = view?.series.slice(0, 20).map(({ key }) => (key.from.kind === "workload" ? key.from.name : ""));
  return (names ?? []).toSorted((a, b) => a.localeCompare(b, "en"));
}

describe("Three replicas that were told a part each", () => {
  test("answer as one does that was told all, and each as the others do", async () => {
    const random = createRandom(8);
    const items = Array.from({ length: 3_000 }, () => {
      const atMs = nowMs - random.between(0, 20 * minuteMs);
      return from(`web-${random.between(0, 40)}`, {
        fromMs: atMs,
        toMs: atMs,
        toPort: random.pick([80, 443, random.between(1, 2_000), random.between(40_000, 50_000)]),
        count: random.between(1, 9),
        verdict: random.pick([
          { kind: "denied", reason: "no-rule" },
          { kind: "audited", reason: "no-rule" },
          { kind: "dropped", reason: "CT_MAP_INSERTION_FAILED" },
        ]),
      });
    });
    const views = await countedBy(divided(items, 3), 3);
    const [whole] = await countedBy([items], 1);
    for (const view of views) expect(view).toEqual(views[0]);
    const total = (view: LedgerView | undefined) => view?.series.reduce((sum, { count }) => sum + count, 0);
    expect(total(views[0])).toBe(total(whole));
    expect(views[0]?.series).toEqual(whole?.series);
  });

  test("tell of a scan of 10 000 ports in one line", async () => {
    const ports = Array.from({ length: 10_000 }, (_, port) => port + 1);
    const [view] = await countedBy(
      divided(
        ports.map((toPort) => from("scanner", { toPort, fromPort: 50_000 })),
        3,
      ),
      1,
    );
    expect(view?.series.map(({ key, count }) => [key.port, count])).toEqual([["many", 10_000]]);
  });

  test("keep the true top 20 of 50 000 keys, each second of which is another one, within a bound of memory", async () => {
    const items = Array.from({ length: 120_000 }, (_, index) =>
      index % 5 === 0 ? from(`heavy-${(index / 5) % 20}`) : from(`once-${index % 49_980}`),
    );
    const heavy = Array.from({ length: 20 }, (_, one) => `heavy-${one}`).toSorted((a, b) => a.localeCompare(b, "en"));
    const views = await countedBy(divided(items, 3));
    for (const view of views) {
      expect(top(view)).toEqual(heavy);
      expect(view.series[0]?.count).toBeGreaterThanOrEqual(1_200);
      expect(view.losses.some(({ kind }) => kind === "evicted")).toBe(true);
      expect(view.series.reduce((sum, { count }) => sum + count, 0)).toBe(120_000);
    }
    const [key = ""] = await redis.keys("{bulkhead}:flows:minute:*");
    expect(await redis.call("MEMORY", "USAGE", key)).toBeLessThan(3 * 60_000);
  });
});
