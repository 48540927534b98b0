import { afterAll, beforeAll, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Operation } from "../../src/policy/operation.ts";
import type { Principal } from "../../src/policy/principal.ts";
import type { Template } from "../../src/policy/template.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { readTemplate } from "../../src/template-file.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let template: Template;

const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };
const dave: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U4", displayName: "dave" };

beforeAll(async () => {
  template = egress();
  desk = await startDesk({
    services: { templates: { all: () => [template], problems: () => [] } },
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments"] },
          { principals: ["slack:T1/U2", "slack:T1/U3"], verbs: ["approve", "status"], namespaces: ["payments"] },
          { principals: ["slack:T1/U4"], verbs: ["allow", "status"], namespaces: ["payments"] },
        ],
        people: [],
      },
    },
  });
  desk.sandbox.apply(...seedObjects());
  await waitFor(() => desk.sandbox.objects("Pod").length > 10);
});

afterAll(() => desk.close());

function egress(changes: { readonly widest?: number; readonly review?: boolean } = {}): Template {
  const read = readTemplate(
    "egress.yaml",
    `version: 1
name: egress
title: Out to a network
when: When it is needed.
owner: platform
procedure: egress.md
ttl: { default: 30m, max: 2h, total: 4h }
where: { namespaces: ["*"], clusters: ["*"] }
approvals: { count: 2, from: ["slack:T1/U2", "slack:T1/U3"] }
review: ${changes.review ?? false}
parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: ${changes.widest ?? 24} }, about: where to }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: 443, protocol: TCP }] }`,
  );
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.template;
}

const toBank = (net: number) => `allow egress workload=payments/deploy/checkout cidr=198.51.${net}.0/24`;

function written(operation: string): number {
  const all = desk.sandbox.objects("NetworkPolicy");
  return all.filter(({ metadata }) => metadata.labels?.[marks.operation] === operation).length;
}

async function current(id: string): Promise<Operation> {
  const operation = await desk.services.operations.get(id);
  if (operation === undefined) throw new Error(`${id} is not stored`);
  return operation;
}

async function kinds(operation: string): Promise<readonly string[]> {
  return (await desk.services.audit.read({ operation })).map(({ kind }) => kind);
}

test("An allowance whose template asks for two opens with the second approval, and what it opens is no longer than asked", async () => {
  const { operation: id = "" } = await desk.type(`${toBank(1)} for 20m the bank moved`);
  const waiting = await desk.press("confirm", id);
  expect(wordsIn(waiting)).toMatch(/2 other people, of slack:T1\/U2, slack:T1\/U3, with the right approve in payments/);
  expect(await desk.press("approve", id, { principal: bob })).toMatchObject({ outcome: "needs-approval" });
  expect(written(id)).toBe(0);
  const open = await desk.press("approve", id, { principal: carol });
  expect(open.headline).toMatch(/^OPEN until /);
  expect(written(id)).toBe(1);
  expect(await kinds(id)).toEqual(["approval-asked", "approved", "approved", "intent", "outcome"]);
});

test("A template that was edited between request and approval voids it, with both versions", async () => {
  const { operation: id = "" } = await desk.type(toBank(2));
  await desk.press("confirm", id);
  await desk.press("approve", id, { principal: bob });
  template = egress({ widest: 23 });
  const voided = await desk.press("approve", id, { principal: carol });
  expect(voided.headline).toBe("Void: allow egress in namespace payments");
  expect(wordsIn(voided)).toMatch(/Template egress was edited: it was version \w+ and is \w+ now/);
  expect(written(id)).toBe(0);
  expect(await kinds(id)).toEqual(["approval-asked", "approved", "void"]);
  template = egress();
});

test("A policy of somebody else's that would open the same by then voids it", async () => {
  const { operation: id = "" } = await desk.type(toBank(3));
  await desk.press("confirm", id);
  const spec = { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: "198.51.3.0/24" } }] }] };
  const metadata = { name: "meanwhile", namespace: "payments" };
  desk.sandbox.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec });
  const voided = await desk.press("approve", id, { principal: bob });
  expect(voided.headline).toMatch(/^Void/);
  expect(wordsIn(voided)).toMatch(/It would be refused now: /);
  expect(written(id)).toBe(0);
});

test("What was approved and did not begin at once is void: an approval is for then", async () => {
  const { operation: id = "" } = await desk.type(toBank(6));
  await desk.press("confirm", id);
  await desk.press("approve", id, { principal: bob });
  const append: Services["audit"]["append"] = () => new Promise<never>(() => undefined);
  const dying = createDesk({ ...desk.services, audit: { ...desk.services.audit, append } });
  void dying.press({ ...desk.request("", carol), action: "approve", operation: id, card: undefined }, desk.outlet);
  await waitFor(async () => (await current(id)).state === "running");
  desk.pass(61_000);
  await desk.redis.zadd("{bulkhead}:leases", "0", id);
  const takeover = createTakeover(desk.services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
  expect((await current(id)).result?.headline).toBe("Void: allow egress in namespace payments");
  expect(written(id)).toBe(0);
  expect(await kinds(id)).toEqual(["approval-asked", "approved", "approved", "void"]);
});

test("Break-glass needs its right, a reason and a short time, asks twice, and calls all who could have approved", async () => {
  const glass = (rest: string, who?: Principal) => desk.type(`${toBank(4)} ${rest} --break-glass`, who);
  expect(wordsIn(await glass("for 10m the bank has moved", dave))).toMatch(/lets slack:T1\/U4 break-glass/);
  expect(wordsIn(await glass("for 10m urgent"))).toMatch(/a reason of at least 10 characters/);
  expect(wordsIn(await glass("for 16m the bank has moved"))).toMatch(/more than the 15m for which it may be opened/);
  const planned = await glass("the bank has moved");
  const id = planned.operation ?? "";
  expect((await current(id)).allowance).toEqual({ ttlSeconds: 900, maxSeconds: 900 });
  expect(await desk.press("confirm", id, { principal: dave })).toMatchObject({ outcome: "refused" });
  const question = await desk.press("confirm", id);
  expect(wordsIn(question)).toMatch(/without anybody's agreement.*needing a review until another person signs it/);
  desk.shown.length = 0;
  const open = await desk.press("confirm-again", id);
  expect(open.headline).toMatch(/^OPEN until /);
  const call = desk.shown.find(({ reply }) => reply.mentions !== undefined)?.reply;
  expect(call?.mentions).toEqual(["slack:T1/U2", "slack:T1/U3"]);
  expect(wordsIn(call!)).toContain("acts without the approval of others: the bank has moved");

  expect(wordsIn(open)).toContain(
    `NEEDS REVIEW (break-glass): somebody else with the right approve types /np review ${id}`,
  );
  const status = async () => wordsIn(await desk.type("status payments"));
  expect(await status()).toMatch(new RegExp(`${id}: .*NEEDS REVIEW \\(break-glass\\)`));
  expect(wordsIn(await desk.type(`review ${id} it was me`))).toMatch(/is, or looks like, whoever asked/);
  expect(wordsIn(await desk.type(`review ${id} looks fine`, dave))).toMatch(/No rule of the access section lets/);
  expect(await desk.type(`review ${id}`, bob)).toMatchObject({ outcome: "usage" });
  const signed = await desk.type(`review ${id} the failover needed it`, bob);
  expect(signed.headline).toBe(`Reviewed: ${id}`);
  expect(await status()).not.toContain("NEEDS REVIEW");
  expect(wordsIn(await desk.press("show", id))).toMatch(/Reviewed by bob \(U2\) at .*: the failover needed it/);
  expect(wordsIn(await desk.type(`review ${id} me too`, carol))).toMatch(/was reviewed by bob \(U2\) already/);
  expect(await kinds(id)).toEqual(["intent", "outcome", "reviewed"]);
});

test("What a template wants reviewed after its end stays on status from its end on until somebody signs it", async () => {
  template = { ...egress({ review: true }), approvals: { count: 0, from: [] } };
  const { operation: id = "" } = await desk.type(`${toBank(5)} for 20m the bank moved`);
  await desk.press("confirm", id);
  expect(wordsIn(await desk.type(`review ${id} fine`, bob))).toMatch(/has not ended yet/);
  const open = await current(id);
  const ended = { at: desk.services.now(), lateMs: 0, why: "ended" } as const;
  await desk.services.operations.replace({ ...open, state: "done", allowance: { ...open.allowance!, ended } });
  expect(wordsIn(await desk.type("status payments"))).toMatch(new RegExp(`${id}: .*NEEDS REVIEW`));
  expect(await desk.type(`review ${id} all as planned`, bob)).toMatchObject({ outcome: "ok" });
  expect(wordsIn(await desk.type("status payments"))).not.toContain("NEEDS REVIEW");
});
