import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "../wait.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

/** A desk whose cluster has a cache, as the bot's has; calls to the cluster end after 400 ms. */
let desk: TestDesk;
const isolated = "ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)";

beforeEach(async () => {
  desk = await startDesk({ watch: true, timeoutMs: 400 });
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    pod("checkout-1", { app: "checkout" }),
  );
  await cacheIsRight();
});

afterEach(async () => {
  desk.sandbox.faults.thaw();
  await desk.close();
});

function pod(name: string, labels: Record<string, string>): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running" },
  };
}

const cluster = () => desk.services.clusters.get("sandbox")!.cluster;
const labels = () => stored(desk.sandbox, "Pod", "checkout-1")?.metadata.labels;
const ourPolicies = () => desk.sandbox.objects("NetworkPolicy", "payments").length;

async function cacheIsRight(): Promise<void> {
  await waitFor(
    async () => {
      if (
        cluster()
          .watches()
          .some(({ synced, problem }) => !synced || problem !== undefined)
      )
        return false;
      const { pods } = await cluster().facts("payments", "cache");
      return pods.some(
        ({ resourceVersion }) =>
          resourceVersion === stored(desk.sandbox, "Pod", "checkout-1")?.metadata.resourceVersion,
      );
    },
    { timeoutMs: 20_000 },
  );
}

test("While the API server is frozen a plan comes from the old cache and says so, Confirm writes nothing, and afterwards it does", async () => {
  desk.sandbox.faults.freeze();
  desk.pass(45_000);
  const plan = await desk.type("quarantine payments/checkout-1 while frozen");
  expect(plan.headline).toBe("Plan: quarantine payments/checkout-1");
  expect(wordsIn(plan)).toMatch(
    /This is what was known 4\d(\.\d)? s ago: the API server cannot be asked now \(cluster sandbox: /,
  );
  expect(wordsIn(plan)).toContain("Confirm asks again before anything is written.");
  expect(wordsIn(plan)).toContain("Whether Kubernetes lets Bulkhead write there could not be asked.");
  const early = await desk.press("confirm", plan.operation);
  expect(early).toMatchObject({ headline: "Not done: the cluster cannot be asked", outcome: "failed" });
  expect(wordsIn(early)).toContain("cluster sandbox: the Kubernetes API at");
  expect((await desk.services.operations.get(plan.operation!))?.state).toBe("planned");
  desk.sandbox.faults.thaw();
  await cacheIsRight();
  expect([labels(), ourPolicies()]).toEqual([{ app: "checkout" }, 0]);
  expect((await desk.press("confirm", plan.operation)).headline).toBe(isolated);
});

test("A plan from an old cache that no longer holds is shown again instead of being carried out", async () => {
  desk.sandbox.faults.freeze();
  const plan = await desk.type("quarantine payments/checkout-1");
  expect(plan.headline).toBe("Plan: quarantine payments/checkout-1");
  desk.sandbox.apply(pod("checkout-1", { app: "checkout", tier: "web" }));
  desk.sandbox.faults.thaw();
  const again = await desk.press("confirm", plan.operation);
  expect(again.headline).toBe("Plan: quarantine payments/checkout-1");
  expect(wordsIn(again)).toContain("The cluster changed since this plan was shown");
  expect(ourPolicies()).toBe(0);
});

test("A release is planned from an old cache too, and carried out when the API server answers", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-1");
  expect((await desk.press("confirm", operation)).headline).toBe(isolated);
  await cacheIsRight();
  desk.sandbox.faults.freeze();
  const plan = await desk.type(`release ${operation}`);
  expect(plan.headline).toBe("Plan: release payments/checkout-1");
  expect(wordsIn(plan)).toContain("the API server cannot be asked now");
  expect((await desk.press("confirm", plan.operation)).headline).toBe("Not done: the cluster cannot be asked");
  desk.sandbox.faults.thaw();
  expect((await desk.press("confirm", plan.operation)).headline).toBe("Released: payments/checkout-1");
  expect([labels(), ourPolicies()]).toEqual([{ app: "checkout" }, 0]);
});

test("A pod that the old cache does not know is not said to be absent: the answer is that the cluster cannot be asked", async () => {
  desk.sandbox.faults.freeze();
  const reply = await desk.type("quarantine payments/newcomer");
  expect(reply).toMatchObject({ headline: "Failed: quarantine", outcome: "failed" });
  expect(wordsIn(reply)).toContain("cluster sandbox: the Kubernetes API at");
  expect(wordsIn(reply)).toContain("kubectl get --raw /readyz");
});

test("Status answers from the old cache, and says per cluster how old it is", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-1");
  await desk.press("confirm", operation);
  await cacheIsRight();
  desk.sandbox.faults.freeze();
  desk.pass(120_000);
  const words = wordsIn(await desk.type("status payments"));
  expect(words).toMatch(/This is what was known 2m( \d+s)? ago: the API server cannot be asked now/);
  expect(words).toContain(`${operation}: payments/checkout-1 quarantined for`);
});

test("Where the server answers but a watch does not get on, status names it", async () => {
  desk.sandbox.faults.inject({ path: "services?", times: 1_000 }, { type: "status", code: 503 });
  desk.sandbox.faults.dropWatches();
  await waitFor(
    () =>
      cluster()
        .watches()
        .some(({ path, problem }) => path.endsWith("services") && problem),
    { timeoutMs: 10_000 },
  );
  desk.pass(60_000);
  const words = wordsIn(await desk.type("status payments"));
  expect(words).toMatch(/The cache of services was last seen 1m( \d+s)? ago: /);
});

test("A token that expired is a clear answer for Confirm, status and a new plan, without the token", async () => {
  const plan = await desk.type("quarantine payments/checkout-1");
  desk.sandbox.faults.inject({ times: 10_000 }, { type: "status", code: 401 });
  const early = await desk.press("confirm", plan.operation);
  expect(early.headline).toBe("Not done: the cluster cannot be asked");
  expect(wordsIn(early)).toContain("does not accept these credentials");
  expect(wordsIn(early)).toContain("Renew the credentials");
  expect(wordsIn(await desk.type("status payments"))).toContain("does not accept these credentials");
  desk.sandbox.faults.clear();
  expect((await desk.press("confirm", plan.operation)).headline).toBe(isolated);
});
