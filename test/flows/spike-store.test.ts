import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import type { Spike } from "../../src/flows/spike.ts";
import { createSpikeStore, type SpikeStore, type StoredSpike } from "../../src/flows/spike-store.ts";
import type { Step } from "../../src/flows/spikes.ts";
import { connectTestRedis } from "../redis.ts";

const startMs = Date.UTC(2026, 0, 5, 9);
const dayMs = 24 * 3_600_000;
const place: Place = { kind: "workload", namespace: "payments", of: "Deployment", name: "checkout" };
const key: FlowKey = {
  cluster: "home",
  class: "denied",
  from: place,
  to: place,
  protocol: "TCP",
  port: 5432,
  direction: "egress",
  reason: "no-rule",
  policies: [],
};
const spike: Spike = {
  id: "s-stored",
  cluster: "home",
  kind: "spike",
  subject: { kind: "pair", key },
  namespaces: ["payments"],
  sinceMs: startMs,
  perMinute: 90,
  usual: 1,
  atLeast: false,
  pairs: [{ key, count: 90, atLeast: false }],
  pairCount: 1,
  follows: [],
};

let redis: Awaited<ReturnType<typeof connectTestRedis>>;
let one: SpikeStore;
let other: SpikeStore;

beforeAll(async () => {
  redis = await connectTestRedis();
  [one, other] = [createSpikeStore(redis), createSpikeStore(redis)];
});
beforeEach(async () => {
  await redis.flushdb();
  await judged(startMs, { begun: [spike] });
});
afterAll(() => redis.disconnect());

test("Who read a spike before another replica told it does not tell it again", async () => {
  const before = await only();
  const claimed = await one.claim(before);
  expect(await other.claim(before)).toBeUndefined();
  await one.told(claimed as StoredSpike, [{ channel: "C1", ts: "1" }], true);
  expect(await other.claim(before)).toBeUndefined();
  expect(await only()).toMatchObject({ isTold: true, cards: [{ channel: "C1", ts: "1" }] });
});

test("What one channel took is known to whoever tries the others again", async () => {
  const before = await only();
  await one.told((await one.claim(before)) as StoredSpike, [{ channel: "C1", ts: "1" }], false);
  expect(await other.claim(before)).toMatchObject({ isTold: false, cards: [{ channel: "C1", ts: "1" }] });
});

test("Who lost the claim writes nothing over what another replica told", async () => {
  const stale = (await one.claim(await only())) as StoredSpike;
  expect(await one.renew(stale)).toBe(true);
  await redis.del("{bulkhead}:spikes:claim:s-stored");
  const claimed = (await other.claim(stale)) as StoredSpike;
  expect(await other.telling(claimed, [{ channel: "C1", ts: undefined }])).toBe(true);
  expect(await one.renew(stale)).toBe(false);
  expect(await one.telling(stale, [])).toBe(false);
  await one.told(stale, [], true);
  expect(await only()).toMatchObject({ isTold: false, cards: [{ channel: "C1" }] });
  expect(await one.claim(stale)).toBeUndefined();
});

test("What ended a day ago is forgotten, also where no channel ever took it", async () => {
  await judged(startMs + 60_000, { ended: [{ spike, why: "quiet", sinceMs: startMs + 60_000 }] });
  await judged(startMs + dayMs, {});
  expect(await one.all("home")).toHaveLength(1);
  await judged(startMs + dayMs + 120_000, {});
  expect(await one.all("home")).toEqual([]);
});

/** The next minute, as some replica judged it. */
async function judged(minuteMs: number, what: Partial<Step>): Promise<void> {
  const state = await one.read("home");
  const step = { begun: [], grown: [], ended: [], ...what, state: { ...state, minuteMs } };
  expect(await one.store(state, step)).toBe(true);
}

async function only(): Promise<StoredSpike> {
  const [stored] = await one.all("home");
  if (stored === undefined) throw new Error("no spike is stored");
  return stored;
}
