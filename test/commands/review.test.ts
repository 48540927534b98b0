import { afterAll, beforeAll, expect, test } from "vitest";
import { askReviews } from "../../src/commands/review.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

const hour = 3_600_000;

let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    ...["checkout-1", "checkout-2", "checkout-3", "checkout-4", "checkout-5"].map((name) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    })),
  );
});

afterAll(() => desk.close());

const sweep = () => askReviews(desk.services, () => desk.outlet);
const policies = () => desk.sandbox.objects("NetworkPolicy", "payments");

test("When the review time passes the card asks once, never releases, and keep sets the same time anew", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-1 review 2h");
  await desk.press("confirm", operation);
  desk.pass(2 * hour - 60_000);
  expect(await sweep()).toBe(0);

  for (const round of [1, 2, 3]) {
    desk.pass(61_000);
    desk.shown.length = 0;
    expect(await Promise.all([sweep(), sweep()]).then(([one, two]) => one + two), `round ${round}`).toBe(1);
    expect(await sweep()).toBe(0);
    const [asked] = desk.shown;
    expect(desk.shown).toHaveLength(1);
    expect(wordsIn(asked!.reply)).toMatch(/Is this quarantine still needed\?/);
    expect(asked?.reply.buttons.map(({ action }) => action)).toEqual(["release", "keep"]);
    expect(asked?.card).toEqual((await desk.services.operations.get(operation ?? ""))?.card);
    expect(policies()).toHaveLength(1);

    const kept = await desk.press("keep", operation);
    expect(kept.buttons.map(({ action }) => action)).toEqual(["release"]);
    const due = (await desk.services.operations.get(operation ?? ""))?.reviewAt;
    desk.pass(30_000);
    await desk.press("keep", operation);
    expect((await desk.services.operations.get(operation ?? ""))?.reviewAt, "a late second delivery").toBe(due);
    desk.pass(-30_000);
    desk.pass(2 * hour - 60_000);
    expect(await sweep()).toBe(0);
  }
});

test("A quarantine without a review time is never asked about, and one that is only planned neither", async () => {
  await desk.type("quarantine payments/checkout-2 review 1m");
  desk.pass(3_000 * hour);
  await sweep();
  desk.shown.length = 0;
  expect(await sweep()).toBe(0);
  const { operation } = await desk.type("quarantine payments/checkout-2");
  await desk.press("confirm", operation);
  desk.pass(3_000 * hour);
  expect(await sweep()).toBe(0);
});

test("A question that nobody saw is asked again", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-3 review 2h");
  await desk.press("confirm", operation);
  desk.pass(2 * hour);
  const deaf = { show: () => Promise.resolve({ card: undefined, reached: false }) };
  expect(await askReviews(desk.services, () => deaf)).toBe(0);
  expect(await sweep()).toBe(1);
  expect(await sweep()).toBe(0);
});

test("One that cannot be asked about holds up no other", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-4 review 2h");
  await desk.press("confirm", operation);
  const { operation: other } = await desk.type("quarantine payments/checkout-5 review 2h");
  await desk.press("confirm", other);
  desk.pass(2 * hour);
  const broken = { show: () => Promise.reject(new Error("no such channel")) };
  const asked = askReviews(desk.services, ({ id }) => (id === other ? broken : desk.outlet));
  expect(await asked).toBe(1);
  expect(desk.events).toContainEqual({ kind: "error", where: "review", message: `${other}: Error: no such channel` });
  expect(await sweep(), "the other one, now that it can be").toBe(1);
});
