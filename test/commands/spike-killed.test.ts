import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { createSpikeWatch } from "../../src/commands/spike-watch.ts";
import { namespacesOf, type Spike } from "../../src/flows/spike.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import { testRedisUrl } from "../redis.ts";
import { checkout, flow, postgres, startFlowDesk } from "./flow-world.ts";

const nowMs = Date.UTC(2026, 0, 5, 9);
const key = flow(checkout, postgres);
const spike: Spike = {
  id: "s-killed",
  cluster: "sandbox",
  kind: "spike",
  subject: { kind: "pair", key },
  namespaces: namespacesOf(key),
  sinceMs: nowMs - 120_000,
  perMinute: 90,
  usual: 1,
  atLeast: false,
  pairs: [{ key, count: 90, atLeast: false }],
  pairCount: 1,
  follows: [],
};

let desk: Awaited<ReturnType<typeof startFlowDesk>>;
let posts: { readonly channel: string; readonly ts: string | undefined; readonly reply: Reply }[];

beforeAll(async () => {
  desk = await startFlowDesk({ services: { now: () => nowMs } });
});
beforeEach(async () => {
  posts = [];
  await desk.redis.flushdb();
  const store = createSpikeStore(desk.redis);
  const state = await store.read("sandbox");
  // All that is due was judged.
  const judged = { ...state, minuteMs: nowMs };
  await store.store(state, { state: judged, begun: [spike], grown: [], ended: [] });
});
afterAll(() => desk.close());

test("What a killed replica knew to be posted is not posted again; what it may have posted says so", async () => {
  await killedAt(2);
  expect(await desk.redis.lrange("posts", 0, -1)).toEqual(["C0PAY", "C0ALL"]);
  await goOn();
  expect(posts).toMatchObject([
    { channel: "C0PAY", ts: "1" },
    { channel: "C0ALL", ts: undefined },
  ]);
  expect(posts.map(({ reply }) => reply.footer.join())).toEqual([
    expect.not.stringContaining("twice"),
    expect.stringContaining("This may stand here twice: a replica stopped while it posted it."),
  ]);
});

test("Once that is told, nothing is told again", async () => {
  await killedAt(1);
  await goOn();
  expect(posts.map(({ ts }) => ts)).toEqual([undefined, undefined]);
  await goOn();
  expect(posts).toHaveLength(2);
  const [stored] = await createSpikeStore(desk.redis).all("sandbox");
  expect(stored).toMatchObject({ isTold: true, cards: [{ ts: "new 1" }, { ts: "new 2" }] });
});

/** A process of its own, by kill -9, right after Slack took so many messages. */
async function killedAt(messages: number): Promise<void> {
  const file = fileURLToPath(new URL("../chaos/spike-process.ts", import.meta.url));
  const child = spawn(process.execPath, [file, testRedisUrl(), `${nowMs}`, `${messages}`], { stdio: "inherit" });
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
}

/** Another replica, after the half minute for which the killed one had the telling of it. */
async function goOn(): Promise<void> {
  await desk.redis.del("{bulkhead}:spikes:claim:s-killed");
  const { services } = desk;
  const { flows } = services;
  if (flows === undefined) throw new Error("no flows");
  await createSpikeWatch({
    services,
    flows,
    store: createSpikeStore(desk.redis),
    channels: { channel: "C0ALL", channels: [{ namespaces: ["payments"], channel: "C0PAY" }] },
    outletIn: (channel) => ({
      show(reply, card) {
        posts.push({ channel, ts: card?.ts, reply });
        return Promise.resolve({ card: card ?? { channel, ts: `new ${posts.length}` }, reached: true });
      },
    }),
    alert: () => Promise.resolve(),
    runbookUrl: undefined,
    meter: { begun: () => undefined, ended: () => undefined, judged: () => undefined },
  }).sweep("sandbox");
}
