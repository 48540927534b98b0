import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { drawDenied } from "../../src/pictures/draw.ts";
import { createTypesetter } from "../../src/pictures/typesetting.ts";
import type { RawPolicy } from "../../src/policy/revision.ts";
import { unreadable } from "../pictures/png.ts";
import { bob } from "./desk.ts";
import { checkout, flow, frontend, postgres, startFlowDesk, workload } from "./flow-world.ts";

const minute = 60_000;

let desk: Awaited<ReturnType<typeof startFlowDesk>>;

beforeAll(async () => {
  desk = await startFlowDesk();
});
beforeEach(async () => {
  await desk.redis.flushdb();
  desk.told.reset();
});
afterAll(() => desk.close());

const labels = ({ picture }: Awaited<ReturnType<typeof desk.type>>) => picture?.series.map(({ label }) => label);

test("An answer about what is denied has a picture: most denied first, of one unit, with what was changed", async () => {
  desk.told.saw(flow(checkout, postgres), { count: 1_240, agoMs: 8 * minute });
  desk.told.saw(flow(frontend, checkout, { port: 9999 }), { count: 3, agoMs: 2 * minute, atLeast: true });
  desk.told.saw(flow(workload("payments", "ledger"), postgres), { count: 999, unit: "packets" });
  desk.told.saw(flow(checkout, postgres, { class: "audited" }), { count: 5_000 });
  const at = desk.services.now() - 9 * minute;
  const sight = { cluster: "sandbox", object: policy("allow-db"), continuous: true } as const;
  await desk.services.history?.saw([{ ...sight, kind: "there", previous: undefined, at: at - 60 * minute }]);
  await desk.services.history?.saw([{ ...sight, kind: "gone", resourceVersion: "9002", at }]);
  const { picture } = await desk.type("flows payments");
  expect(picture).toMatchObject({
    title: "Denied connections in payments",
    unit: "connections",
    stepMs: minute,
    series: [
      { label: "checkout → postgres.db:5432", atLeast: false },
      { label: "frontend.shop → checkout:9999", atLeast: true },
    ],
    marks: [{ atMs: at, kind: "policy-change", what: "allow-db deleted", who: "", id: expect.stringMatching(/^v-/) }],
  });
  expect(picture?.series[0]?.counts.filter((count) => count !== 0)).toEqual([1_240]);
  if (picture === undefined) throw new Error("there is no picture");
  expect(unreadable(drawDenied(picture, createTypesetter()))).toEqual([]);
});

test("Nothing denied has no picture", async () => {
  desk.told.saw(flow(checkout, postgres, { class: "reply" }), { count: 12 });
  expect((await desk.type("flows payments")).picture).toBeUndefined();
});

test("It shows nobody more than the text: what lies elsewhere has no name", async () => {
  desk.told.saw(flow(checkout, postgres), { count: 5 });
  desk.told.saw(flow(frontend, postgres), { count: 50 });
  expect(labels(await desk.type("flows payments", bob))).toEqual(["checkout → another namespace:5432"]);
});

test("A step from which nothing is kept is unknown, and so is the one under way while it has fewer than the last", async () => {
  const now = desk.services.now();
  desk.told.heard(now - 5 * minute, now);
  desk.told.saw(flow(checkout, postgres), { count: 100, agoMs: minute });
  const [line] = (await desk.type("flows payments")).picture?.series ?? [];
  expect(line?.counts.at(-1)).toBeNull();
  expect(line?.counts.at(-2)).toBe(100);
  expect(line?.counts.slice(0, 9).every((count) => count === null)).toBe(true);
});

function policy(name: string): RawPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "payments", uid: `uid-${name}`, resourceVersion: "9001" },
    spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] },
  };
}
