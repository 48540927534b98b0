import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { checkout, flow, frontend, linesIn, postgres, startFlowDesk, workload } from "./flow-world.ts";

let desk: Awaited<ReturnType<typeof startFlowDesk>>;

beforeAll(async () => {
  desk = await startFlowDesk();
});
beforeEach(async () => {
  await desk.redis.flushdb();
  desk.told.reset();
});
afterAll(() => desk.close());

const minute = 60_000;

test("Lines read as sentences: new ones first, with changes, lower bounds and by which policy", async () => {
  desk.told.saw(flow(checkout, postgres), { count: 1_240, agoMs: 8 * minute });
  desk.told.saw(flow(workload("payments", "ledger"), { kind: "range", cidr: "198.51.100.0/24" }, { port: 443 }), {
    count: 120,
    atLeast: true,
    unit: "packets",
  });
  desk.told.saw(flow(workload("payments", "ledger"), { kind: "range", cidr: "198.51.100.0/24" }, { port: 443 }), {
    count: 10,
    unit: "packets",
    agoMs: 20 * minute,
  });
  desk.told.saw(flow(frontend, checkout, { port: 9999, direction: "ingress" }), { count: 3 });
  desk.told.saw(flow(checkout, postgres, { class: "reply" }), { count: 420 });
  const reply = await desk.type("flows payments");
  expect(reply.headline).toBe("What is denied in payments in the last 15m");
  expect(linesIn(reply)).toEqual([
    "Denied in all: 1 243 connections and at least 120 packets, of 3 kinds, 2 new.",
    "new: checkout → postgres.db:5432  1 240 denied connections, since HH:MM, egress, no rule of payments/allow-checkout, allow-dns or default-deny (they select it) allows it",
    "new: frontend.shop → checkout:9999  3 denied connections, since HH:MM, ingress, no rule of payments/allow-checkout, allow-metrics or default-deny (they select it) allows it",
    "ledger → 198.51.100.0/24:443  at least 120 denied packets (×12), since before HH:MM, egress, no rule of payments/allow-dns, allow-ledger or default-deny (they select it) allows it",
    "No template that was approved opens these",
    "- checkout → postgres.db:5432: one from checkout.payments to postgres.db on TCP 5432 would be needed",
    "- frontend.shop → checkout:9999: one from frontend.shop to checkout.payments on TCP 9999 would be needed",
    "- ledger → 198.51.100.0/24:443: one from ledger.payments to 198.51.100.0/24 on TCP 443 would be needed",
    "Not listed: 420 replies.",
    "No policy that you may see was changed in that time.",
  ]);
});
