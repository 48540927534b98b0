import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { actUndo } from "../../src/commands/act-undo.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Freshness } from "../../src/kubernetes/cluster.ts";
import type { UndoPlan } from "../../src/policy/undo-plan.ts";
import { bob, wordsIn } from "./desk.ts";
import { confirmAll, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

const both = [
  ["one", "payments"],
  ["two", "shop"],
] as const;

let desk: UndoDesk;
let round = 0;
beforeAll(async () => {
  desk = await startUndoDesk({
    settings: {
      rollbackApprovals: 1,
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "shop"] },
          { principals: ["slack:T1/U2"], verbs: ["status", "approve"], namespaces: ["payments", "shop"] },
        ],
        people: [],
      },
    },
  });
});
afterAll(() => desk.close());

/** Each has two policies of its own that somebody shut. */
beforeEach(async () => {
  for (const { metadata } of desk.sandbox.objects("NetworkPolicy")) {
    const { namespace = "", name } = metadata;
    await desk.send("DELETE", `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`);
  }
  round += 1;
  for (const [name, namespace] of both) await desk.change(`${name}-${round}`, open, { namespace });
  desk.pass(60_000);
  for (const [name, namespace] of both) await desk.change(`${name}-${round}`, shut, { namespace });
});

/** Both are opened again, in this order. */
const planned = () => desk.type("rollback --since 30s");
const specs = () => both.map(([name, namespace]) => desk.image(`${name}-${round}`, namespace)?.spec);

const lockdown = (namespace: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: {
    name: "bulkhead-l-1234567",
    namespace,
    labels: { "bulkhead.dev/kind": "lockdown", "bulkhead.dev/operation": "l-1234567" },
  },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});
/** Carries the plan out as confirmed so long ago, by whoever took it over; `after` each step. */
async function act(reply: Reply, agoMs: number, after: (written: number) => void = () => undefined) {
  const operation = (await desk.services.operations.get(reply.operation ?? ""))!;
  const at = desk.services.now();
  const steps = [...operation.steps, { step: "taken over by other", at }];
  const confirmed = { by: operation.principal, at: at - agoMs, attempt: 1 };
  const plan = operation.plan as UndoPlan;
  let written = 0;
  const done = (step: string): Promise<void> => {
    if (step.startsWith("change ")) after((written += 1));
    return Promise.resolve();
  };
  const doing = { hold: { check: () => Promise.resolve(), owe: () => undefined, lease: undefined }, done };
  const running = { ...operation, state: "running" as const, steps, confirmed };
  return { plan, ended: await actUndo({ services: desk.services, outlet: desk.outlet }, running, plan, doing) };
}

test("What was taken over more than a minute after it was confirmed does not go on, and what is written is told", async () => {
  const { ended } = await act(await planned(), 61_000);
  expect(ended).toMatchObject({
    state: "failed",
    headline: "Not rolled back: it was confirmed too long ago to go on now",
  });
  expect(specs()).toEqual([shut, shut]);
});

test("What is cut off while it is being written stops it before the next write", async () => {
  const reply = await planned();
  const { plan, ended } = await act(reply, 0, (written) => {
    if (written === 1) desk.sandbox.apply(lockdown("payments"), lockdown("shop"));
  });
  const [first, second] = plan.writes.map(({ to }) => to!.metadata);
  expect(ended.headline).toMatch(/^HALF ROLLED BACK: NetworkPolicy .* would let something through/);
  expect(ended.lines.join()).toContain("Release that first: /np release l-1234567");
  expect(desk.image(first!.name, first!.namespace)?.spec).toEqual(open);
  expect(desk.image(second!.name, second!.namespace)?.spec).toEqual(shut);
});

test("What is cut off at the same time as the last write is told, with how to take that back", async () => {
  const reply = await planned();
  const { plan, ended } = await act(reply, 0, (written) => {
    if (written === 2) desk.sandbox.apply(lockdown("payments"));
  });
  expect(plan.writes).toHaveLength(2);
  expect(ended).toMatchObject({ ok: false, tone: "bad" });
  expect(ended.headline).toMatch(/^ROLLED BACK, AND OPEN TO WHAT IS CUT OFF/);
  expect(ended.lines[0]).toContain(`/np rollback ${reply.operation} takes this back`);
});

test("Confirm reads every namespace anew in which something is written, and approval looks at all rights again", async () => {
  const cluster = desk.services.clusters.get("sandbox")!.cluster;
  const facts = cluster.facts.bind(cluster);
  const read: string[] = [];
  Object.assign(cluster, {
    facts: (namespace: string | undefined, from: string) => {
      read.push(`${namespace} ${from}`);
      return facts(namespace, from as Freshness);
    },
  });
  const reply = await planned();
  read.length = 0;
  expect((await confirmAll(desk, reply)).outcome).toBe("needs-approval");
  expect(read).toEqual(expect.arrayContaining(["payments recent", "shop recent"]));
  Object.assign(cluster, { facts });
  const { settings } = desk.services;
  const { access } = settings;
  const [alice, ...others] = access.rules;
  const verbs = ["status", "rollback"] as const;
  Object.assign(settings, { access: { ...access, rules: [{ ...alice, verbs }, ...others] } });
  try {
    const voided = await desk.press("approve", reply.operation, { principal: bob });
    expect(wordsIn(voided)).toContain("may not do it any more: it opens connections");
    expect(specs()).toEqual([shut, shut]);
  } finally {
    Object.assign(settings, { access });
  }
});
