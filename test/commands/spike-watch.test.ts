import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Outlet } from "../../src/commands/desk.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Alert } from "../../src/commands/spike-alert.ts";
import type { SpikeChannels } from "../../src/commands/spike-channels.ts";
import { createSpikeWatch, type SpikeWatch } from "../../src/commands/spike-watch.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import { wordsIn } from "./desk.ts";
import { checkout, flow, postgres, startFlowDesk } from "./flow-world.ts";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 5, 9);

let desk: Awaited<ReturnType<typeof startFlowDesk>>;
let posts: { readonly channel: string; readonly reply: Reply; readonly isNew: boolean }[];
let alerts: (readonly Alert[])[];
let nowMs = startMs;
let denied: FlowKey;

beforeAll(async () => {
  desk = await startFlowDesk({ services: { now: () => nowMs } });
});
beforeEach(async () => {
  await desk.redis.flushdb();
  [posts, alerts, nowMs] = [[], [], startMs];
  desk.told.reset();
  denied = flow(checkout, postgres);
});
afterAll(() => desk.close());

const forAll: SpikeChannels = { channel: "C0ALL", channels: [] };

test("A spike is one card, that ends in place, and one alert, that is resolved", async () => {
  const watch = replica();
  await pass(40, [watch], 1);
  await pass(6, [watch], 90);
  expect(posts).toMatchObject([{ channel: "C0ALL", isNew: true }]);
  const [first] = posts;
  expect(first?.reply.headline).toBe("Denied flows spike: checkout.payments → postgres.db:5432");
  expect(wordsIn(first?.reply as Reply)).toMatch(/90 a minute are denied\. Usual at this time: about 1 a minute\./);
  expect(buttonsIn(first?.reply)).toEqual(["flow-explain", "flow-mute"]);
  expect(first?.reply.picture?.series).toMatchObject([{ label: "checkout.payments → postgres.db:5432" }]);
  expect(first?.reply.picture?.marks).toMatchObject([{ kind: "spike" }]);
  expect(last()).toMatchObject([{ labels: { namespace: "db", from: "checkout.payments", severity: "warning" } }]);
  expect(last()[0]?.endsAtMs).toBeGreaterThan(nowMs);
  await pass(10, [watch], 1);
  expect(posts.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(posts.filter(({ reply }) => reply.picture !== undefined)).toHaveLength(1);
  expect(posts.at(-1)?.reply).toMatchObject({ headline: expect.stringMatching(/^Quiet again:/), tone: "good" });
  expect(wordsIn(posts.at(-1)?.reply as Reply)).toMatch(/Quiet again since 2026-01-05 09:\d\d:00 UTC, after \dm/);
  expect(last()[0]?.endsAtMs).toBeLessThanOrEqual(nowMs);
  expect(new Set(alerts.flat().map(({ labels }) => JSON.stringify(labels))).size).toBe(1);
});

test("An alert names its procedure, and links no page that nobody has configured", async () => {
  const watch = replica();
  await pass(40, [watch], 1);
  await pass(6, [watch], 90);
  const annotations = last().map((alert) => alert.annotations);
  expect(annotations).toMatchObject([{ procedure: "runbooks/procedures/denied-spike.md" }]);
  expect(annotations).not.toMatchObject([{ runbook_url: expect.anything() }]);
});

test("Three replicas at once tell it once, and one that starts later goes on", async () => {
  await pass(40, [replica(), replica()], 1);
  await pass(4, [replica(), replica(), replica()], 90);
  await pass(4, [replica()], 90);
  expect(posts.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(new Set(alerts.flat().map(({ labels }) => JSON.stringify(labels))).size).toBe(1);
});

test("What nobody was told of, since Slack was away, is told later", async () => {
  const watch = replica();
  await pass(40, [watch], 1);
  const away = replica(() => ({ show: () => Promise.resolve(nowhere) }));
  await pass(3, [away], 90);
  expect(posts).toEqual([]);
  await pass(3, [watch], 90);
  expect(posts.filter(({ isNew }) => isNew)).toHaveLength(1);
});

test("A channel that takes nothing keeps nothing from the others, and is tried again later and later", async () => {
  const watch = replica(
    (channel) => {
      const outlet = outletOf(channel);
      const refuses: Outlet = { show: (reply, card) => outlet.show(reply, card).then(() => nowhere) };
      return channel === "C0DB" ? refuses : outlet;
    },
    { channel: undefined, channels: [owner("db", "C0DB"), owner("payments", "C0PAY")] },
  );
  await pass(40, [watch], 1);
  await pass(3, [watch], 90);
  expect(posts.map(({ channel }) => channel)).toEqual(["C0DB", "C0PAY"]);
  const tries = async (atMs: number): Promise<number> => {
    nowMs = atMs;
    for (let again = 0; again < 3; again += 1) await watch.sweep("sandbox");
    return posts.filter(({ channel }) => channel === "C0DB").length;
  };
  const firstMs = nowMs;
  expect(await tries(firstMs + 10_000)).toBe(1);
  expect(await tries(firstMs + 30_000)).toBe(2);
  expect(await tries(firstMs + 59_000)).toBe(2);
});

const nowhere = { card: undefined, reached: false };

function owner(namespace: string, channel: string): SpikeChannels["channels"][number] {
  return { namespaces: [namespace], channel };
}

test("Each channel hears of its own namespaces, and nothing of others", async () => {
  const watch = replica(undefined, { channel: "C0ALL", channels: [{ namespaces: ["pay*"], channel: "C0PAY" }] });
  await pass(40, [watch], 1);
  await pass(4, [watch], 90);
  const words = (channel: string) => wordsIn(posts.find((one) => one.channel === channel)?.reply as Reply);
  expect(posts.map(({ channel }) => channel).toSorted()).toEqual(["C0ALL", "C0PAY"]);
  expect(words("C0ALL")).toMatch(/postgres\.db/);
  expect(words("C0PAY")).toMatch(/checkout\.payments → another namespace:5432/);
  expect(words("C0PAY")).not.toMatch(/postgres/);
  const drawn = (channel: string) => posts.find((one) => one.channel === channel)?.reply.picture;
  expect(drawn("C0PAY")?.series.map(({ label }) => label)).toEqual(["checkout.payments → another namespace:5432"]);
  expect(JSON.stringify(drawn("C0PAY"))).not.toMatch(/postgres/);
  expect(buttonsIn(posts.find(({ channel }) => channel === "C0PAY")?.reply)).toEqual([]);
});

test("A change before which it was allowed is named as what closed it, with its rollback", async () => {
  const watch = replica();
  denied = flow(checkout, { kind: "range", cidr: "198.51.100.0/24" });
  await pass(40, [watch], 1);
  await deleted("allow-db", { app: "checkout" });
  await pass(5, [watch], 90);
  const row = posts[0]?.reply.sections.find((one) => one.kind === "row" && one.text.includes("allow-db"));
  expect(row).toMatchObject({
    text: expect.stringMatching(
      /^A change closed what is denied: v-\w{7}: NetworkPolicy payments\/allow-db was deleted/,
    ),
    subject: expect.stringMatching(/^v-/),
    buttons: [{ action: "roll-back" }, { action: "show-diff" }],
  });
});

test("A change of an operation of ours is undone by that, and bears no button that would be refused", async () => {
  const watch = replica();
  await pass(40, [watch], 1);
  await desk.services.history?.attribute({
    cluster: "sandbox",
    uid: "uid-bulkhead-q-1234567",
    resourceVersion: "deleted",
    author: { kind: "operation", operation: "q-1234567", by: undefined },
  });
  await deleted("bulkhead-q-1234567", { app: "nobody" });
  await pass(5, [watch], 90);
  const row = posts[0]?.reply.sections.find((one) => one.kind === "row" && one.text.includes("q-1234567"));
  expect(row).toMatchObject({
    text: expect.stringMatching(/It is of q-1234567: \/np rollback q-1234567$/),
    buttons: [{ action: "show-diff" }],
  });
});

test("A change that closed none of it is only said to have come before", async () => {
  const watch = replica();
  await pass(40, [watch], 1);
  await deleted("allow-other", { app: "nobody" });
  await pass(5, [watch], 90);
  expect(wordsIn(posts[0]?.reply as Reply)).toMatch(/It follows a change, which need not be its cause: v-\w{7}/);
});

/** A policy that let them out to the database's port goes now. */
async function deleted(name: string, matchLabels: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name, namespace: "payments", uid: `uid-${name}`, resourceVersion: "9001" };
  const spec = { podSelector: { matchLabels }, policyTypes: ["Egress"], egress: [{ ports: [{ port: 5432 }] }] };
  const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
  const sight = { cluster: "sandbox", object, continuous: true } as const;
  const { history } = desk.services;
  await history?.saw([{ ...sight, kind: "there", previous: undefined, at: nowMs - 60 * minuteMs }]);
  await history?.saw([{ ...sight, kind: "gone", resourceVersion: "9002", at: nowMs - 30_000 }]);
}

/** So many minutes, of each of which so many were denied, one replica after the other or all at once. */
async function pass(minutes: number, watches: readonly SpikeWatch[], count: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    desk.told.saw(denied, { count });
    nowMs += minuteMs;
    desk.told.heard(startMs - minuteMs, nowMs);
    await Promise.all(watches.map((watch) => watch.sweep("sandbox")));
  }
}

function replica(outletIn: (channel: string) => Outlet = outletOf, channels = forAll): SpikeWatch {
  const { services } = desk;
  const { flows } = services;
  if (flows === undefined) throw new Error("no flows");
  return createSpikeWatch({
    services,
    flows,
    store: createSpikeStore(desk.redis),
    channels,
    outletIn,
    alert: (some) => {
      if (some.length > 0) alerts.push(some);
      return Promise.resolve();
    },
    runbookUrl: undefined,
    meter: { begun: () => undefined, ended: () => undefined, judged: () => undefined },
  });
}

function outletOf(channel: string): Outlet {
  return {
    show(reply, card) {
      posts.push({ channel, reply, isNew: card === undefined });
      return Promise.resolve({ card: card ?? { channel, ts: `${posts.length}` }, reached: true });
    },
  };
}

function last(): readonly Alert[] {
  return alerts.at(-1) ?? [];
}

function buttonsIn(reply: Reply | undefined): readonly string[] {
  return (reply?.sections ?? []).flatMap((one) =>
    one.kind === "row" ? one.buttons.map((button) => ("action" in button ? button.action : "open")) : [],
  );
}
