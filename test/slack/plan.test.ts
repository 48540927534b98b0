import type { types } from "@slack/bolt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { renderReply } from "../../src/slack/render.ts";
import { startDesk, type TestDesk, wordsIn } from "../commands/desk.ts";

let desk: TestDesk;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    ...["payments", "shop"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  );
});

afterAll(() => desk.close());

const labels = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`example.com/label-${at}`, `value-${at}`]));

/** A pod with 100 labels, all of which a Service selects, so that all come off. */
function aPodWithLabels(namespace: string): void {
  desk.sandbox.apply(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace, labels },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
  );
}

/** 300 policies that select every pod; each allows something of its own, or all the same. */
function manyPolicies(namespace: string, port: (number: number) => number): void {
  for (let number = 0; number < 300; number++) {
    desk.sandbox.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: `allow-${String(number).padStart(3, "0")}`, namespace },
      spec: {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [{ ports: [{ protocol: "TCP", port: port(number) }] }],
      },
    });
  }
}

/** All texts of the blocks, one after the other, as they are read. */
function shownIn(blocks: readonly types.KnownBlock[]): string {
  return [...JSON.stringify(blocks).matchAll(/"text":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join("");
}

function actionsOf(blocks: readonly types.KnownBlock[]): readonly string[] {
  return [...JSON.stringify(blocks).matchAll(/"action_id":"np:([a-z-]+)"/g)].map(([, action = ""]) => action);
}

test("A plan with 300 residual allows and 100 labels that does not fit offers no Confirm, and says how to see it", async () => {
  aPodWithLabels("payments");
  manyPolicies("payments", (number) => 1_000 + number);
  const plan = await desk.type("quarantine payments/checkout-1 --confirm checkout-1 --incident INC-1");
  const { blocks, text } = renderReply(plan, "/np");
  expect(actionsOf(blocks)).toEqual(["cancel"]);
  expect(Buffer.byteLength(JSON.stringify(blocks))).toBeLessThanOrEqual(12_000);
  for (const shown of [JSON.stringify(blocks), text]) {
    expect(shown).toContain(
      "bulkhead quarantine sandbox:payments/checkout-1 --confirm checkout-1 --incident INC-1 --dry-run",
    );
  }
  const shownThere = /bulkhead (quarantine \S+ --confirm \S+ --incident \S+ --dry-run)/.exec(text)?.[1] ?? "";
  expect(wordsIn(await desk.type(shownThere))).toContain("allow-299");
  const dry = await desk.type("quarantine payments/checkout-1 --confirm checkout-1 --dry-run");
  for (const name of ["allow-000", "allow-299", "example.com/label-99"]) expect(JSON.stringify(dry)).toContain(name);
});

test("300 policies that allow the same are one line, and with 100 labels all of it is shown beside Confirm", async () => {
  aPodWithLabels("shop");
  manyPolicies("shop", () => 443);
  const { blocks, text } = renderReply(await desk.type("quarantine shop/checkout-1 --confirm checkout-1"), "/np");
  expect(actionsOf(blocks)).toEqual(["confirm", "cancel"]);
  const names = Array.from({ length: 300 }, (_, number) => `allow-${String(number).padStart(3, "0")}`);
  for (const name of [...names, ...Object.keys(labels)]) expect(shownIn(blocks)).toContain(name);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3_500);
  expect(text).toMatch(/…\nThe rest is in the message itself\.$/);
});
