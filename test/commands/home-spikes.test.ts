import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import { namespacesOf, type Spike } from "../../src/flows/spike.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { wordsIn } from "./desk.ts";
import { checkout, flow, frontend, postgres, rowIn, startFlowDesk, workload } from "./flow-world.ts";

const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
/** May look into payments alone. */
const bob: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U2", displayName: "bob" };
const sinceMs = Date.UTC(2026, 0, 5, 9);

let desk: Awaited<ReturnType<typeof startFlowDesk>>;

beforeAll(async () => {
  desk = await startFlowDesk({ services: { now: () => sinceMs + 300_000 } });
});
beforeEach(() => desk.redis.flushdb());
afterAll(() => desk.close());

test("A spike stands there with the buttons of its card", async () => {
  await begun(spike(checkout, postgres));
  const page = await homeOf(alice);
  expect(page.headline).toBe("1 spike of denied flows");
  expect(wordsIn(page)).toMatch(/Spikes \(1\)[^]*checkout\.payments → postgres\.db:5432[^]*90 a minute are denied/);
  expect(rowIn(page, "checkout.payments → postgres.db:5432  90").actions).toEqual(["flow-explain", "flow-mute"]);
});

test("The change that it follows can be rolled back from there", async () => {
  const metadata = { name: "allow-db", namespace: "payments", uid: "uid-1", resourceVersion: "9001" };
  const spec = { podSelector: { matchLabels: { app: "checkout" } }, policyTypes: ["Egress"], egress: [] };
  const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
  const { history } = desk.services;
  const sight = { cluster: "sandbox", object, previous: undefined, continuous: true } as const;
  await history?.saw([{ ...sight, kind: "there", at: sinceMs - 60_000 }]);
  const [revision] = (await history?.list({ cluster: "sandbox", limit: 1 })) ?? [];
  const change = { id: revision?.id ?? "", namespace: "payments", atMs: sinceMs - 60_000 };
  await begun({ ...spike(checkout, postgres), follows: [change] });
  const row = rowIn(await homeOf(alice), "allow-db");
  expect(row).toMatchObject({ subject: change.id, actions: ["roll-back", "show-diff"] });
});

test("Of another namespace nothing is told, nor counted, nor pressed", async () => {
  await begun(spike(frontend, workload("shop", "cart")), spike(checkout, postgres));
  expect((await homeOf(alice)).headline).toBe("2 spikes of denied flows");
  const page = await homeOf(bob);
  expect(page.headline).toBe("1 spike of denied flows");
  expect(wordsIn(page)).toContain("checkout.payments → another namespace:5432");
  expect(wordsIn(page)).not.toMatch(/postgres|shop|frontend/);
  expect(page.sections.filter(({ kind }) => kind === "row")).toEqual([]);
});

test("What lies in another namespace is part of no total either", async () => {
  const wide = spike(checkout, postgres);
  const hidden = { ...wide.pairs[0]!, key: flow(frontend, workload("shop", "cart")), count: 500 };
  await begun({
    ...wide,
    subject: { kind: "namespaces", namespaces: ["shop"] },
    namespaces: ["db", "payments", "shop"],
    perMinute: 590,
    usual: 17,
    pairs: [hidden, ...wide.pairs],
    pairCount: 41,
  });
  expect(wordsIn(await homeOf(alice))).toMatch(/namespace shop[^]*590 a minute are denied\. Usual[^]*17[^]*41 pairs/);
  const page = wordsIn(await homeOf(bob));
  expect(page).toMatch(/Denied flows spike: the cluster\. Since [^]* at least 90 a minute are denied\."/);
  expect(page).not.toMatch(/590|500|17|41|shop/);
});

test("What is over is no longer there", async () => {
  const over = spike(checkout, postgres);
  await begun(over);
  const store = createSpikeStore(desk.redis);
  const state = await store.read("sandbox");
  const ended = [{ spike: over, why: "quiet" as const, sinceMs: sinceMs + 120_000 }];
  await store.store(state, { state: { ...state, minuteMs: sinceMs + 120_000 }, begun: [], grown: [], ended });
  const page = await homeOf(alice);
  expect(page.headline).toBe("Nothing is in force");
  expect(wordsIn(page)).not.toContain("Spikes");
});

test("More than can be shown are counted", async () => {
  await begun(...Array.from({ length: 7 }, (_, at) => spike(checkout, workload("db", `replica-${at}`))));
  const page = await homeOf(alice);
  expect(page.headline).toBe("7 spikes of denied flows");
  expect(wordsIn(page)).toContain("… and 2 more: /np flows");
});

test("Where spikes cannot be read the rest of the page is there", async () => {
  const { flows } = desk.services;
  if (flows === undefined) throw new Error("no flows");
  const spikes = { all: () => Promise.reject(new Error("connection lost")) };
  const away = createDesk({ ...desk.services, flows: { ...flows, spikes } });
  const page = await away.home({ principal: alice, at: sinceMs });
  expect(page.headline).toBe("Nothing is in force");
  expect(wordsIn(page)).toContain("Spikes: not known now");
});

function homeOf(principal: Principal) {
  return desk.desk.home({ principal, at: sinceMs + 300_000 });
}

async function begun(...spikes: readonly Spike[]): Promise<void> {
  const store = createSpikeStore(desk.redis);
  const state = await store.read("sandbox");
  await store.store(state, { state: { ...state, minuteMs: sinceMs }, begun: spikes, grown: [], ended: [] });
}

function spike(from: Place, to: Place): Spike {
  const key: FlowKey = flow(from, to);
  return {
    id: `s-${JSON.stringify(to)}`,
    cluster: "sandbox",
    kind: "spike",
    subject: { kind: "pair", key },
    namespaces: namespacesOf(key),
    sinceMs,
    perMinute: 90,
    usual: 1,
    atLeast: false,
    pairs: [{ key, count: 90, atLeast: false }],
    pairCount: 1,
    follows: [],
  };
}
