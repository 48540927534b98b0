import { afterEach, beforeEach, expect, test } from "vitest";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;

beforeEach(async () => {
  desk = await startDesk({
    settings: { limits: { pods: 5, perPerson: 2, perCluster: 3 } },
  });
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    ...["alone-1", "alone-2", "alone-3"].map((name) => pod(name, { name })),
    pod("checkout-1", { app: "checkout" }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
  );
});

afterEach(async () => {
  const keys = await desk.redis.keys("{bulkhead}:limits:*");
  if (keys.length > 0) await desk.redis.del(...keys);
  await desk.close();
});

function pod(name: string, labels: object, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels },
    spec: { containers: [{ name: "main", image: "x" }], ...spec },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

async function refusals(): Promise<readonly string[]> {
  const entries = await desk.services.audit.read({});
  return entries.filter(({ kind }) => kind === "refusal").map(({ summary }) => summary);
}

test("The last ready replica of a Service is refused with the command that confirms it by name, and that one goes through", async () => {
  const refused = await desk.type("quarantine payments/checkout-1");
  expect(refused).toMatchObject({ outcome: "refused" });
  expect(wordsIn(refused)).toMatch(/no other replica of Service checkout is ready/i);
  const [, command = ""] = /\/np (quarantine \S+ --confirm \S+)/.exec(wordsIn(refused).replaceAll('"', " ")) ?? [];
  const plan = await desk.type(command);
  expect(plan).toMatchObject({ outcome: "needs-confirmation" });
  expect(wordsIn(plan)).toContain("LAST ready replica");
  const done = await desk.press("confirm", plan.operation);
  expect(done.headline).toBe("ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)");
  expect(await refusals()).toEqual([expect.stringContaining("no other replica of Service checkout is ready")]);
});

test("A pod that became the last ready replica after its plan was shown is refused at Confirm", async () => {
  desk.sandbox.apply(pod("checkout-2", { app: "checkout" }));
  const plan = await desk.type("quarantine payments/checkout-1");
  expect(plan).toMatchObject({ outcome: "needs-confirmation" });
  const other = stored(desk.sandbox, "Pod", "checkout-2");
  desk.sandbox.apply({ ...other, metadata: { ...other?.metadata, labels: { app: "moved" } } });
  const refused = await desk.press("confirm", plan.operation);
  expect(wordsIn(refused)).toContain("--confirm checkout-1");
  expect(stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels).toEqual({ app: "checkout" });
});

test("What says that it is the cluster's machinery is refused, and is no way to escape: confirmed by name it is cut off", async () => {
  desk.sandbox.apply(pod("miner", { "k8s-app": "cilium" }, { priorityClassName: "system-node-critical" }));
  const refused = await desk.type("quarantine payments/miner");
  expect(wordsIn(refused)).toMatch(/part of the cluster's network \(cilium\).*--confirm miner/);
  const plan = await desk.type("quarantine payments/miner --confirm miner");
  expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
});

test("Over the limit Confirm is refused and audited, and the plan stays to be confirmed later", async () => {
  const plans = [];
  for (const name of ["alone-1", "alone-2", "alone-3"]) plans.push(await desk.type(`quarantine payments/${name}`));
  const [first, second, third] = plans.map(({ operation }) => operation);
  for (const id of [first, second]) expect(await desk.press("confirm", id)).toMatchObject({ outcome: "ok" });
  const refused = await desk.press("confirm", third);
  expect(refused).toMatchObject({ outcome: "refused" });
  expect(wordsIn(refused)).toMatch(/2 actions within a minute.*press Confirm again in (59|60|1m)/);
  expect(await refusals()).toEqual([expect.stringContaining("most for one person")]);
  expect(stored(desk.sandbox, "Pod", "alone-3")?.metadata.labels).toEqual({ name: "alone-3" });
  for (const key of await desk.redis.keys("{bulkhead}:limits:*")) await desk.redis.del(key);
  expect(await desk.press("confirm", third)).toMatchObject({ outcome: "ok" });
});

test("Where nothing can be counted, containing goes on", async () => {
  const plan = await desk.type("quarantine payments/alone-1");
  for (const kind of ["person:slack:T1/U1", "cluster:sandbox"]) await desk.redis.set(`{bulkhead}:limits:${kind}`, "x");
  expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
  expect(desk.events).toContainEqual(expect.objectContaining({ kind: "error", where: "count action" }));
});
