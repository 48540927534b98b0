import { expect, test } from "vitest";
import { spikeAlert } from "../../src/commands/spike-alert.ts";
import type { Spike } from "../../src/flows/spike.ts";
import { checkout, flow, postgres } from "./flow-world.ts";

const key = flow(checkout, postgres);
const spike: Spike = {
  id: "s-1",
  cluster: "sandbox",
  kind: "spike",
  subject: { kind: "pair", key },
  namespaces: ["db", "payments"],
  sinceMs: 0,
  perMinute: 90,
  usual: 1,
  atLeast: false,
  pairs: [{ key, count: 90, atLeast: false }],
  pairCount: 1,
  follows: [],
};

test("A spike that grows is the same alert: whatever joins it changes no label", () => {
  const grown = { ...spike, perMinute: 400, pairCount: 7, namespaces: ["apps", "cart", "db", "payments"] };
  const [before, after] = [spike, grown].map((one) => alertOf(one));
  expect(after?.labels).toEqual(before?.labels);
  expect(before?.labels).toMatchObject({ namespace: "db", from: "checkout.payments" });
});

test("One of a scan is of the namespace of whoever scans, and of none where that is nobody of the cluster", () => {
  const scan = (from: typeof checkout): Spike => ({ ...spike, kind: "scan", subject: { kind: "scan", from } });
  expect(alertOf(scan(checkout)).labels).toMatchObject({ namespace: "payments", severity: "info" });
  expect(alertOf(scan({ kind: "node" })).labels["namespace"]).toBe("");
});

function alertOf(one: Spike) {
  return spikeAlert({ spike: one, end: undefined, cards: [], isTold: false, revision: 1 }, undefined, 60_000);
}
