import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Outlet } from "../../src/commands/desk.ts";
import { createFlowLooks, type FlowLooks, type Vouch } from "../../src/commands/flow-looks.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { createTurns } from "../../src/flows/turns.ts";
import type { Access } from "../../src/policy/access.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, wordsIn } from "./desk.ts";
import { checkout, flow, frontend, postgres, rowIn, startFlowDesk, workload } from "./flow-world.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const startMs = Date.UTC(2026, 0, 5, 8, 30);
const group: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U9", displayName: "dora" };

const rules: Access["rules"] = [
  { principals: ["slack:T1/U1", "terminal:jane"], verbs: ["*"], namespaces: ["*"] },
  { principals: ["slack:T1/U2", "slack-group:T1/S1"], verbs: ["status"], namespaces: ["payments"] },
];

let desk: Awaited<ReturnType<typeof startFlowDesk>>;
let posts: { readonly channel: string; readonly reply: Reply }[];
let nowMs = startMs;
let granted = rules;
const access = {
  people: [],
  get rules() {
    return granted;
  },
};

beforeAll(async () => {
  desk = await startFlowDesk({ services: { now: () => nowMs }, settings: { access } });
});
beforeEach(async () => {
  await desk.redis.flushdb();
  [posts, nowMs, granted] = [[], startMs, rules];
  desk.told.reset();
  desk.told.heard(startMs - 48 * hourMs, startMs + 48 * hourMs);
});
afterAll(() => desk.close());

test("What is denied is posted, and again only where something is new", async () => {
  const looks = replica("one");
  expect((await desk.type("flows watch payments every 1h")).headline).toBe("Denied flows are watched here: payments");
  desk.told.saw(flow(checkout, postgres), { count: 40 });
  await pass(minuteMs, looks);
  expect(posts).toMatchObject([
    { channel: "C1", reply: { shape: "card", headline: "What is denied in payments in the last 1h 1m" } },
  ]);
  expect(words(0)).toContain("First told here");
  expect(rowIn(posts[0]?.reply as Reply, "postgres").actions).toContain("flow-explain");
  desk.told.saw(flow(checkout, postgres), { count: 70 });
  await pass(hourMs, looks);
  expect(posts).toHaveLength(1);
  expect(wordsIn(await desk.type("status"))).toMatch(
    /C1: payments, every 1h, as alice \(U1\) may see it; last look 09:31; last post 08:31/,
  );
  desk.told.saw(flow(checkout, postgres, { port: 80 }), { count: 2 });
  await pass(hourMs, looks);
  expect(posts).toHaveLength(2);
  expect(words(1)).toContain('"title":"New since the last post here","items":["checkout → postgres.db:80"]');
  expect(words(1)).toContain("Watched every 1h, as alice (U1) may see it. /np flows unwatch payments ends it.");
});

test("Nothing denied is nothing posted, what is muted neither, and a source that fails is", async () => {
  const looks = replica("one");
  await desk.type("flows watch payments every 5m");
  desk.told.saw(flow(checkout, postgres), { count: 40 });
  await desk.press("flow-mute", rowIn(await desk.type("flows payments"), "postgres").subject);
  await pass(6 * minuteMs, looks);
  expect(posts).toEqual([]);
  desk.told.heard(startMs - 48 * hourMs, startMs - 2 * hourMs);
  await pass(6 * minuteMs, looks);
  await pass(6 * minuteMs, looks);
  expect(posts).toHaveLength(1);
  expect(words(0)).toContain("what is denied in cluster sandbox is not known");
});

test("Two replicas post each look once, and one that is started later goes on; what was missed is one look, late", async () => {
  await desk.type("flows watch payments every 1h");
  for (let port = 1; port <= 3; port += 1) {
    desk.told.saw(flow(checkout, postgres, { port }));
    await pass(hourMs, replica("one"), replica("two"), replica("three"));
  }
  expect(posts).toHaveLength(3);
  desk.told.saw(flow(checkout, postgres, { port: 4 }));
  nowMs += 5 * hourMs;
  await pass(0, replica("four"));
  await pass(minuteMs, replica("four"));
  expect(posts).toHaveLength(4);
  expect(posts[3]?.reply.headline).toBe("What is denied in payments in the last 5h 1m");
});

test("What a replica found that was killed before it posted is posted by another one within seconds", async () => {
  await desk.type("flows watch payments every 1h");
  desk.told.saw(flow(checkout, postgres));
  const killed = new Promise<never>(() => undefined);
  const turns = createTurns(desk.redis, "killed");
  const dying = replica("killed", { show: () => killed }, { ...turns, take: (name) => turns.take(name) });
  nowMs += minuteMs;
  void dying.sweep();
  await expect.poll(async () => (await stored())[0]?.owed).toBeDefined();
  nowMs += 6_000;
  const other = replica("other");
  await other.sweep();
  expect(posts).toEqual([]);
  // It renews its turn no more: it is dead.
  dead.add("killed");
  await expect.poll(async () => (await other.sweep(), posts.length), { timeout: 10_000 }).toBe(1);
  await pass(minuteMs, other);
  expect(posts).toHaveLength(1);
});

test("What Slack did not take is posted later", async () => {
  const away = replica("one", { show: () => Promise.resolve({ card: undefined, reached: false }) });
  await desk.type("flows watch payments every 1h");
  desk.told.saw(flow(checkout, postgres));
  await pass(minuteMs, away);
  expect(wordsIn(await desk.type("status"))).toContain("WARNING: Slack did not take the newest post yet");
  await pass(minuteMs, replica("one"));
  expect(posts).toHaveLength(1);
  expect(wordsIn(await desk.type("status"))).not.toContain("WARNING: Slack");
});

test("Who set it up decides what is told, and who lost the right has it ended, which is said and audited", async () => {
  const looks = replica("one");
  await desk.type("flows watch", bob);
  desk.told.saw(flow(checkout, postgres));
  desk.told.saw(flow(frontend, workload("shop", "cart")));
  await pass(minuteMs, looks);
  expect(words(0)).toContain("checkout.payments → another namespace:5432");
  expect(JSON.stringify(posts)).not.toMatch(/cart|postgres/);
  granted = rules.slice(0, 1);
  await pass(hourMs, looks);
  await pass(hourMs, looks);
  expect(posts.slice(1)).toMatchObject([{ reply: { headline: "Not watched any more: everything", shape: "card" } }]);
  expect(words(1)).toContain("no rule of the access section lets slack:T1/U2 status");
  expect(await stored()).toEqual([]);
  expect(wordsIn(await desk.type("audit"))).toContain("everything is not watched any more");
});

test("The groups of now count, a person who left ends it, and a Slack that does not answer ends nothing", async () => {
  const member = { ...group, groups: ["slack-group:T1/S1"] };
  await desk.type("flows watch payments", member);
  desk.told.saw(flow(checkout, postgres));
  await pass(
    minuteMs,
    replica("one", undefined, undefined, () => Promise.reject(new Error("Slack is away"))),
  );
  expect([posts.length, (await stored()).length]).toEqual([0, 1]);
  await pass(minuteMs, replica("one"));
  expect(posts).toHaveLength(1);
  await pass(
    hourMs,
    replica("one", undefined, undefined, () => Promise.resolve(group)),
  );
  expect(posts.at(-1)?.reply.headline).toBe("Not watched any more: payments");
  await desk.type("flows watch payments", member);
  await pass(
    minuteMs,
    replica("one", undefined, undefined, () => Promise.resolve({ why: "that is a guest account now" })),
  );
  expect(wordsIn(posts.at(-1)?.reply as Reply)).toContain("that is a guest account now");
});

test("At a time of day it looks once a day", async () => {
  const looks = replica("one");
  await desk.type("flows watch payments at 09:00");
  desk.told.saw(flow(checkout, postgres));
  await pass(29 * minuteMs, looks);
  expect(posts).toEqual([]);
  await pass(minuteMs, looks);
  expect(posts).toHaveLength(1);
  desk.told.saw(flow(checkout, postgres, { port: 9 }));
  await pass(23 * hourMs, looks);
  expect(posts).toHaveLength(1);
  await pass(hourMs, looks);
  expect(posts).toHaveLength(2);
});

test("It ends by what was typed, by its button, and by nobody who may not look there", async () => {
  await desk.type("flows watch payments every 1h");
  await desk.type("flows watch shop/frontend at 09:00");
  const mine = await desk.type("flows watched", bob);
  expect(mine.headline).toBe("1 watch of denied flows");
  expect(wordsIn(mine)).not.toContain("shop");
  expect(wordsIn(await desk.type("status", bob))).not.toContain("shop");
  const shop = rowIn(await desk.type("flows watched"), "shop/frontend").subject;
  expect((await desk.press("flow-unwatch", shop, { principal: bob })).outcome).toBe("refused");
  expect((await desk.type("flows unwatch shop/frontend", bob)).outcome).toBe("refused");
  expect((await desk.press("flow-unwatch", shop)).headline).toBe("Not watched any more");
  expect((await desk.type("flows unwatch payments", bob)).headline).toBe("Not watched any more");
  expect((await desk.type("flows unwatch payments")).outcome).toBe("refused");
  expect((await desk.type("flows watched")).headline).toBe("Nothing is watched here that you may see");
  expect(wordsIn(await desk.type("audit"))).toContain("shop/frontend is watched each day at 09:00 UTC");
});

test("Nothing is watched where the bot cannot post, in direct messages, without rights, or beyond twenty", async () => {
  const nowhere: Outlet = { show: () => Promise.resolve({ card: undefined, reached: true }) };
  expect((await desk.desk.run(desk.request("flows watch payments"), nowhere)).outcome).toBe("refused");
  const direct = { ...desk.request("flows watch payments"), channel: "D1" };
  expect((await desk.desk.run(direct, desk.outlet)).outcome).toBe("refused");
  expect((await desk.type("flows watch shop", bob)).outcome).toBe("refused");
  expect(await stored()).toEqual([]);
  for (let count = 0; count < 20; count += 1) await desk.type(`flows watch payments/w${count}`);
  const more = await desk.type("flows watch payments");
  expect(wordsIn(more)).toContain("20 are watched in this channel already");
  expect((await desk.type("flows watch payments/w3 every 2h")).outcome).toBe("ok");
  expect(await stored()).toHaveLength(20);
});

test("The README shows what is posted", async () => {
  await desk.type("flows watch payments every 1h");
  desk.told.saw(flow(checkout, postgres), { count: 40 });
  await pass(minuteMs, replica("one"));
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const reply = posts[0]?.reply;
  for (const line of [reply?.headline, reply?.footer[0]]) expect(readme).toContain(line);
});

const dead = new Set<string>();

function replica(
  name: string,
  outlet?: Outlet,
  turns = createTurns(desk.redis, name),
  vouch: Vouch = (principal) => Promise.resolve(principal),
): FlowLooks {
  const { services } = desk;
  const { flows } = services;
  if (flows === undefined) throw new Error("no flows");
  const living = { ...turns, take: (of: string) => (dead.has(name) ? Promise.resolve(false) : turns.take(of)) };
  return createFlowLooks({ services, flows, turns: living, outletIn: (channel) => outlet ?? outletOf(channel), vouch });
}

function outletOf(channel: string): Outlet {
  return {
    show(reply) {
      posts.push({ channel, reply });
      return Promise.resolve({ card: { channel, ts: `${posts.length}.0` }, reached: true });
    },
  };
}

async function pass(ms: number, ...looks: readonly FlowLooks[]): Promise<void> {
  nowMs += ms;
  await Promise.all(looks.map((one) => one.sweep()));
}

function words(at: number): string {
  const reply = posts[at]?.reply as Reply;
  return `${wordsIn(reply)} ${reply.footer.join(" ")}`;
}

async function stored() {
  return (await desk.services.flows?.watches.all()) ?? [];
}
