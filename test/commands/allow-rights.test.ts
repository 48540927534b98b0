import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";
import { allowTemplate } from "./allow-template.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let approvals = 0;
let isAway = false;

beforeEach(async () => {
  approvals = 0;
  const all = () => [egress(), between()];
  desk = await startDesk({
    services: { templates: { all, problems: () => [] } },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "shop", "db"] },
          { principals: ["slack:T1/U2"], verbs: ["allow", "approve", "status"], namespaces: ["payments"] },
        ],
        people: [],
      },
    },
  });
  desk.sandbox.apply(...seedObjects());
  await waitFor(() => desk.sandbox.objects("Pod").length > 10);
  const { cluster } = desk.services.clusters.get("sandbox")!;
  const as = { ...cluster };
  const createObject: typeof cluster.createObject = (object) =>
    isAway ? Promise.reject(new Error("the API server is away")) : as.createObject(object);
  Object.assign(cluster, { createObject });
});

afterEach(() => desk.close());

const template = (name: string, lines: string) => allowTemplate(name, lines, approvals);

const egress = () =>
  template(
    "egress",
    `parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where to }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: 443, protocol: TCP }] }`,
  );

const between = () =>
  template(
    "between",
    `parameters:
  from: { type: workload, about: who connects }
  to: { type: workload, about: whom to }
opens:
  - { from: { workload: $from }, to: { workload: $to }, ports: [{ port: 5432, protocol: TCP }] }`,
  );

const toBank = "allow egress workload=payments/deploy/checkout cidr=198.51.100.0/24";
const toDb = "allow between from=payments/checkout to=db/postgres";

function allowances(): readonly NetworkPolicy[] {
  return desk.sandbox
    .objects("NetworkPolicy")
    .filter((object) => object.metadata.labels?.[marks.kind] === "allowance") as unknown as readonly NetworkPolicy[];
}

/** While it works nothing can be created. */
async function withoutWrites<T>(work: () => Promise<T>): Promise<T> {
  isAway = true;
  return work().finally(() => {
    isAway = false;
  });
}

describe("A right in one of the namespaces is none in the other", () => {
  test("for who confirms what somebody else has planned", async () => {
    const { operation: id = "" } = await desk.type(toDb);
    const reply = await desk.press("confirm", id, { principal: bob });
    expect(reply.outcome).toBe("refused");
    expect(allowances()).toEqual([]);
    expect((await desk.press("confirm", id)).headline).toMatch(/^OPEN until /);
  });

  test("for who extends it", async () => {
    const { operation: id = "" } = await desk.type(toDb);
    await desk.press("confirm", id);
    const reply = await desk.type(`extend ${id} 10m`, bob);
    expect(wordsIn(reply)).toContain("No rule of the access section lets slack:T1/U2 allow in namespace db");
    expect(allowances().map(({ metadata }) => metadata.annotations?.[marks.ttlSeconds])).toEqual(["1800", "1800"]);
    expect((await desk.type(`extend ${id} 10m`)).headline).toMatch(/^Extended until /);
  });

  test("for who tries again what failed", async () => {
    const { operation: id = "" } = await desk.type(toDb);
    await withoutWrites(() => desk.press("confirm", id));
    expect(await desk.press("retry", id, { principal: bob })).toMatchObject({ outcome: "refused" });
    expect(allowances()).toEqual([]);
  });
});

describe("What failed is tried again", () => {
  test("by the approval while that lasts, and not afterwards", async () => {
    approvals = 1;
    const failed = async () => {
      const { operation: id = "" } = await desk.type(toBank);
      await desk.press("confirm", id);
      const reply = await withoutWrites(() => desk.press("approve", id, { principal: bob }));
      expect(reply.headline).toMatch(/^Failed: /);
      return id;
    };
    expect((await desk.press("retry", await failed())).headline).toMatch(/^OPEN until /);
    for (const { metadata } of allowances()) await desk.type(`end ${metadata.labels?.[marks.operation]}`);
    const id = await failed();
    desk.pass(86_400_000);
    expect(wordsIn(await desk.press("retry", id))).toContain("ts approval was for then, and has expired");
    expect(allowances()).toEqual([]);
  });

  test("only where the plan is the one that was confirmed", async () => {
    const { operation: id = "" } = await desk.type(toBank);
    await withoutWrites(() => desk.press("confirm", id));
    approvals = 1;
    expect(wordsIn(await desk.press("retry", id))).toContain("he plan is not the one any more that was confirmed");
    expect(allowances()).toEqual([]);
    approvals = 0;
    expect((await desk.press("retry", id)).headline).toMatch(/^OPEN until /);
  });

  test("without approval by nobody without the right to break the glass", async () => {
    approvals = 1;
    const { operation: id = "" } = await desk.type(`${toBank} for 10m the bank has moved --break-glass`);
    await desk.press("confirm", id);
    await withoutWrites(() => desk.press("confirm-again", id));
    const reply = await desk.press("retry", id, { principal: bob });
    expect(wordsIn(reply)).toContain("lets slack:T1/U2 break-glass");
    expect(allowances()).toEqual([]);
    expect((await desk.press("retry", id)).headline).toMatch(/^OPEN until /);
  });
});
