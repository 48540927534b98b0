import { describe, expect, test } from "vitest";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Ledger, Tally } from "../../src/flows/ledger.ts";
import type { Place } from "../../src/flows/place.ts";

const minuteMs = 60_000;

function workload(name: string): Place {
  return { kind: "workload", namespace: "shop", of: "Deployment", name };
}

/** A denied connection of shop/web to shop/db:5432 in that cluster. */
export function aKey(over: Partial<FlowKey> = {}): FlowKey {
  return {
    cluster: "kind",
    class: "denied",
    from: workload("web"),
    to: workload("db"),
    protocol: "TCP",
    port: 5_432,
    direction: "ingress",
    reason: "no-rule",
    policies: [],
    ...over,
  };
}

/** One of that key at that moment. */
export function aTally(atMs: number, over: Partial<Tally> = {}): Tally {
  return {
    key: aKey(),
    minuteMs: Math.floor(atMs / minuteMs) * minuteMs,
    count: 1,
    unit: "packets",
    atLeast: false,
    firstMs: atMs,
    lastMs: atMs,
    ...over,
  };
}

/** What every ledger keeps to. `nowMs`: a time which that ledger keeps; each call of `open` gives an empty one. */
export function describeLedger(name: string, open: () => Promise<Ledger>, nowMs: number): void {
  const minute = Math.floor(nowMs / minuteMs) * minuteMs;
  const all = { cluster: "kind", fromMs: minute - 10 * minuteMs, toMs: minute + minuteMs };

  describe(`${name}, as a ledger,`, () => {
    test("knows nothing of a cluster that nothing came of", async () => {
      const ledger = await open();
      await ledger.tend(nowMs);
      const nothing = { series: [], losses: [], sinceMs: undefined, lastHeardMs: undefined };
      expect(await ledger.read(all)).toMatchObject(nothing);
    });

    test("adds up what was counted of a key, and tells when, highest first", async () => {
      const ledger = await open();
      const other = aKey({ to: workload("cache"), port: undefined, direction: undefined, reason: undefined });
      await ledger.write({
        id: "a",
        tallies: [aTally(minute + 5, { count: 2 }), aTally(minute - minuteMs, { count: 3, atLeast: true })],
        losses: [],
      });
      await ledger.write({ id: "b", tallies: [aTally(minute + 1, { key: other, dnsQuery: "a\tb\n" })], losses: [] });
      const { series, stepMs, sinceMs, lastHeardMs } = await ledger.read(all);
      const told = { unit: "packets", error: 0, lastMs: minute + 5 };
      expect(series).toEqual([
        {
          ...told,
          key: aKey(),
          count: 5,
          atLeast: true,
          firstMs: minute - minuteMs,
          dnsQuery: undefined,
          steps: [0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 2],
        },
        {
          ...told,
          key: other,
          count: 1,
          atLeast: false,
          firstMs: minute + 1,
          lastMs: minute + 1,
          dnsQuery: "a\tb\n",
          steps: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        },
      ]);
      expect(stepMs).toBe(minuteMs);
      expect(sinceMs).toBe(minute - minuteMs);
      expect(lastHeardMs).toBe(minute + 5);
    });

    test("counts a batch once, however often it is written", async () => {
      const ledger = await open();
      const batch = { id: "a", tallies: [aTally(minute)], losses: [{ ...lossAt(minute), count: 7 }] };
      for (let times = 0; times < 3; times += 1) await ledger.write(batch);
      const { series, losses } = await ledger.read(all);
      expect(series[0]?.count).toBe(1);
      expect(losses).toEqual([{ ...lossAt(minute), count: 7 }]);
    });

    test("keeps clusters, classes and units apart, and minutes that are not asked for out", async () => {
      const ledger = await open();
      await ledger.write({
        id: "a",
        tallies: [
          aTally(minute, { key: aKey({ cluster: "another" }) }),
          aTally(minute, { key: aKey({ class: "reply" }) }),
          aTally(minute, { unit: "connections" }),
          aTally(minute),
          aTally(minute - 11 * minuteMs),
        ],
        losses: [],
      });
      const { series } = await ledger.read(all);
      expect(series.map(({ key, unit, count }) => [key.class, unit, count])).toEqual([
        ["denied", "connections", 1],
        ["denied", "packets", 1],
        ["reply", "packets", 1],
      ]);
    });

    test("tells ports of a scan together, though each part of it was counted apart", async () => {
      const ledger = await open();
      for (let part = 0; part < 3; part += 1)
        await ledger.write({
          id: `part ${part}`,
          tallies: Array.from({ length: 20 }, (_, port) =>
            aTally(minute, { key: aKey({ port: part * 20 + port + 1 }) }),
          ),
          losses: [],
        });
      const { series } = await ledger.read(all);
      expect(series.map(({ key, count }) => [key.port, count])).toEqual([["many", 60]]);
    });

    test("knows when something last came, though nothing of it counts", async () => {
      const ledger = await open();
      await ledger.write({ id: "a", tallies: [], losses: [], heard: [{ cluster: "kind", atMs: minute }] });
      await ledger.write({ id: "b", tallies: [], losses: [], heard: [{ cluster: "kind", atMs: minute - 5 }] });
      expect(await ledger.read(all)).toMatchObject({ series: [], sinceMs: minute - 5, lastHeardMs: minute });
    });
  });
}

function lossAt(minute: number) {
  return { cluster: "kind", minuteMs: minute, kind: "source", count: 1 } as const;
}
