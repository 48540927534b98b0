import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import type { Alert } from "../../src/commands/spike-alert.ts";
import { createSpikeWatch, type SpikeWatch } from "../../src/commands/spike-watch.ts";
import type { FlowKey } from "../../src/flows/flow-key.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import { wordsIn } from "./desk.ts";
import { checkout, flow, postgres, startFlowDesk, workload } from "./flow-world.ts";

const minuteMs = 60_000;

let desk: Awaited<ReturnType<typeof startFlowDesk>>;
let watch: SpikeWatch;
let posts: Reply[];
let alerts: Alert[];
let startMs = 0;
let nowMs = 0;

beforeAll(async () => {
  desk = await startFlowDesk({ services: { now: () => nowMs } });
});
beforeEach(async () => {
  await desk.redis.flushdb();
  startMs = Math.ceil(Date.now() / minuteMs) * minuteMs;
  [posts, alerts, nowMs] = [[], [], startMs];
  desk.told.reset();
  watch = createWatch();
});
afterAll(() => desk.close());

test("What a quarantined pod tries, and who calls it, is told as expected, and pages nobody until it is released", async () => {
  const [name] = podsOf("checkout");
  const pod = workload("payments", name ?? "", "Pod");
  const [tries, called] = [flow(pod, postgres), flow(workload("shop", "frontend"), pod, { direction: "ingress" })];
  await pass(40, []);
  const quarantine = await quarantined(`payments/${name}`);
  await pass(5, [tries, called]);
  expect(posts.map(({ headline, tone }) => ({ headline, tone }))).toEqual([
    { headline: "Denied on purpose: namespace db and 2 more", tone: "neutral" },
  ]);
  expect(wordsIn(posts[0] as Reply)).toContain(`${quarantine} is in force and cuts it off. Nobody is paged of it.`);
  expect(alerts).toEqual([]);

  await released(quarantine);
  // The last minute in which it held, which is judged after that, and the first in which it does not.
  await pass(2, [tries]);
  expect(wordsIn(posts.at(-1) as Reply)).toContain(`${quarantine} is lifted since`);
  expect(alerts).toEqual([]);
  await pass(2, [tries]);
  expect(alerts[0]?.labels).toMatchObject({ kind: "new", namespace: "db" });
});

test("What is denied at the other end, and what is of a workload with pods that nobody cut off, is a spike", async () => {
  const [name] = podsOf("checkout");
  const pod = workload("payments", name ?? "", "Pod");
  await pass(40, []);
  await quarantined(`payments/${name}`);
  await pass(5, [flow(pod, postgres, { direction: "ingress" }), flow(checkout, postgres, { port: 9_999 })]);
  expect(posts.map(({ tone }) => tone)).not.toContain("neutral");
  expect(alerts).not.toEqual([]);
});

function podsOf(app: string): readonly string[] {
  return desk.sandbox
    .objects("Pod", "payments")
    .filter(({ metadata }) => metadata.labels?.["app"] === app)
    .map(({ metadata }) => metadata.name);
}

async function quarantined(target: string): Promise<string> {
  const { operation = "" } = await desk.type(`quarantine ${target}`);
  await desk.press("confirm", operation);
  expect((await desk.services.operations.get(operation))?.state).toBe("in-force");
  return operation;
}

async function released(operation: string): Promise<void> {
  const plan = await desk.type(`release ${operation}`);
  await desk.press("confirm", plan.operation);
  expect((await desk.services.operations.get(operation))?.state).toBe("done");
}

/** So many minutes, in each of which 90 of each were denied. */
async function pass(minutes: number, denied: readonly FlowKey[]): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    for (const key of denied) desk.told.saw(key, { count: 90 });
    nowMs += minuteMs;
    desk.told.heard(startMs - minuteMs, nowMs);
    await watch.sweep("sandbox");
  }
}

function createWatch(): SpikeWatch {
  const { services } = desk;
  const { flows } = services;
  if (flows === undefined) throw new Error("no flows");
  return createSpikeWatch({
    services,
    flows,
    store: createSpikeStore(desk.redis),
    channels: { channel: "C0ALL", channels: [] },
    outletIn: (channel) => ({
      show(reply, card) {
        posts.push(reply);
        return Promise.resolve({ card: card ?? { channel, ts: `${posts.length}` }, reached: true });
      },
    }),
    alert: (some) => {
      alerts.push(...some);
      return Promise.resolve();
    },
    runbookUrl: undefined,
    meter: { begun: () => undefined, ended: () => undefined, judged: () => undefined },
  });
}
