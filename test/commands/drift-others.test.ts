import { afterEach, beforeEach, expect, test } from "vitest";
import { createDriftWatch, type DriftWatch } from "../../src/commands/drift-watch.ts";
import { clusterOf } from "../../src/commands/services.ts";
import { marks } from "../../src/policy/marks.ts";
import type { JsonPatchOperation } from "../../src/policy/objects.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";
import { allowTemplate } from "./allow-template.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

/** Drift of allowances, workloads and namespaces; quarantines of pods have a file of their own. */
let desk: TestDesk;
let watch: DriftWatch;
let driftRestores = 0;

const between = allowTemplate(
  "between",
  `parameters:
  from: { type: workload, about: who connects }
  to: { type: workload, about: whom to }
  port: { type: port, about: the port }
opens:
  - { from: { workload: $from }, to: { workload: $to }, ports: [{ port: $port, protocol: TCP }] }`,
);

beforeEach(async () => {
  desk = await startDesk({ watch: true, services: { templates: { all: () => [between], problems: () => [] } } });
  desk.sandbox.apply(...seedObjects());
  await waitFor(() => desk.sandbox.objects("Pod").length > 10);
  await waitFor(() =>
    clusterOf(desk.services, "sandbox")
      .cluster.watches()
      .every(({ synced }) => synced),
  );
  driftRestores = 0;
  const services = {
    ...desk.services,
    get settings() {
      return { ...desk.services.settings, driftRestores };
    },
  };
  watch = createDriftWatch({ services, outletFor: () => desk.outlet, gatherMs: 20 });
});

afterEach(async () => {
  await watch.stop();
  await desk.close();
});

async function begin(text: string): Promise<string> {
  const { operation = "" } = await desk.type(text);
  const card = await desk.press("confirm", operation);
  if (card.outcome === "needs-confirmation") await desk.press("confirm-again", operation);
  expect((await desk.services.operations.get(operation))?.state).toBe("in-force");
  return operation;
}

const recordsOf = async (operation: string) => (await desk.services.operations.get(operation))?.drift?.records ?? [];

async function told(operation: string, kind: string, state = "open"): Promise<void> {
  await waitFor(async () =>
    (await recordsOf(operation)).some((one) => one.kind === kind && one.state === state && one.toldAt !== undefined),
  );
}

function objectsOf(operation: string) {
  return desk.sandbox.objects("NetworkPolicy").filter(({ metadata }) => metadata.name.includes(operation));
}

function patch(name: string, namespace: string, change: JsonPatchOperation) {
  return clusterOf(desk.services, "sandbox").cluster.patchPolicy(namespace, name, [change]);
}

const ttlPath = `/metadata/annotations/${marks.ttlSeconds.replace("/", "~1")}`;

test("An allowance's altered time and spec are told, put back by Restore, and its extension and end are no drift", async () => {
  const operation = await begin(
    "allow between from=payments/deploy/checkout to=payments/deploy/ledger port=8443 for 20m",
  );
  const [first] = objectsOf(operation);
  const before = structuredClone(first);
  const name = first?.metadata.name ?? "";
  await patch(name, "payments", { op: "replace", path: ttlPath, value: "14400" });
  await told(operation, "ttl-altered");
  await patch(name, "payments", { op: "add", path: "/spec/podSelector", value: {} });
  await told(operation, "object-changed");
  const card = await desk.press("show", operation);
  expect(card.headline).toMatch(/^(OPEN|WRITTEN)/);
  expect(wordsIn(card)).toContain("says more than was granted");
  await desk.press("restore", operation);
  await told(operation, "ttl-altered", "restored");
  const after = objectsOf(operation).find(({ metadata }) => metadata.name === name);
  expect(after).toMatchObject({ spec: before?.["spec"], metadata: { annotations: before?.metadata.annotations } });
  expect(after?.metadata.uid).toBe(before?.metadata.uid);
  const count = (await recordsOf(operation)).length;
  await desk.type(`extend ${operation} 10m`);
  await watch.sweep();
  expect(await recordsOf(operation)).toHaveLength(count);
  await desk.type(`end ${operation}`);
  await watch.sweep();
  expect(await recordsOf(operation)).toHaveLength(count);
  expect(desk.events.filter(({ kind }) => kind === "error")).toEqual([]);
});

const between20m = "allow between from=payments/deploy/checkout to=payments/deploy/ledger port=8443 for 20m";

test("An allowance that was narrowed, or is to end sooner, is never opened again by itself, and Restore makes it no longer", async () => {
  driftRestores = 3;
  const operation = await begin(between20m);
  const [first] = objectsOf(operation);
  const name = first?.metadata.name ?? "";
  const is = () => objectsOf(operation).find(({ metadata }) => metadata.name === name);
  await patch(name, "payments", { op: "replace", path: ttlPath, value: "300" });
  await told(operation, "ttl-shortened");
  const shown = await desk.press("show", operation);
  expect(wordsIn(shown)).toContain("says less than was granted");
  expect(shown.buttons.map(({ action }) => action)).not.toContain("restore");
  const narrowed = { podSelector: { matchLabels: { none: "such" } }, policyTypes: ["Egress"] };
  await patch(name, "payments", { op: "add", path: "/spec", value: narrowed });
  await told(operation, "object-changed");
  await watch.sweep();
  expect(is()).toMatchObject({ spec: narrowed, metadata: { annotations: { [marks.ttlSeconds]: "300" } } });
  expect((await recordsOf(operation)).map(({ fights }) => fights)).toEqual([undefined, undefined]);
  await desk.press("restore", operation);
  expect(is()).toMatchObject({ spec: first?.["spec"], metadata: { annotations: { [marks.ttlSeconds]: "300" } } });
  expect((await recordsOf(operation)).map(({ kind, state }) => [kind, state])).toEqual([
    ["ttl-shortened", "open"],
    ["object-changed", "restored"],
  ]);
});

test("An allowance is not put back where its pods were cut off since", async () => {
  const operation = await begin(between20m);
  const [first] = objectsOf(operation);
  const name = first?.metadata.name ?? "";
  const closed = { podSelector: {}, policyTypes: ["Egress"] };
  await patch(name, "payments", { op: "add", path: "/spec", value: closed });
  await told(operation, "object-changed");
  desk.sandbox.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: "bulkhead-l-1234567",
      namespace: "payments",
      labels: { [marks.kind]: "lockdown", [marks.operation]: "l-1234567" },
    },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  });
  const answer = await desk.press("restore", operation);
  expect(answer.outcome).toBe("failed");
  expect(wordsIn(answer)).toContain("cut off by lockdown l-1234567");
  expect(objectsOf(operation).find(({ metadata }) => metadata.name === name)).toMatchObject({ spec: closed });
});

test("A lockdown that a policy opens again is not isolated any more, and new pods of the namespace are no drift", async () => {
  const operation = await begin("lockdown payments --confirm payments");
  await watch.sweep();
  expect(await recordsOf(operation)).toEqual([]);
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "late", namespace: "payments", labels: { app: "late" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", podIP: "10.9.9.9" },
  });
  await watch.sweep();
  expect(await recordsOf(operation)).toEqual([]);
  desk.sandbox.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "hole", namespace: "payments" },
    spec: { podSelector: { matchLabels: { app: "late" } }, policyTypes: ["Egress"], egress: [{}] },
  });
  await told(operation, "re-opened");
  expect((await desk.press("show", operation)).headline).toMatch(/^NOT ISOLATED: policy hole still lets/);
  const label = { op: "add", path: "/metadata/labels/bulkhead.dev~1quarantine", value: "q-0000000" } as const;
  await clusterOf(desk.services, "sandbox").cluster.patchPod("payments", "late", [label]);
  await told(operation, "escaped");
  expect(wordsIn(await desk.press("show", operation))).toContain("pod payments/late was relabelled");
});

test("A selector of somebody else that was changed back by its owner is told, and changed again by Restore", async () => {
  desk.sandbox.apply(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "odd", namespace: "payments", labels: { odd: "yes" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.9.9.8" },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "all-open", namespace: "payments" },
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{}] },
    },
  );
  const operation = await begin("quarantine payments/odd --change-policies --confirm odd");
  const exclusion = { key: marks.quarantine, operator: "DoesNotExist" };
  const selector = () =>
    desk.sandbox.objects("NetworkPolicy", "payments").find(({ metadata }) => metadata.name === "all-open")?.["spec"];
  expect(selector()).toMatchObject({ podSelector: { matchExpressions: [exclusion] } });
  await patch("all-open", "payments", { op: "replace", path: "/spec/podSelector", value: {} });
  await told(operation, "selector-back");
  expect((await desk.press("show", operation)).headline).toMatch(/^NOT ISOLATED/);
  await desk.press("restore", operation);
  expect(selector()).toMatchObject({ podSelector: { matchExpressions: [exclusion] } });
});

test("A pod of a quarantined workload that is relabelled out of it has escaped, and one that comes to its end has not", async () => {
  const operation = await begin("quarantine payments/deploy/checkout --confirm checkout");
  await watch.sweep();
  expect(await recordsOf(operation)).toEqual([]);
  const pods = desk.sandbox
    .objects("Pod", "payments")
    .filter(({ metadata }) => metadata.labels?.["app"] === "checkout");
  const name = pods[0]?.metadata.name ?? "";
  const { cluster } = clusterOf(desk.services, "sandbox");
  await cluster.patchPod("payments", name, [{ op: "add", path: "/metadata/labels/app", value: "other" }]);
  await told(operation, "escaped");
  const card = await desk.press("show", operation);
  expect(card.headline).toMatch(/^NOT ISOLATED: pod payments\/.* was relabelled, and is not cut off any more/);
  expect(card.buttons.map(({ action }) => action)).toEqual(["accept", "release"]);
  await cluster.deletePod("payments", name, pods[0]?.metadata.uid ?? "");
  await waitFor(async () => {
    await watch.sweep();
    return (await recordsOf(operation))[0]?.state === "gone";
  });
});
