import { afterAll, beforeAll, expect, test } from "vitest";
import type { Outlet } from "../../src/commands/desk.ts";
import { createDesk } from "../../src/commands/run.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
  );
});

afterAll(() => desk.close());

test("A Confirm that looked before another was carried out, and whose card is not kept yet, is too late", async () => {
  const card = { channel: "C1", ts: "9.9" };
  const cardless = createDesk(desk.services);
  const nowhere = { show: () => Promise.resolve({ card: undefined, reached: false }) };
  const { operation = "" } = await cardless.run(desk.request("quarantine payments/checkout-1"), nowhere);
  const press = { ...desk.request(""), action: "confirm", operation, card };
  let looked = 0;
  const slow = createDesk({
    ...desk.services,
    operations: {
      ...desk.services.operations,
      async get(id) {
        const found = await desk.services.operations.get(id);
        if (looked++ === 0) await cardless.press({ ...press, delivery: "the faster one", card: undefined }, nowhere);
        return found;
      },
    },
  });
  const late = await slow.press(press, desk.outlet);
  expect(wordsIn(late)).toMatch(/past that already/);
  const stored = await desk.services.operations.get(operation);
  expect(stored).toMatchObject({ state: "in-force" });
  expect(stored?.steps.filter(({ step }) => step === "confirmed")).toHaveLength(1);
});

test("The metrics' names of presses are a closed set, whatever is sent as the action", async () => {
  const sent = ["retry", "confirm-again", "constructor", "made-up-1", "made-up-2"];
  desk.events.length = 0;
  for (const action of sent) await desk.press(action, "q-none");
  let shown = 0;
  const broken: Outlet = {
    show() {
      shown += 1;
      return shown === 1
        ? Promise.reject(new Error("no way out"))
        : Promise.resolve({ card: undefined, reached: true });
    },
  };
  const { text: _text, ...asked } = desk.request("");
  const press = { ...asked, action: "made-up-3", operation: "", card: undefined };
  await createDesk(desk.services).press(press, broken);
  const verbs = desk.events.flatMap((event) => (event.kind === "command" ? [event.verb] : []));
  expect(verbs.slice(0, 2)).toEqual(["press retry", "press confirm-again"]);
  expect(new Set(verbs.slice(2))).toEqual(new Set(["press unknown"]));
  expect(verbs).toHaveLength(6);
  expect(desk.events.flatMap((event) => (event.kind === "error" ? [event.where] : []))).toEqual(["press unknown"]);
});
