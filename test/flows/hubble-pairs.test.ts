import fc from "fast-check";
import { expect, test } from "vitest";
import { endOf } from "../../src/flows/ends.ts";
import { eventOf } from "../../src/flows/events.ts";
import { createHubblePairs } from "../../src/flows/hubble-pairs.ts";
import type { FlowRecord } from "../../src/flows/record.ts";

const startMs = Date.UTC(2026, 6, 15);
const drop = 1;
const verdict = 5;

function packet(port: number, afterMs = 0): FlowRecord {
  return eventOf({
    format: "hubble",
    verdict: { kind: "denied", reason: "no-rule" },
    from: endOf({ address: "10.0.0.1" }),
    to: endOf({ address: "10.0.0.2" }),
    protocol: "TCP",
    fromPort: port,
    toPort: 80,
    unit: "events",
    atMs: startMs + afterMs,
  });
}

type Event = { readonly port: number; readonly type: number | undefined; readonly afterMs: number };

/** How many packets are counted. */
function countOf(events: readonly Event[]): number {
  const pairs = createHubblePairs();
  return events.filter(({ port, type, afterMs }) => !pairs.isSecond(packet(port, afterMs), type)).length;
}

/** Packets of few ports at once, so that some have the same ends. */
const ports = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 30 });

test("Packets whose flows both come count once, in whichever order", () => {
  fc.assert(
    fc.property(ports, fc.infiniteStream(fc.nat()), (all, order) => {
      const both = all.flatMap((port) => [drop, verdict].map((type) => ({ port, type, afterMs: 0 })));
      const shuffled = both.map((event) => ({ event, at: order.next().value })).toSorted((a, b) => a.at - b.at);
      expect(countOf(shuffled.map(({ event }) => event))).toBe(all.length);
    }),
  );
});

test("Packets of which one flow comes count all, whichever of the two it is", () => {
  fc.assert(
    fc.property(ports, fc.constantFrom(drop, verdict), (all, type) => {
      expect(countOf(all.map((port) => ({ port, type, afterMs: 0 })))).toBe(all.length);
    }),
  );
});

test("A packet that is sent again after a second is another one", () => {
  const again = [0, 1000, 3000].flatMap((afterMs) => [verdict, drop].map((type) => ({ port: 1, type, afterMs })));
  expect(countOf(again)).toBe(3);
  expect(
    countOf([
      { port: 1, type: verdict, afterMs: 0 },
      { port: 1, type: drop, afterMs: 1000 },
    ]),
  ).toBe(2);
});

test("Where a field mask leaves out the type, flows within milliseconds are of one packet", () => {
  const at = (afterMs: number) => ({ port: 1, type: undefined, afterMs });
  expect(countOf([at(0), at(0)])).toBe(1);
  expect(countOf([at(0), at(0), at(200), at(200)])).toBe(2);
  expect(countOf([at(0), at(200)])).toBe(2);
});

test("What a proxy denies, and what is no denial, has no second", () => {
  const pairs = createHubblePairs();
  const refused: FlowRecord = { ...packet(1), verdict: { kind: "denied", reason: "l7" } };
  const other: FlowRecord = { ...packet(1), verdict: { kind: "dropped", reason: "STALE_OR_UNROUTABLE_IP" } };
  for (const record of [refused, other])
    expect([pairs.isSecond(record, verdict), pairs.isSecond(record, drop)]).toEqual([false, false]);
});

test("A packet whose second does not come is forgotten when many others have come", () => {
  const others = Array.from({ length: 60_000 }, (_, port) => ({ port, type: verdict, afterMs: 0 }));
  expect(countOf([...others, { port: 0, type: drop, afterMs: 0 }])).toBe(60_001);
  expect(countOf([...others, { port: 59_999, type: drop, afterMs: 0 }])).toBe(60_000);
});
