import { afterEach, beforeEach, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
const alice: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };
const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };
const homeOf = (principal: Principal) => desk.desk.home({ principal, at: Date.UTC(2026, 6, 15, 1, 30) });

beforeEach(async () => {
  const pod = (namespace: string, name: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: name } },
    spec: { containers: [{ name: "main", image: "none" }] },
  });
  const names = ["payments", "shop"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  desk = await startDesk({ cluster: { objects: [...names, pod("payments", "checkout"), pod("shop", "web")] } });
});
afterEach(() => desk.close());

test("With nothing in force the page says so, and when that was", async () => {
  const reply = await homeOf(alice);
  expect(reply.headline).toBe("Nothing is in force");
  expect(wordsIn(reply)).toContain("As of 2026-07-15T01:30:00.000Z");
  expect(wordsIn(reply)).toContain("Redis answers");
});

test("What is in force has the buttons of its card that need no plan beside them", async () => {
  const planned = await desk.type("quarantine payments/checkout odd egress");
  await desk.press("confirm", planned.operation);
  const reply = await homeOf(alice);
  expect(reply.headline).toBe("1 in force");
  expect(rowsIn(reply)).toMatchObject([{ subject: planned.operation, buttons: [{ action: "release" }] }]);
  expect(wordsIn(reply)).toContain("quarantine payments/checkout, in-force, by alice");
});

test("A plan that nobody has confirmed is nobody's business there", async () => {
  await desk.type("quarantine payments/checkout odd egress");
  expect(rowsIn(await homeOf(alice))).toEqual([]);
});

test("What waits for approval stands first, and is approved on its card, not there", async () => {
  const planned = await desk.type("quarantine payments/checkout odd egress");
  const { operations } = desk.services;
  const one = (await operations.get(planned.operation ?? ""))!;
  const list = () =>
    Promise.resolve([
      { ...one, state: "in-force" as const },
      { ...one, state: "awaiting-approval" as const },
    ]);
  const reply = await homeWith(list);
  expect(reply.headline).toBe("1 needs somebody, 1 in force");
  expect(rowsIn(reply)).toMatchObject([{ buttons: [{ action: "cancel" }] }, { buttons: [{ action: "release" }] }]);
});

test("Of a namespace where somebody has no right nothing is there, nor counted", async () => {
  for (const target of ["payments/checkout", "shop/web"]) {
    const planned = await desk.type(`quarantine ${target} odd egress`);
    await desk.press("confirm", planned.operation);
  }
  expect((await homeOf(alice)).headline).toBe("2 in force");
  const seen = await homeOf(bob);
  expect(seen.headline).toBe("1 in force");
  expect(wordsIn(seen)).not.toContain("shop");
});

test("Whoever has no right anywhere is told so", async () => {
  const reply = await homeOf(carol);
  expect(reply.outcome).toBe("refused");
  expect(wordsIn(reply)).toContain("/np whoami");
});

test("A long list is cut, and says so", async () => {
  const planned = await desk.type("quarantine payments/checkout odd egress");
  const one = (await desk.services.operations.get(planned.operation ?? ""))!;
  const reply = await homeWith(() =>
    Promise.resolve(Array.from({ length: 40 }, (_, at) => ({ ...one, state: "in-force" as const, id: `q-${at}` }))),
  );
  expect(rowsIn(reply)).toHaveLength(15);
  expect(wordsIn(reply)).toContain("… and 25 more: /np status");
});

test("While Redis is away the page says that it does not know", async () => {
  const reply = await homeWith(() => Promise.reject(new Error("connection lost")));
  expect(reply.headline).toBe("Not known: Redis does not answer");
});

test("The card of an operation is a link away, where Slack gave one", async () => {
  const planned = await desk.type("quarantine payments/checkout odd egress");
  const one = (await desk.services.operations.get(planned.operation ?? ""))!;
  const permalink = "https://acme.slack.com/archives/C1/p1";
  const card = { channel: "C1", ts: "1.0", permalink };
  const reply = await homeWith(() => Promise.resolve([{ ...one, state: "in-force", card }]));
  expect(rowsIn(reply)).toMatchObject([{ buttons: [{ url: permalink, label: "Open card" }, { action: "release" }] }]);
});

/** The page where these are the live operations. */
async function homeWith(list: TestDesk["services"]["operations"]["list"]) {
  const operations = { ...desk.services.operations, list };
  return createDesk({ ...desk.services, operations }).home({ principal: alice, at: 0 });
}

function rowsIn({ sections }: Awaited<ReturnType<typeof homeOf>>) {
  return sections.filter(({ kind }) => kind === "row");
}
