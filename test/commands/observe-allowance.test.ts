import { afterAll, beforeAll, expect, test } from "vitest";
import { howOften } from "../../src/commands/allowance-question.ts";
import { createObserver, type Observer } from "../../src/commands/observe.ts";
import type { FlowSourceState } from "../../src/flows/flow-source.ts";
import { createInterests } from "../../src/flows/interests.ts";
import type { Operation } from "../../src/policy/operation.ts";
import type { AllowPlan } from "../../src/policy/plan.ts";
import { createObservations } from "../../src/scheduler/observations.ts";
import { waitFor } from "../wait.ts";
import { startDesk, stored, type TestDesk } from "./desk.ts";
import { sightingOf } from "./sightings.ts";

let desk: TestDesk;
let observer: Observer;
let uid: string;
let sources: readonly FlowSourceState[] = [];
const interests = createInterests();

beforeAll(async () => {
  desk = await startDesk({ watch: true });
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "checkout-1", namespace: "payments", labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.1.0.1" },
    },
  );
  uid = stored(desk.sandbox, "Pod", "checkout-1")?.metadata.uid ?? "";
  const flows = { sources: () => sources } as unknown as NonNullable<TestDesk["services"]["flows"]>;
  const services = { ...desk.services, flows, observations: createObservations(desk.redis) };
  observer = createObserver({ services, outletFor: () => desk.outlet, interests });
  await desk.services.operations.accept(allowance());
  // Until the cache has the pod.
  await waitFor(async () => {
    await observer.sweep();
    return interests.of("sandbox").length === 1;
  });
});

afterAll(async () => {
  await observer.stop();
  await desk.close();
});

/** To 203.0.113.0/24 on TCP 443, for a quarter of an hour. */
function allowance(): Operation {
  const principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" } as const;
  const target = { cluster: "sandbox", namespace: "payments" };
  const to = [{ ipBlock: { cidr: "203.0.113.0/24" } }];
  const spec = {
    podSelector: { matchLabels: { app: "checkout" } },
    policyTypes: ["Egress"],
    egress: [{ to, ports: [{ protocol: "TCP", port: 443 }] }],
  };
  const object = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "bulkhead-a-1", namespace: "payments" },
    spec,
  };
  const at = desk.services.now();
  return {
    version: 3,
    id: "a-7f3kd2m",
    kind: "allowance",
    state: "in-force",
    revision: 0,
    delivery: "delivery",
    principal,
    origin: { source: "slack", channel: "C1", command: "", at: at - 1_000 },
    target,
    reason: "",
    plan: {
      kind: "allow",
      target,
      template: { name: "partner-api" },
      parameters: {},
      objects: [object],
    } as unknown as AllowPlan,
    confirmed: { by: principal, at: at - 1_000, attempt: 1 },
    steps: [],
    result: { headline: "OPEN", tone: "good", lines: [], audited: "" },
    allowance: { ttlSeconds: 900, maxSeconds: 900, endsAt: at + 900_000 },
  };
}

async function words(): Promise<string> {
  await observer.sweep();
  return howOften((await desk.services.operations.get("a-7f3kd2m"))!);
}

function use(changes: Parameters<typeof sightingOf>[2] = { fromMs: desk.services.now() }): void {
  observer.saw(sightingOf({ name: "checkout-1", uid, address: "10.1.0.1" }, "forwarded", changes));
}

test("whether an allowance is used: not known without a source, nor by one that tells only what is denied; then not seen, then how often and when last", async () => {
  const unknown = "How often it is used is not known: Bulkhead has no flow source there.";
  expect(await words()).toBe(unknown);
  // It names no single pod, so that its silence says nothing of one.
  sources = [
    {
      name: "goldmane",
      cluster: "sandbox",
      kind: "goldmane",
      state: "connected",
      why: undefined,
      formats: ["goldmane"],
      lastFlowMs: 1,
    },
  ];
  expect(await words()).toBe(unknown);
  sources = [
    {
      name: "push",
      cluster: "sandbox",
      kind: "push",
      state: "connected",
      why: undefined,
      formats: ["aws-network-policy-agent"],
      lastFlowMs: 1,
    },
  ];
  expect(await words()).toBe("How often it is used is not known: the flow source tells only what is denied.");
  sources = [{ ...sources[0]!, kind: "hubble-relay", formats: ["hubble"] }];
  expect(await words()).toMatch(/^It was not seen used since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\.$/);
  const fromMs = desk.services.now();
  // Another port, an answer, an open connection, and what was before.
  for (const changes of [{ toPort: 444 }, { isReply: true }, { isNew: false }, { fromMs: fromMs - 60_000 }])
    use({ fromMs, ...changes });
  expect(await words()).toMatch(/^It was not seen used/);
  use();
  expect(await words()).toMatch(/^It is used: 1 connection seen, last at .* UTC\.$/);
  for (let each = 0; each < 11; each += 1) use();
  // The other end tells of the same connections.
  for (let each = 0; each < 4; each += 1) use({ fromMs, direction: "ingress" });
  desk.pass(31_000);
  expect(await words()).toMatch(/^It is used: 12 connections seen/);
  const entries = await desk.services.audit.read({ operation: "a-7f3kd2m" });
  expect(entries.map(({ kind, summary }) => [kind, summary.slice(0, 25)])).toEqual([
    ["observed", "It is used: 1 connection "],
  ]);
});
