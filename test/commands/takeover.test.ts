// oxlint-disable typescript/unbound-method -- what is wrapped here are plain functions in objects
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import type { Operation } from "../../src/policy/operation.ts";
import { waitFor } from "../wait.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";
import { type Death, mortal } from "./mortal.ts";

let desk: TestDesk;
let pods = 0;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "ciliumnetworkpolicies.cilium.io" },
      spec: {
        group: "cilium.io",
        scope: "Namespaced",
        names: { plural: "ciliumnetworkpolicies", singular: "ciliumnetworkpolicy", kind: "CiliumNetworkPolicy" },
        versions: [
          {
            name: "v2",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
  );
  // Else the first would be the last ready replica, which needs its name.
  newPod();
});

afterAll(() => desk.close());

/** A pod of its own for each run. */
function newPod(): string {
  pods += 1;
  const name = `checkout-${pods}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: { app: "checkout", tier: `t${pods}` } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  return name;
}

/** All leases lapse at once, and another replica sweeps. */
async function otherReplica(services = desk.services): Promise<void> {
  for (const id of await desk.redis.zrange("{bulkhead}:leases", "0", "-1"))
    await desk.redis.zadd("{bulkhead}:leases", "0", id);
  const takeover = createTakeover(services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
}

async function current(id: string): Promise<Operation> {
  const operation = await desk.services.operations.get(id);
  if (operation === undefined) throw new Error(`${id} is not stored`);
  return operation;
}

/** Types the command and presses Confirm at a replica that dies on the way; the others finish it. Returns its calls. */
async function through(text: string, death: Death | undefined): Promise<{ calls: readonly string[]; id: string }> {
  const replica = mortal(desk.services, desk.outlet, death);
  const dying = createDesk(replica.services);
  const request = desk.request(text);
  const { operation: id = "" } = dying.understand(request);
  const press = (of: Operation) => ({
    ...desk.request(""),
    action: of.state === "awaiting-second" ? "confirm-again" : "confirm",
    operation: id,
    card: of.card,
  });
  await Promise.race([dying.run(request, replica.outlet), replica.dead]);
  if (replica.calls.length === death?.at) await otherReplica();
  if ((await desk.services.operations.get(id)) === undefined) await desk.desk.run(request, desk.outlet);
  const planned = await current(id);
  expect(planned.state).toBe("planned");
  expect(desk.shown.some(({ reply }) => reply.operation === id && reply.outcome === "needs-confirmation")).toBe(true);
  await Promise.race([dying.press(press(planned), replica.outlet), replica.dead]);
  const asked = await current(id);
  if (asked.state === "awaiting-second") await Promise.race([dying.press(press(asked), replica.outlet), replica.dead]);
  await otherReplica();
  for (let left = await current(id); isAsking(left); left = await current(id))
    await desk.desk.press(press(left), desk.outlet);
  return { calls: replica.calls, id };
}

function isAsking({ state }: Operation): boolean {
  return state === "planned" || state === "awaiting-second";
}

async function expectOnce(id: string): Promise<void> {
  const entries = await desk.services.audit.read({ operation: id });
  expect(entries.map(({ kind, ok }) => ({ kind, ok }))).toEqual([
    { kind: "intent", ok: undefined },
    { kind: "outcome", ok: true },
  ]);
  expect(await desk.redis.zscore("{bulkhead}:leases", id)).toBeNull();
  const last = desk.shown.findLast(({ reply }) => reply.operation === id)?.reply;
  expect(last?.headline).toBe((await current(id)).result?.headline);
}

async function quarantined(pod: string, death: Death | undefined): Promise<readonly string[]> {
  const { calls, id } = await through(`quarantine payments/${pod} odd traffic`, death);
  expect(await current(id)).toMatchObject({ state: "in-force", result: { tone: "good" } });
  expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toMatchObject({ "bulkhead.dev/quarantine": id });
  expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).not.toHaveProperty("app");
  await expectOnce(id);
  return calls;
}

async function released(pod: string, death: Death | undefined): Promise<readonly string[]> {
  const before = stored(desk.sandbox, "Pod", pod)?.metadata.labels;
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  await desk.press("confirm", q);
  const { calls, id } = await through(`release ${q}`, death);
  expect(await current(id)).toMatchObject({ state: "done", result: { tone: "good" } });
  expect(await current(q)).toMatchObject({ state: "done", liftedBy: id });
  expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual(before);
  expect(
    desk.sandbox
      .objects("NetworkPolicy", "payments")
      .filter(({ metadata }) => metadata.labels?.["bulkhead.dev/operation"] === q),
  ).toEqual([]);
  await expectOnce(id);
  return calls;
}

/** A pod under a policy that lets everything through to every pod of its namespace. */
function openPod(): string {
  pods += 1;
  const name = `open-${pods}`;
  desk.sandbox.apply(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: "shop", labels: { app: "cart" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running" },
    },
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: openAll.metadata, spec: openAll.spec },
  );
  return name;
}

const openAll = {
  metadata: { name: "allow-all", namespace: "shop" },
  spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
};

/** With what an engine writes beside the NetworkPolicy, and a change to a policy of somebody else's. */
const withAll = (pod: string) => `quarantine shop/${pod} --engine cilium --change-policies`;

const selectorNow = () =>
  (stored(desk.sandbox, "NetworkPolicy", "allow-all", "shop")?.["spec"] as typeof openAll.spec | undefined)
    ?.podSelector;

const writtenIn = (id: string) =>
  ["NetworkPolicy", "CiliumNetworkPolicy"].flatMap((kind) =>
    desk.sandbox
      .objects(kind, "shop")
      .filter(({ metadata }) => metadata.labels?.["bulkhead.dev/operation"] === id)
      .map((object) => object.kind),
  );

async function quarantinedWithAll(_: string, death: Death | undefined): Promise<readonly string[]> {
  const { calls, id } = await through(withAll(openPod()), death);
  expect(await current(id)).toMatchObject({ state: "in-force" });
  expect(writtenIn(id)).toEqual(["NetworkPolicy", "CiliumNetworkPolicy"]);
  expect(selectorNow()).not.toEqual({});
  await expectOnce(id);
  const release = await desk.type(`release ${id}`);
  expect(await desk.press("confirm", release.operation)).toMatchObject({ outcome: "ok" });
  expect([writtenIn(id), selectorNow()]).toEqual([[], {}]);
  return calls;
}

async function releasedWithAll(_: string, death: Death | undefined): Promise<readonly string[]> {
  const pod = openPod();
  const { operation: q = "" } = await desk.type(withAll(pod));
  await desk.press("confirm", q);
  await desk.press("confirm-again", q);
  expect(writtenIn(q)).toHaveLength(2);
  const { calls, id } = await through(`release ${q}`, death);
  expect(await current(id)).toMatchObject({ state: "done", result: { tone: "good" } });
  expect([writtenIn(q), selectorNow()]).toEqual([[], {}]);
  expect(stored(desk.sandbox, "Pod", pod, "shop")?.metadata.labels).toEqual({ app: "cart" });
  await expectOnce(id);
  return calls;
}

const ours = (id: string) =>
  desk.sandbox
    .objects("NetworkPolicy", "payments")
    .filter(({ metadata }) => metadata.labels?.["bulkhead.dev/operation"] === id);

/** A workload of its own for each run, whose pods take no turn in the others. */
function newWorkload(): string {
  pods += 1;
  const name = `group-${pods}`;
  const labels = { group: name };
  desk.sandbox.apply({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name, namespace: "payments" },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } },
    },
  });
  return name;
}

async function contained(_: string, death: Death | undefined): Promise<readonly string[]> {
  const { calls, id } = await through(`quarantine payments/rs/${newWorkload()}`, death);
  expect(await current(id)).toMatchObject({ state: "in-force", result: { tone: "good" } });
  expect(ours(id)).toHaveLength(1);
  await expectOnce(id);
  return calls;
}

async function containedAndReleased(_: string, death: Death | undefined): Promise<readonly string[]> {
  const name = newWorkload();
  const { operation: q = "" } = await desk.type(`quarantine payments/rs/${name}`);
  await desk.press("confirm", q);
  const { calls, id } = await through(`release payments/rs/${name}`, death);
  expect(await current(id)).toMatchObject({ state: "done", result: { tone: "good" } });
  expect(await current(q)).toMatchObject({ state: "done", liftedBy: id });
  expect(ours(q)).toEqual([]);
  await expectOnce(id);
  return calls;
}

describe.each([
  { verb: "quarantine", go: quarantined, writes: "patchPod" },
  { verb: "release", go: released, writes: "patchPod" },
  { verb: "quarantine with an engine's deny and a changed policy", go: quarantinedWithAll, writes: "patchPolicy" },
  { verb: "release of such a one", go: releasedWithAll, writes: "patchPolicy" },
  { verb: "workload's quarantine", go: contained, writes: "createObject" },
  { verb: "workload's release", go: containedAndReleased, writes: "deleteObject" },
])("A replica that dies at any call of a $verb", ({ go, writes }) => {
  test("leaves an operation that another one finishes, once", { timeout: 60_000 }, async () => {
    const calls = await go(newPod(), undefined);
    expect(calls).toContain(writes);
    for (let at = 1; at <= calls.length; at += 1) {
      for (const when of ["before", "after"] as const) {
        await go(newPod(), { at, when }).catch((error: unknown) => {
          throw new Error(`dying ${when} call ${at} (${calls[at - 1]} of ${calls.join(", ")})`, { cause: error });
        });
      }
    }
  });
});

test("A replica that slept over a takeover and a release does nothing more (the fence)", async () => {
  const pod = newPod();
  const before = stored(desk.sandbox, "Pod", pod)?.metadata.labels;
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const asleep = Promise.withResolvers<void>();
  const slept = Promise.withResolvers<void>();
  const [entry] = desk.services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const cluster = {
    ...entry.cluster,
    async patchPod(...args: Parameters<typeof entry.cluster.patchPod>) {
      asleep.resolve();
      await slept.promise;
      return entry.cluster.patchPod(...args);
    },
  };
  const sleepy = { ...desk.services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  const shownAsleep: string[] = [];
  const outlet = {
    show: (reply: { headline: string }) => {
      shownAsleep.push(reply.headline);
      return Promise.resolve({ card: undefined, reached: true });
    },
  };
  const press = { ...desk.request(""), action: "confirm", operation: id, card: (await current(id)).card };
  const sleeping = createDesk(sleepy).press(press, outlet);
  await asleep.promise;
  await otherReplica();
  const release = await desk.type(`release ${id}`);
  await desk.press("confirm", release.operation);
  slept.resolve();
  const reply = await sleeping;
  expect(reply.headline).toBe(`${id} goes on elsewhere`);
  expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual(before);
  expect(await current(id)).toMatchObject({ state: "done", liftedBy: release.operation });
  expect(shownAsleep.every((headline) => headline.startsWith("Working"))).toBe(true);
});

test("An answer that reached nobody is given again", async () => {
  const pod = newPod();
  const deaf = { show: () => Promise.resolve({ card: undefined, reached: false }) };
  const request = desk.request(`quarantine payments/${pod}`);
  const reply = await desk.desk.run(request, deaf);
  expect(await desk.redis.zscore("{bulkhead}:leases", reply.operation ?? "")).not.toBeNull();
  await otherReplica();
  const shown = desk.shown.findLast((one) => one.reply.operation === reply.operation)?.reply;
  expect(shown?.outcome).toBe("needs-confirmation");
  expect(await desk.redis.zscore("{bulkhead}:leases", reply.operation ?? "")).toBeNull();
});

test("What failed can be tried again from its card, and the audit holds both tries", async () => {
  const pod = newPod();
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const [entry] = desk.services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const broken = {
    ...entry.cluster,
    patchPod: () => Promise.reject(new Error("the API server did not answer in time")),
  };
  const failing = createDesk({
    ...desk.services,
    clusters: new Map([["sandbox", { ...entry, cluster: broken }]]),
  });
  const press = { ...desk.request(""), operation: id, card: (await current(id)).card };
  const failed = await failing.press({ ...press, action: "confirm" }, desk.outlet);
  expect(failed.outcome).toBe("failed");
  expect(failed.buttons.map(({ action }) => action)).toEqual(["retry", "release"]);
  const again = await desk.press("retry", id);
  expect(again.headline).toMatch(/^ISOLATED/);
  expect(wordsIn(again)).toContain("tried again");
  const entries = await desk.services.audit.read({ operation: id });
  expect(entries.map((one) => one.id)).toEqual([`${id}:intent`, `${id}:outcome`, `${id}:intent:2`, `${id}:outcome:2`]);
});

/** A desk whose store fails once when it is asked to replace that operation. */
function forgetful(fails: (next: Operation) => boolean) {
  const { operations } = desk.services;
  let failed = false;
  return createDesk({
    ...desk.services,
    operations: {
      ...operations,
      replace(next, lease) {
        if (failed || !fails(next)) return operations.replace(next, lease);
        failed = true;
        return Promise.reject(new Error("Redis does not answer"));
      },
    },
  });
}

test("A quarantine that could not be marked as lifted is marked by whoever takes the release over", async () => {
  const { operation: q = "" } = await desk.type(`quarantine payments/${newPod()}`);
  await desk.press("confirm", q);
  const { operation: r = "" } = await desk.type(`release ${q}`);
  const press = { ...desk.request(""), action: "confirm", operation: r, card: (await current(r)).card };
  const reply = await forgetful(({ id }) => id === q).press(press, desk.outlet);
  expect(reply.headline).toMatch(/^Released: /);
  expect(wordsIn(reply)).toContain(`That ${q} has ended could not be stored`);
  expect(await current(q)).toMatchObject({ state: "in-force" });
  await otherReplica();
  expect(await current(q)).toMatchObject({ state: "done", liftedBy: r });
  expect(desk.shown.findLast((one) => one.reply.operation === q)?.reply.headline).toMatch(/^Released by/);
  expect(await desk.redis.zscore("{bulkhead}:leases", r)).toBeNull();
});

test("An end that could not be stored is stored by whoever takes the operation over", async () => {
  const { operation: id = "" } = await desk.type(`quarantine payments/${newPod()}`);
  const press = { ...desk.request(""), action: "confirm", operation: id, card: (await current(id)).card };
  let refused = 0;
  const { operations } = desk.services;
  const broken = createDesk({
    ...desk.services,
    operations: {
      ...operations,
      replace(next, lease) {
        if (next.state !== "in-force") return operations.replace(next, lease);
        refused += 1;
        return Promise.reject(new Error("Redis does not answer"));
      },
    },
  });
  const reply = await broken.press(press, desk.outlet);
  expect(refused).toBeGreaterThan(0);
  expect(reply.headline).toMatch(/^ISOLATED/);
  expect(wordsIn(reply)).toContain("This end could not be stored");
  expect(await current(id)).toMatchObject({ state: "running" });
  await otherReplica();
  expect(await current(id)).toMatchObject({ state: "in-force", result: { tone: "good" } });
  await expectOnce(id);
});

test("A replica that slept while it wrote the outcome does not undo the end that came later", async () => {
  const pod = newPod();
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const asleep = Promise.withResolvers<void>();
  const slept = Promise.withResolvers<void>();
  const { audit } = desk.services;
  const sleepy = createDesk({
    ...desk.services,
    audit: {
      ...audit,
      async append(entry, options) {
        if (entry.kind !== "outcome") return audit.append(entry, options);
        asleep.resolve();
        await slept.promise;
        return audit.append(entry, options);
      },
    },
  });
  const press = { ...desk.request(""), action: "confirm", operation: id, card: (await current(id)).card };
  const sleeping = sleepy.press(press, desk.outlet);
  await asleep.promise;
  await otherReplica();
  const release = await desk.type(`release ${id}`);
  await desk.press("confirm", release.operation);
  slept.resolve();
  expect((await sleeping).headline).toBe(`${id} goes on elsewhere`);
  expect(await current(id)).toMatchObject({ state: "done", liftedBy: release.operation });
});

test("What was taken over is seen to be under way, however long ago its replica died", async () => {
  const { operation: id = "" } = await desk.type(`quarantine payments/${newPod()}`);
  const replica = mortal(desk.services, desk.outlet, { at: 4, when: "before" });
  const press = { ...desk.request(""), action: "confirm", operation: id, card: (await current(id)).card };
  await Promise.race([createDesk(replica.services).press(press, replica.outlet), replica.dead]);
  expect(await current(id)).toMatchObject({ state: "running" });
  desk.pass(120_000);
  const [entry] = desk.services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const asleep = Promise.withResolvers<void>();
  const slept = Promise.withResolvers<void>();
  const cluster = {
    ...entry.cluster,
    async patchPod(...args: Parameters<typeof entry.cluster.patchPod>) {
      asleep.resolve();
      await slept.promise;
      return entry.cluster.patchPod(...args);
    },
  };
  const slow = { ...desk.services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  for (const one of await desk.redis.zrange("{bulkhead}:leases", "0", "-1"))
    await desk.redis.zadd("{bulkhead}:leases", "0", one);
  const takeover = createTakeover(slow, () => desk.outlet);
  await takeover.sweep();
  await asleep.promise;
  const release = await desk.type(`release ${id}`);
  slept.resolve();
  await takeover.drain();
  expect(wordsIn(release)).toContain("is being carried out at this moment");
  expect(await current(id)).toMatchObject({ state: "in-force" });
});

test("A card that cannot be kept while the work is under way does not end it", async () => {
  const pod = newPod();
  const nowhere = { show: () => Promise.resolve({ card: undefined, reached: true }) };
  const request = desk.request(`quarantine payments/${pod}`);
  const { operation: id = "" } = await desk.desk.run(request, nowhere);
  const press = { ...desk.request(""), action: "confirm", operation: id, card: undefined };
  const reply = await forgetful(({ card }) => card !== undefined).press(press, desk.outlet);
  expect(reply.headline).toMatch(/^ISOLATED/);
  expect(await current(id)).toMatchObject({ state: "in-force" });
  expect(desk.events).toContainEqual(expect.objectContaining({ kind: "error", where: "keep card" }));
});

/** A replica whose Redis goes away as soon as a confirmation is stored in it. */
function cutOffAfterConfirm(): Services {
  let away = false;
  const { operations, audit, leases } = desk.services;
  const cut =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      away ? Promise.reject(new Error("Redis does not answer")) : call(...args);
  return {
    ...desk.services,
    operations: {
      ...operations,
      get: cut(operations.get),
      replace: cut(operations.replace),
      async replaceAndHold(next) {
        const held = await operations.replaceAndHold(next);
        away = true;
        return held;
      },
    },
    audit: { ...audit, append: cut(audit.append) },
    leases: { ...leases, renew: cut(leases.renew), postpone: cut(leases.postpone), end: cut(leases.end) },
  };
}

test.each([
  ["was confirmed hours ago", () => Promise.resolve(desk.pass(7_200_000))],
  [
    "would do something else now",
    async (pod: string) => {
      const cluster = desk.services.clusters.get("sandbox")?.cluster;
      await cluster?.deletePod("payments", pod, stored(desk.sandbox, "Pod", pod)?.metadata.uid ?? "");
      await waitFor(() => stored(desk.sandbox, "Pod", pod) === undefined);
    },
  ],
])("A release that did not begin and %s is asked again (invariants 4, 8, 10)", async (_, change) => {
  const pod = newPod();
  const { operation: q = "" } = await desk.type(`quarantine payments/${pod}`);
  await desk.press("confirm", q);
  const { operation: r = "" } = await desk.type(`release ${q}`);
  const press = { ...desk.request(""), action: "confirm", operation: r, card: (await current(r)).card };
  const reply = await createDesk(cutOffAfterConfirm()).press(press, desk.outlet);
  expect(reply.headline).toBe(`Not known whether ${r} begins: Redis does not answer`);
  expect(await current(r)).toMatchObject({ state: "running" });
  await change(pod);
  await otherReplica();
  expect(await current(r)).toMatchObject({ state: "planned" });
  expect(await current(q)).toMatchObject({ state: "in-force" });
  const asked = desk.shown.findLast((one) => one.reply.operation === r)?.reply;
  expect(asked?.outcome).toBe("needs-confirmation");
  expect(asked && wordsIn(asked)).toContain("it did not begin");
  expect(await desk.redis.zscore("{bulkhead}:leases", r)).toBeNull();
  expect((await desk.press("confirm", r)).headline).toMatch(/^Released/);
  expect(await current(q)).toMatchObject({ state: "done", liftedBy: r });
});

test("Whoever asked is told where what another replica accepted cannot be planned (invariant 10)", async () => {
  const replica = mortal(desk.services, desk.outlet, { at: 1, when: "after" });
  const request = desk.request(`quarantine payments/${newPod()}`);
  const { operation: id = "" } = desk.desk.understand(request);
  await Promise.race([createDesk(replica.services).run(request, replica.outlet), replica.dead]);
  expect(await current(id)).toMatchObject({ state: "accepted" });
  const [entry] = desk.services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const cluster = { ...entry.cluster, facts: () => Promise.reject(new Error("the facts are not to be had")) };
  await otherReplica({ ...desk.services, clusters: new Map([["sandbox", { ...entry, cluster }]]) });
  const told = desk.shown.findLast(({ reply }) => reply.operation === id)?.reply;
  expect(told).toMatchObject({ outcome: "failed", headline: "Failed: the facts are not to be had" });
  expect(await current(id)).toMatchObject({ state: "failed" });
  expect(await desk.redis.zscore("{bulkhead}:leases", id)).toBeNull();
});

test("The chain tells of the end that the card tells of, though an earlier try wrote another one", async () => {
  const { operation: id = "" } = await desk.type(`quarantine payments/${newPod()}`);
  const [entry] = desk.services.clusters.values();
  if (entry === undefined) throw new Error("no cluster");
  const cluster = { ...entry.cluster, patchPod: () => Promise.reject(new Error("the API server did not answer")) };
  const { operations } = desk.services;
  const failing = createDesk({
    ...desk.services,
    clusters: new Map([["sandbox", { ...entry, cluster }]]),
    operations: {
      ...operations,
      replace: (next, lease) =>
        next.state === "failed" ? Promise.reject(new Error("Redis does not answer")) : operations.replace(next, lease),
    },
  });
  const press = { ...desk.request(""), action: "confirm", operation: id, card: (await current(id)).card };
  expect((await failing.press(press, desk.outlet)).outcome).toBe("failed");
  await otherReplica();
  const { state, result } = await current(id);
  expect(state).toBe("in-force");
  const entries = await desk.services.audit.read({ operation: id });
  expect(entries.map((one) => [one.id, one.ok])).toEqual([
    [`${id}:intent`, undefined],
    [`${id}:outcome`, false],
    [`${id}:outcome:again:1`, true],
  ]);
  expect(result?.audited).toContain(`audit #${entries.at(-1)?.seq},`);
});
