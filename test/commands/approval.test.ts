import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expireRequests } from "../../src/commands/expire-requests.ts";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import type { Operation } from "../../src/policy/operation.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
/** The last entry of the log before the test. */
let before = 0;

const minute = 60_000;
const person = (user: string, displayName: string, team = "T1", groups: readonly string[] = []): Principal => {
  return { kind: "slack", enterprise: team === "T1" ? undefined : "E1", team, user, displayName, groups };
};
const carol = person("U3", "carol");
const dave = person("U4", "dave");

beforeAll(async () => {
  desk = await startDesk({ settings: { access: access(), limits: { pods: 1, perPerson: 1_000, perCluster: 1_000 } } });
  desk.sandbox.apply(
    ...["payments", "kube-system"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "checkout", namespace: "payments" },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "checkout" } },
        template: { metadata: { labels: { app: "checkout" } }, spec: { containers: [{ name: "main", image: "x" }] } },
      },
    },
    pod("payments", "checkout-1"),
    pod("payments", "checkout-2"),
    pod("kube-system", "exporter-1"),
  );
});

/** What the test before left open expires, and what it wrote is gone. */
beforeEach(async () => {
  desk.pass(16 * minute);
  await expireRequests(desk.services, () => desk.outlet);
  const { cluster } = [...desk.services.clusters.values()][0]!;
  for (const { metadata } of policies()) {
    const { uid, resourceVersion, name } = metadata;
    const reference = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: "payments", name },
    };
    await cluster.deleteObject(reference, { uid, resourceVersion });
  }
  before = (await desk.services.audit.head()).seq;
  desk.shown.length = 0;
});

afterAll(() => desk.close());

function access(): Services["settings"]["access"] {
  return {
    rules: [
      { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "kube-system"] },
      { principals: ["slack:T1/U2", "slack:T1/U3", "person:erin"], verbs: ["approve", "status"], namespaces: ["*"] },
      { principals: ["slack:T9/U1", "terminal:frank"], verbs: ["*"], namespaces: ["*"] },
      { principals: ["in-pod"], verbs: ["*"], namespaces: ["*"] },
      { principals: ["slack:T1/U4"], verbs: ["quarantine"], namespaces: ["payments"] },
    ],
    people: [
      { name: "alice", ids: ["slack:T1/U1", "slack:T2/U77"] },
      { name: "erin", ids: ["slack:T1/U5", "terminal:erin"] },
    ],
  };
}

function pod(namespace: string, name: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: name.replace(/-\d$/, "") } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

/** Two pods at once where one is the most: a plan that needs another person. */
async function asked(needed = 1): Promise<string> {
  const { operation = "" } = await desk.type("quarantine payments/deploy/checkout --override they talk to strangers");
  const reply = await desk.press("confirm", operation);
  expect(reply).toMatchObject({ outcome: "needs-approval" });
  if (needed === 1) return operation;
  // No guard rail asks for two: what a template asks for is stored the same.
  const stored = await current(operation);
  if (stored.approval === undefined) throw new Error("no approval");
  await desk.services.operations.replace({ ...stored, approval: { ...stored.approval, needed } });
  return operation;
}

async function current(id: string): Promise<Operation> {
  const operation = await desk.services.operations.get(id);
  if (operation === undefined) throw new Error(`${id} is not stored`);
  return operation;
}

const policies = () => desk.sandbox.objects("NetworkPolicy", "payments");

async function entries(operation: string): Promise<readonly string[]> {
  const all = await desk.services.audit.read({ operation });
  return all.map(({ kind, actor }) => `${kind} ${actor.kind === "slack" ? actor.user : actor.kind}`);
}

async function refusals(): Promise<readonly string[]> {
  const all = await desk.services.audit.read({});
  return all.filter(({ kind, seq }) => kind === "refusal" && seq > before).map(({ summary }) => summary);
}

test("What a guard rail refuses names the override; its plan asks for approval, and another person's starts the work", async () => {
  const refused = await desk.type("quarantine payments/deploy/checkout");
  expect(wordsIn(refused)).toContain("/np quarantine sandbox:payments/deployment/checkout --override");
  const plan = await desk.type("quarantine payments/deploy/checkout --override they talk to strangers");
  expect(plan.buttons.map(({ label }) => label)).toEqual(["Ask for approval", "Cancel"]);
  expect(wordsIn(plan)).toContain("more than 1 pods at once");
  const waiting = await desk.press("confirm", plan.operation);
  expect(waiting.headline).toBe("Waiting for approval: quarantine payments/deployment/checkout");
  expect(waiting.buttons.map(({ label }) => label)).toEqual(["Approve", "Deny", "Cancel"]);
  expect(wordsIn(waiting)).toMatch(/Needs the agreement of 1 other person with the right approve.*Expires at /);
  expect(policies()).toEqual([]);
  const call = desk.shown.find(({ reply }) => reply.mentions !== undefined)?.reply;
  expect(call?.mentions).toEqual(["slack:T1/U2", "slack:T1/U3", "slack:T1/U5", "slack:T9/U1"]);

  const done = await desk.press("approve", plan.operation, { principal: bob });
  expect(done).toMatchObject({ outcome: "ok", headline: expect.stringContaining("ISOLATED") });
  expect(wordsIn(done)).toContain("Approved by bob (U2) at ");
  expect(policies()).toHaveLength(1);
  const id = plan.operation ?? "";
  expect(await entries(id)).toEqual(["approval-asked U1", "approved U2", "intent U1", "outcome U1"]);
  const [intent] = (await desk.services.audit.read({ operation: id })).filter(({ kind }) => kind === "intent");
  expect(intent?.summary).toMatch(/asked for by alice \(U1\), approved by bob \(U2\)/);
  expect((await current(id)).confirmed?.by).toMatchObject({ user: "U1" });
});

test("A protected namespace needs the same, and Bulkhead's own is never overridden", async () => {
  expect(wordsIn(await desk.type("quarantine kube-system/exporter-1"))).toMatch(/is protected.*--override/);
  const { operation } = await desk.type("quarantine kube-system/exporter-1 --override");
  await desk.press("confirm", operation);
  const done = await desk.press("approve", operation, { principal: carol });
  expect(done).toMatchObject({ outcome: "ok" });
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "bulkhead" } }, pod("bulkhead", "bot-1"));
  const frank: Principal = { kind: "terminal", user: "frank", source: "self-subject-review" };
  expect(wordsIn(await desk.type("quarantine bulkhead/bot-1 --override", frank))).toContain("own namespace");
});

test("Two approvers at the same instant on two replicas both count, and the work begins once", async () => {
  const id = await asked(2);
  const replica = createDesk({ ...desk.services, replica: "other" });
  const press = (principal: Principal) => ({
    ...desk.request("", principal),
    action: "approve",
    operation: id,
    card: undefined,
  });
  const replies = await Promise.all([
    desk.desk.press(press(bob), desk.outlet),
    replica.press(press(carol), desk.outlet),
  ]);
  expect(replies.map(({ outcome }) => outcome).toSorted()).toEqual(["needs-approval", "ok"]);
  const { state, approval, steps } = await current(id);
  expect(state).toBe("in-force");
  expect(approval?.given).toHaveLength(2);
  expect(steps.filter(({ step }) => step === "confirmed")).toHaveLength(1);
  const written = (await entries(id)).toSorted();
  expect(written).toEqual(["approval-asked U1", "approved U2", "approved U3", "intent U1", "outcome U1"]);
});

test("Where one is enough, the second of two at the same instant is told that it is past that", async () => {
  const id = await asked();
  const replies = await Promise.all([bob, carol].map((principal) => desk.press("approve", id, { principal })));
  expect(replies.filter(({ headline }) => headline.startsWith("ISOLATED")).length).toBeGreaterThan(0);
  expect((await current(id)).approval?.given).toHaveLength(1);
  expect((await entries(id)).filter((entry) => entry.startsWith("intent"))).toHaveLength(1);
});

test("Denied stays denied: nothing is written, the card says who, and an Approve after it is in the log", async () => {
  const id = await asked();
  const denied = await desk.press("deny", id, { principal: bob });
  expect(denied.headline).toBe("Denied by bob (U2): quarantine payments/deployment/checkout");
  expect(wordsIn(denied)).toContain("To ask again, type it again: /np quarantine payments/deploy/checkout --override");
  expect(denied.buttons).toEqual([]);
  const late = await desk.press("approve", id, { principal: carol });
  expect(late.headline).toBe(denied.headline);
  expect(policies()).toEqual([]);
  expect(await entries(id)).toEqual(["approval-asked U1", "denied U2"]);
  expect(await refusals()).toEqual([expect.stringContaining("nothing is to be approved there: Denied by bob")]);
  expect(desk.shown.findLast(({ reply }) => reply.mentions !== undefined)?.reply.mentions).toEqual(["slack:T1/U1"]);
});

test("After its time a request cannot be approved, whether the sweep or an approver comes first", async () => {
  const [first, second] = [await asked(), await asked()];
  desk.pass(15 * minute - 5_000);
  expect(await expireRequests(desk.services, () => desk.outlet)).toBe(0);
  desk.pass(5_000);
  const late = await desk.press("approve", first, { principal: bob });
  expect(wordsIn(late)).toMatch(/The request expired at .*type it again/);
  const sweeps = await Promise.all([1, 2].map(() => expireRequests(desk.services, () => desk.outlet)));
  expect(sweeps[0]! + sweeps[1]!).toBe(1);
  expect(desk.shown.some(({ reply }) => reply.operation === second && reply.headline.startsWith("Expired"))).toBe(true);
  expect(wordsIn(await desk.press("approve", second, { principal: bob }))).toContain("Expired");
  for (const id of [first, second]) expect(await entries(id)).toEqual(["approval-asked U1", "expired scheduler"]);
  expect(policies()).toEqual([]);
  expect(await refusals()).toHaveLength(2);
});

describe("Nobody agrees to what they asked for themselves:", () => {
  test.each<[string, Principal, RegExp]>([
    ["the requester", person("U1", "alice"), /is, or looks like, whoever asked/],
    ["a mapped id of another workspace of the Grid", person("U77", "somebody", "T2"), /does nothing for you/],
    ["an id of the Grid that is mapped to nobody and looks the same", person("U1", "someone", "T9"), /looks like/],
    ["who shares the container", { kind: "in-pod" }, /everybody is the one principal/],
    [
      "a terminal whose name only configuration gives",
      { kind: "terminal", user: "frank", source: "configured" },
      /has not confirmed who you are/,
    ],
  ])("%s", async (_, principal, why) => {
    const id = await asked();
    const refused = await desk.press("approve", id, { principal });
    expect(refused).toMatchObject({ outcome: "refused" });
    expect(wordsIn(refused)).toMatch(why);
    expect(policies()).toEqual([]);
    expect(await entries(id)).toEqual(["approval-asked U1"]);
    expect(await refusals()).toHaveLength(1);
    expect((await current(id)).state).toBe("awaiting-approval");
  });

  test("a mapped id of another workspace that has the right", async () => {
    const rules = [...access().rules, { principals: ["slack:T2/U77"], verbs: ["approve"], namespaces: ["*"] } as const];
    const services = { ...desk.services, settings: { ...desk.services.settings, access: { ...access(), rules } } };
    const id = await asked();
    const press = {
      ...desk.request("", person("U77", "somebody", "T2")),
      action: "approve",
      operation: id,
      card: undefined,
    };
    expect(wordsIn(await createDesk(services).press(press, desk.outlet))).toMatch(/looks like, whoever asked/);
  });
});

test("One person counts once, with whichever of their ids, and who is not of the group that was named does not count", async () => {
  const id = await asked(2);
  expect(await desk.press("approve", id, { principal: person("U5", "erin") })).toMatchObject({
    outcome: "needs-approval",
  });
  const again = await desk.type(`approve ${id}`, { kind: "terminal", user: "erin", source: "self-subject-review" });
  expect(wordsIn(again)).toMatch(/has approved it already/);
  const stored = await current(id);
  await desk.services.operations.replace({ ...stored, approval: { ...stored.approval!, from: ["slack:T1/U3"] } });
  expect(wordsIn(await desk.press("approve", id, { principal: bob }))).toContain("nly these count for it: slack:T1/U3");
  expect(wordsIn(await desk.press("deny", id, { principal: bob }))).toContain("nly these count");
  expect(await desk.press("approve", id, { principal: carol })).toMatchObject({ outcome: "ok" });
  expect(await entries(id)).toEqual(["approval-asked U1", "approved U5", "approved U3", "intent U1", "outcome U1"]);
});

test("A policy that came between request and approval voids the request, which says what changed; nothing is written", async () => {
  const id = await asked();
  desk.sandbox.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "sneaky", namespace: "payments" },
    spec: { podSelector: { matchLabels: { app: "checkout" } }, policyTypes: ["Egress"], egress: [{}] },
  });
  const voided = await desk.press("approve", id, { principal: bob });
  expect(voided.headline).toBe("Void: quarantine payments/deployment/checkout");
  expect(wordsIn(voided)).toMatch(/It would leave open now: sneaky: .*Nothing was written.*type it again/);
  expect(policies().map(({ metadata }) => metadata.name)).toEqual(["sneaky"]);
  expect(await entries(id)).toEqual(["approval-asked U1", "void scheduler"]);
  expect(wordsIn(await desk.press("approve", id, { principal: carol }))).toContain("Void");
  expect(policies()).toHaveLength(1);
});

test("Where whoever asked has lost the right meanwhile, the request is void", async () => {
  const id = await asked();
  const rules = access().rules.slice(1);
  const services = { ...desk.services, settings: { ...desk.services.settings, access: { ...access(), rules } } };
  const press = { ...desk.request("", bob), action: "approve", operation: id, card: undefined };
  const voided = await createDesk(services).press(press, desk.outlet);
  expect(wordsIn(voided)).toMatch(/alice \(U1\) may not do it any more/);
  expect(policies()).toEqual([]);
});

test("Only whoever asked can ask for the approval and cancel it", async () => {
  const { operation = "" } = await desk.type("quarantine payments/deploy/checkout --override");
  const asOther = await desk.press("confirm", operation, { principal: dave });
  expect(wordsIn(asOther)).toMatch(/nly alice \(U1\), who asked for/);
  await desk.press("confirm", operation);
  expect(wordsIn(await desk.press("cancel", operation, { principal: dave }))).toMatch(/nly alice \(U1\)/);
  const withdrawn = await desk.press("cancel", operation);
  expect(withdrawn.headline).toMatch(/^Withdrawn by alice/);
  expect(await entries(operation)).toEqual(["approval-asked U1", "withdrawn U1"]);
  expect(wordsIn(await desk.press("approve", operation, { principal: bob }))).toContain("Withdrawn by alice");
});

test("A request from the container, where nobody can be told from another, is not made", async () => {
  const { operation = "" } = await desk.type("quarantine payments/deploy/checkout --override", { kind: "in-pod" });
  const reply = await desk.press("confirm", operation, { principal: { kind: "in-pod" } });
  expect(wordsIn(reply)).toMatch(/here everybody is the same/);
  expect((await current(operation)).state).toBe("planned");
});

test("Typed, approve and deny do what the buttons do, show the plan alone with --dry-run, and know no hidden operation", async () => {
  const [id, other] = [await asked(), await asked()];
  const shown = await desk.type(`approve ${id} --dry-run`, bob);
  expect(wordsIn(shown)).toContain("What will be written");
  expect((await current(id)).approval?.given).toEqual([]);
  expect(wordsIn(await desk.type("approve q-zzzzzzz", bob))).toContain("There is no operation q-zzzzzzz");
  expect(wordsIn(await desk.type(`deny ${id}`, dave))).toMatch(
    /No rule of the access section lets slack:T1\/U4 approve/,
  );
  expect((await desk.type(`deny ${other}`, bob)).headline).toMatch(/^Denied by bob/);
  const done = await desk.type(`approve ${id.slice(0, 6)}`, {
    kind: "terminal",
    user: "erin",
    source: "client-certificate",
  });
  expect(done).toMatchObject({ outcome: "ok" });
});

test("What waits for approval is on status until it is decided", async () => {
  const id = await asked();
  expect(wordsIn(await desk.type("status payments"))).toMatch(
    new RegExp(`${id}: .*waits for approval \\(0 of 1, until `),
  );
  await desk.press("deny", id, { principal: bob });
  expect(wordsIn(await desk.type("status payments"))).not.toContain(id);
});

test("A replica that dies after the last approval was stored leaves work that another one finishes, once, with every entry", async () => {
  const id = await asked();
  const lost = new Promise<never>(() => undefined);
  const append: Services["audit"]["append"] = () => lost;
  const dying = createDesk({ ...desk.services, audit: { ...desk.services.audit, append } });
  const press = { ...desk.request("", bob), action: "approve", operation: id, card: undefined };
  void dying.press(press, desk.outlet);
  await waitFor(async () => (await current(id)).state === "running");
  for (const lease of await desk.redis.zrange("{bulkhead}:leases", "0", "-1"))
    await desk.redis.zadd("{bulkhead}:leases", "0", lease);
  const takeover = createTakeover(desk.services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
  expect((await current(id)).state).toBe("in-force");
  expect(await entries(id)).toEqual(["approval-asked U1", "approved U2", "intent U1", "outcome U1"]);
});

test("Nobody is asked while nothing can be counted: the plan stays", async () => {
  const { operation = "" } = await desk.type("quarantine payments/deploy/checkout --override");
  const press = { ...desk.request(""), action: "confirm", operation, card: undefined };
  const { audit } = desk.services;
  const appends: readonly Services["audit"]["append"][] = [
    () => Promise.reject(new Error("Redis does not answer")),
    () => Promise.resolve({ kind: "pending", id: "x" }),
  ];
  for (const [index, append] of appends.entries()) {
    const away = createDesk({ ...desk.services, audit: { ...audit, append } });
    const reply = await away.press({ ...press, delivery: `away ${index}` }, desk.outlet);
    expect(wordsIn(reply)).toContain("counted where Redis is, which does not answer");
    expect((await current(operation)).state).toBe("planned");
  }
  expect(await desk.press("confirm", operation)).toMatchObject({ outcome: "needs-approval" });
});
