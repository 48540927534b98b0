import { afterAll, beforeAll, expect, test } from "vitest";
import { allowTemplate } from "./allow-template.ts";
import { wordsIn } from "./desk.ts";
import { confirmAll, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

const template = allowTemplate(
  "egress",
  `parameters:
  workload: { type: workload, about: whose pods may connect }
  cidr: { type: cidr, widest: { ipv4: 24 }, about: where to }
opens:
  - { from: { workload: $workload }, to: { cidr: $cidr }, ports: [{ port: 443, protocol: TCP }] }`,
);

let desk: UndoDesk;
beforeAll(async () => {
  desk = await startUndoDesk({ services: { templates: { all: () => [template], problems: () => [] } } });
  const app = { matchLabels: { app: "web" } };
  desk.sandbox.apply(
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", namespace: "payments" },
      spec: {
        selector: app,
        template: { metadata: { labels: app.matchLabels }, spec: { containers: [{ name: "main", image: "x" }] } },
      },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web-1", namespace: "payments", labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.0.0.9" },
    },
  );
});
afterAll(() => desk.close());

const pod = (name: string) => desk.sandbox.objects("Pod", "payments").find(({ metadata }) => metadata.name === name);
const record = async (id: string) => (await desk.services.operations.get(id))!;

test("A quarantine is undone by its release, the release by the same quarantine, and that again by its release", async () => {
  const labels = pod("checkout-1")?.metadata.labels;
  const q = (await desk.roll("quarantine payments/checkout-1 odd")).operation!;
  expect(pod("checkout-1")?.metadata.labels).toHaveProperty(["bulkhead.dev/quarantine"], q);
  const released = await desk.roll(`rollback ${q} false alarm`);
  expect(released.headline).toBe("Released: payments/checkout-1");
  expect(released.operation).toMatch(/^r-/);
  expect(pod("checkout-1")?.metadata.labels).toEqual(labels);
  const again = await desk.roll(`rollback ${released.operation} it was none`);
  expect(again.operation).toMatch(/^q-/);
  expect(await record(again.operation!)).toMatchObject({
    kind: "quarantine",
    state: "in-force",
    reason: "it was none",
  });
  expect((await desk.roll(`rollback ${again.operation}`)).headline).toBe("Released: payments/checkout-1");
  expect(pod("checkout-1")?.metadata.labels).toEqual(labels);
  expect(wordsIn(await desk.type(`rollback ${q}`))).toContain("was released already");
});

test("A lockdown is undone by its release, and comes back only with the namespace's name", async () => {
  const l = (await desk.roll("lockdown payments --confirm payments")).operation!;
  expect(await record(l)).toMatchObject({ state: "in-force" });
  const released = await desk.roll(`rollback ${l}`);
  expect(released.headline).toBe("Released: namespace payments");
  expect((await desk.type(`rollback ${released.operation}`)).outcome).toBe("refused");
  const again = await desk.roll(`rollback ${released.operation} --confirm payments`);
  expect(await record(again.operation!)).toMatchObject({ kind: "lockdown", state: "in-force" });
  expect((await desk.roll(`release ${again.operation}`)).headline).toBe("Released: namespace payments");
});

test("The objects of a quarantine are never a candidate, and not undone past their release", async () => {
  const change = await desk.change("later", shut, { namespace: "shop" });
  const q = (await desk.roll("quarantine payments/checkout-1 odd")).operation!;
  const [made] = await desk.history.list({ namespace: "payments", name: `bulkhead-${q}`, limit: 1 });
  expect(wordsIn(await desk.type(`rollback ${made?.id ?? "v-none"}`))).toContain(`Type: /np rollback ${q}`);
  expect(wordsIn(await desk.type("rollback --dry-run"))).toContain(change.id);
  // Nothing that lets the pod talk comes back while it is cut off.
  await desk.change("wide", open);
  const gone = await desk.change("wide", undefined);
  expect(wordsIn(await desk.type(`rollback ${gone.id}`))).toContain(`which ${q} has cut off`);
  await desk.roll(`release ${q}`);
  expect((await desk.roll(`rollback ${gone.id}`)).headline).toMatch(/^Rolled back/);
  await desk.change("wide", undefined);
});

test("The last extension of an allowance is taken back: the old end is back in the record, on the objects and on the card", async () => {
  await desk.change("closed", { podSelector: {}, policyTypes: ["Egress"] });
  const planned = await desk.type("allow egress workload=payments/deploy/web cidr=198.51.100.0/24 for 30m it moved");
  const id = planned.operation ?? "";
  expect((await confirmAll(desk, planned)).headline).toMatch(/^OPEN until/);
  const before = await record(id);
  const ttls = () =>
    desk.sandbox
      .objects("NetworkPolicy", "payments")
      .filter(({ metadata }) => metadata.labels?.["bulkhead.dev/operation"] === id)
      .map(({ metadata }) => metadata.annotations?.["bulkhead.dev/ttl-seconds"]);
  await desk.type(`extend ${id} 20m`);
  await desk.type(`extend ${id} 30m`);
  expect((await record(id)).allowance?.ttlSeconds).toBe(4_800);
  // A beginning of its id does.
  expect((await desk.type(`rollback ${id.slice(0, 7)} too long`)).headline).toMatch(
    /^Extension taken back: a-.* holds until/,
  );
  expect([(await record(id)).allowance?.ttlSeconds, ttls()]).toEqual([3_000, ["3000"]]);
  expect((await desk.type(`rollback ${id}`)).headline).toMatch(/^Extension taken back/);
  const after = await record(id);
  expect(ttls()).toEqual(["1800"]);
  expect(after.allowance).toEqual({ ...before.allowance, extensions: [] });
  expect(after.result?.headline).toBe(before.result?.headline);
  const entries = await desk.services.audit.read({ operation: id });
  expect(entries.filter(({ verb }) => verb === "rollback").map(({ kind }) => kind)).toEqual([
    "intent",
    "outcome",
    "intent",
    "outcome",
  ]);
  // Without an extension it ends, and what has ended comes back only by asking.
  expect((await desk.type(`rollback ${id}`)).headline).toMatch(/^CLOSED/);
  expect(ttls()).toEqual([]);
  const ended = await desk.type(`rollback ${id}`);
  expect(ended.outcome).toBe("refused");
  const typed = /Type: \/np ([^"]*?)"/.exec(wordsIn(ended))?.[1];
  expect(typed).toBe("allow egress workload=payments/deployment/web cidr=198.51.100.0/24 for 1800s");
  expect((await desk.type(`${typed} it moved again`)).headline).toMatch(/^Plan: allow egress/);
});
