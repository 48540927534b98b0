import { afterEach, beforeEach, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import type { Cluster } from "../../src/kubernetes/cluster.ts";
import type { JsonPatchOperation } from "../../src/policy/objects.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let log: string[];

beforeEach(async () => {
  desk = await startDesk();
  log = [];
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running" },
    },
  );
});

afterEach(() => desk.close());

/** What a label patch does, told by its last operation. */
function deed(patch: readonly JsonPatchOperation[]): string {
  const last = patch.at(-1);
  const ours = last?.path.includes("quarantine") === true;
  return `${last?.op === "remove" ? "off" : "on"} ${ours ? "quarantine label" : "other labels"}`;
}

/** The desk's services, with every write, wait and audit entry logged in the order in which it begins. */
function logged(changes: Partial<Services> = {}): Services {
  const { services } = desk;
  const entry = services.clusters.get("sandbox");
  if (entry === undefined) throw new Error("no cluster");
  const { cluster } = entry;
  const spied: Cluster = {
    ...cluster,
    createObject: (object) => (log.push("policy on"), cluster.createObject(object)),
    deleteObject: (...of) => (log.push("policy off"), cluster.deleteObject(...of)),
    patchPod: (namespace, name, patch) => (log.push(deed(patch)), cluster.patchPod(namespace, name, patch)),
  };
  return {
    ...services,
    clusters: new Map([["sandbox", { ...entry, cluster: spied }]]),
    audit: { ...services.audit, append: (one) => (log.push(one.kind), services.audit.append(one)) },
    wait: (ms) => (log.push("settle"), services.wait(ms)),
    ...changes,
  };
}

function confirm(services: Services, operation: string | undefined) {
  const press = { ...desk.request(""), action: "confirm", operation: operation ?? "", card: undefined };
  return createDesk(services).press(press, desk.outlet);
}

test("The deny is in force before a label is removed, on the way in and on the way out (invariants 1 and 6)", async () => {
  const services = logged();
  const quarantine = await desk.type("quarantine payments/checkout-1");
  await confirm(services, quarantine.operation);
  expect(log).toEqual(["intent", "policy on", "on quarantine label", "settle", "off other labels", "outcome"]);
  log.length = 0;
  const release = await desk.type(`release ${quarantine.operation}`);
  await confirm(services, release.operation);
  expect(log).toEqual(["intent", "on other labels", "settle", "off quarantine label", "policy off", "outcome"]);
});

test("An end that cannot be stored is told as it is, not as a failure (invariant 10)", async () => {
  const { operations } = desk.services;
  const quarantine = await desk.type("quarantine payments/checkout-1");
  const replace: typeof operations.replace = (next) =>
    next.state === "in-force" ? Promise.reject(new Error("away")) : operations.replace(next);
  const reply = await confirm(logged({ operations: { ...operations, replace } }), quarantine.operation);
  expect(reply).toMatchObject({ outcome: "ok", headline: "ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)" });
  expect(wordsIn(reply)).toMatch(/could not be stored/);
});

test("A quarantine is read back from fresh lists of the pods and the policies of its namespace, and the rest from the cache", async () => {
  const { operation } = await desk.type("quarantine payments/checkout-1");
  const entry = desk.services.clusters.get("sandbox")!;
  const asked: string[] = [];
  const cluster: Cluster = {
    ...entry.cluster,
    listPods: (namespace, selector) => (asked.push(`pods ${selector}`), entry.cluster.listPods(namespace, selector)),
    listPolicies: (selector, of) => (asked.push(`policies ${of}`), entry.cluster.listPolicies(selector, of)),
    patchPod: (...of) => ((asked.length = 0), entry.cluster.patchPod(...of)),
    facts: (of, from) => (asked.push(`all from ${from}`), entry.cluster.facts(of, from)),
  };
  const services = { ...desk.services, clusters: new Map([["sandbox", { ...entry, cluster }]]) };
  expect((await confirm(services, operation)).headline).toBe("ISOLATED FOR NEW CONNECTIONS (payments/checkout-1)");
  expect(asked.toSorted()).toEqual(["all from cache", "all from cache", "pods ", "policies payments"]);
});
