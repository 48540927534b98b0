import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Ledger } from "../../src/flows/ledger.ts";
import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import type { FlowItem, FlowRecord } from "../../src/flows/record.ts";
import { createSettled } from "../../src/flows/settled.ts";
import type { Sighting } from "../../src/flows/sighting.ts";
import { createSink, type SinkOptions } from "../../src/flows/sink.ts";
import { aFlow, anItem, aPod, nobody, noon } from "./flow.ts";

const cluster = "kind";
const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sink) => sink.stop()));
});

function aSink(over: Partial<SinkOptions> = {}) {
  const ledger = createMemoryLedger();
  const sightings: Sighting[] = [];
  const sink = createSink({
    ledger,
    replica: "a",
    addresses: createPodAddresses(),
    settled: createSettled(),
    now: () => noon,
    onSighting: (sighting) => void sightings.push(sighting),
    ...over,
  });
  opened.push(sink);
  return { sink, ledger: over.ledger ?? ledger, sightings };
}

const hour = { cluster, fromMs: noon - 3_600_000, toMs: noon + 60_000 };

async function readAfter(sink: { stop(): Promise<void> }, ledger: Ledger) {
  await sink.stop();
  return ledger.read(hour);
}

const dns = { ...nobody, namespace: "kube-system", workload: { kind: "Deployment", name: "coredns" } };

describe("The sink", () => {
  test("counts flows of the same ends, port and reason together", async () => {
    const { sink, ledger } = aSink();
    expect(sink.take(cluster, [anItem(), anItem({ count: 4, fromPort: 40_001 }), anItem({ toPort: 80 })])).toBe(true);
    const { series, lastHeardMs } = await readAfter(sink, ledger);
    expect(series.map(({ key, count }) => [key.from, key.to, key.port, count])).toEqual([
      [
        { kind: "workload", namespace: "shop", of: "Deployment", name: "web" },
        { kind: "workload", namespace: "shop", of: "StatefulSet", name: "db" },
        5_432,
        5,
      ],
      [expect.anything(), expect.anything(), 80, 1],
    ]);
    expect(lastHeardMs).toBe(noon);
  });

  test("counts an event once, though it comes from two sources or again", async () => {
    const { sink, ledger, sightings } = aSink();
    sink.take(cluster, [anItem({ id: "one" }), anItem({ id: "one" }), anItem({ id: "two" })]);
    sink.take(cluster, [anItem({ id: "two" })]);
    sink.take("another", [anItem({ id: "two" })]);
    expect((await readAfter(sink, ledger)).series[0]?.count).toBe(2);
    expect(sightings).toHaveLength(3);
  });

  test("shows forwarded flows and does not count them", async () => {
    const { sink, ledger, sightings } = aSink();
    sink.take(cluster, [anItem({ verdict: { kind: "forwarded" } })]);
    expect((await readAfter(sink, ledger)).series).toEqual([]);
    expect(sightings.map(({ key }) => key)).toEqual([undefined]);
  });

  test("counts replies to DNS and to scrapers apart, though their source says that they are none", async () => {
    const { sink, ledger } = aSink();
    const flows: readonly Partial<FlowRecord>[] = [
      { from: dns, protocol: "UDP", fromPort: 53, toPort: 41_234, isReply: false },
      { fromPort: 9_090, toPort: 55_555, isReply: false },
      { isReply: true },
      { from: dns, fromPort: 53, toPort: 33_000, isNew: true },
    ];
    sink.take(
      cluster,
      flows.map((flow) => anItem(flow)),
    );
    const { series } = await readAfter(sink, ledger);
    expect(series.map(({ key }) => `${key.class} ${key.port}`).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "denied 33000",
      "reply 5432",
      "reply undefined",
      "reply undefined",
    ]);
  });

  test("tells of a scan of 10 000 ports in one line, and of the port that is used in another", async () => {
    const { sink, ledger } = aSink();
    const ports = Array.from({ length: 10_000 }, (_, port) => port + 1);
    sink.take(
      cluster,
      ports.map((toPort) => anItem({ toPort, fromPort: 44_444 })),
    );
    sink.take(cluster, [anItem({ toPort: 22, count: 900 })]);
    const { series } = await readAfter(sink, ledger);
    expect(series.map(({ key, count }) => [key.port, count])).toEqual([
      ["many", 9_999],
      [22, 901],
    ]);
  });

  test("takes a time to come for now, and counts what comes hours late as late", async () => {
    const { sink, ledger } = aSink();
    const late = noon - 4 * 3_600_000;
    sink.take(cluster, [
      anItem({ fromMs: noon + 9e6, toMs: noon + 9e9 }),
      anItem({ fromMs: late, toMs: late, count: 7 }),
    ]);
    const { series, losses } = await readAfter(sink, ledger);
    expect(series.map(({ firstMs, lastMs, count }) => [firstMs, lastMs, count])).toEqual([[noon, noon, 1]]);
    expect(losses).toEqual([{ cluster, minuteMs: noon, kind: "late", count: 7 }]);
  });

  test("takes any numbers: 10 000 records of them add up to a number, and lie in the time that is kept", async () => {
    const { sink, ledger } = aSink();
    const number = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constantFrom(Number.MAX_VALUE, Infinity, -Infinity));
    const hostile = fc.record({ count: number, fromMs: number, toMs: number, fromPort: number, toPort: number });
    fc.assert(
      fc.property(hostile, (over) =>
        sink.take(cluster, [anItem(over), { kind: "lost", atMs: over.toMs, ...lost(over) }]),
      ),
      { numRuns: 10_000 },
    );
    await sink.stop();
    const { series, losses } = await ledger.read({ cluster, fromMs: noon - 3 * 3_600_000, toMs: noon + 60_000 });
    for (const { count, firstMs, lastMs } of series) {
      expect(Number.isSafeInteger(count)).toBe(true);
      expect(firstMs).toBeLessThanOrEqual(lastMs);
      expect(lastMs).toBeLessThanOrEqual(noon);
    }
    expect(series.length).toBeGreaterThan(0);
    expect(losses.every(({ count }) => Number.isSafeInteger(count))).toBe(true);
  });

  test("adds up what sources lost and what could not be read", async () => {
    const { sink, ledger } = aSink();
    const lost: FlowItem = { kind: "lost", count: 30, atMs: noon, node: undefined };
    sink.take(cluster, [lost, lost, { kind: "unreadable", why: "" }, { kind: "passed" }]);
    expect((await readAfter(sink, ledger)).losses).toEqual([
      { cluster, minuteMs: noon, kind: "source", count: 60 },
      { cluster, minuteMs: noon, kind: "unreadable", count: 1 },
    ]);
  });

  test("says by how much the clock of whoever saw a flow is ahead, and counts the flow now", () => {
    const { sink, sightings } = aSink();
    const told = [noon + 600_000, noon, noon - 5_000, Number.NaN];
    sink.take(
      cluster,
      told.map((at) => anItem({ verdict: { kind: "forwarded" }, fromMs: at, toMs: at })),
    );
    expect(sightings.map(({ aheadMs, record }) => [aheadMs, record.fromMs])).toEqual([
      [600_000, noon],
      [0, noon],
      [0, noon - 5_000],
      [0, noon],
    ]);
  });

  test("keeps what a ledger did not take, writes it once, and takes no more when too much waits", async () => {
    vi.useFakeTimers();
    try {
      const ledger = createMemoryLedger();
      let isAway = true;
      const problems: unknown[] = [];
      const failing: Ledger = {
        ...ledger,
        async write(batch) {
          await ledger.write(batch);
          if (isAway) throw new Error("the answer was lost");
        },
      };
      const { sink } = aSink({
        mostPending: 5_000,
        ledger: failing,
        onProblem: (problem) => void problems.push(problem),
      });
      sink.take(cluster, [anItem()]);
      await vi.advanceTimersByTimeAsync(3_500);
      expect(problems).toHaveLength(3);
      const all = Array.from({ length: 100 }, (_, index) => many(index));
      let minutes = 0;
      while (
        sink.take(
          cluster,
          all.map((flow) => anItem({ ...flow, toMs: noon - minutes * 60_000 })),
        )
      )
        minutes += 1;
      expect(minutes).toBeGreaterThan(40);
      expect(minutes).toBeLessThan(60);
      isAway = false;
      await vi.advanceTimersByTimeAsync(1_500);
      expect(sink.take(cluster, [anItem()])).toBe(true);
      await sink.stop();
      expect((await ledger.read(hour)).series.find(({ key }) => key.port === 5_432)?.count).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test("says which pods a flow was between, by the address they had then", async () => {
    const addresses = createPodAddresses();
    addresses.saw(cluster, aPod(), noon - 600_000);
    const { sink, sightings } = aSink({ addresses });
    sink.take(cluster, [anItem({ from: { ...nobody, address: "10.0.0.1" }, to: { ...nobody, address: "1.2.3.4" } })]);
    expect(sightings[0]).toMatchObject({
      from: { kind: "workload", namespace: "shop", of: "Deployment", name: "web" },
      fromPod: { namespace: "shop", name: "web-645b68dcf7-abcde", uid: "uid of web-645b68dcf7-abcde" },
      to: { kind: "range", cidr: "1.2.3.0/24" },
    });
  });
});

function lost({ count }: { readonly count: number }) {
  return { count, node: undefined };
}

function many(index: number): Partial<FlowRecord> {
  return { from: { ...aFlow().from, workload: { kind: "Deployment", name: `web-${index}` } }, toPort: 80 };
}
