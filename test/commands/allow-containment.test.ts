import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNets } from "../../src/commands/allowance-nets.ts";
import { createAllowanceRecords } from "../../src/commands/allowance-records.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Template } from "../../src/policy/template.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";
import { allowTemplate } from "./allow-template.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
/** Called before and after each object is created. */
let before: (object: Manifest) => Promise<unknown>;
let after: (object: Manifest) => Promise<unknown>;
let templates: readonly Template[] = [];

beforeEach(async () => {
  before = () => Promise.resolve();
  after = () => Promise.resolve();
  templates = [between(), both()];
  desk = await startDesk({
    services: { templates: { all: () => templates, problems: () => [] } },
    settings: { access },
  });
  desk.sandbox.apply(...seedObjects());
  await waitFor(() => desk.sandbox.objects("Pod").length > 10);
  const { cluster } = desk.services.clusters.get("sandbox")!;
  const as = { ...cluster };
  const createObject: typeof cluster.createObject = async (object) => {
    await before(object);
    const created = await as.createObject(object);
    await after(object);
    return created;
  };
  Object.assign(cluster, { createObject });
});

afterEach(() => desk.close());

const access = {
  rules: [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "shop", "db", "kube-system"] }],
  people: [],
} as const;

const template = (name: string, lines: string) =>
  allowTemplate(
    name,
    `parameters:
  from: { type: workload, about: who connects }
  to: { type: workload, about: whom to }
opens:
${lines}`,
  );

const between = () =>
  template(
    "between",
    "  - { from: { workload: $from }, to: { workload: $to }, ports: [{ port: 5432, protocol: TCP }] }",
  );

const both = () =>
  template(
    "both",
    `  - { from: { workload: $from }, to: { cidr: 198.51.100.0/24 }, ports: [{ port: 443, protocol: TCP }] }
  - { from: { workload: $to }, to: { cidr: 198.51.100.0/24 }, ports: [{ port: 443, protocol: TCP }] }`,
  );

function allowances(): readonly string[] {
  const policies = desk.sandbox
    .objects("NetworkPolicy")
    .filter(({ metadata }) => metadata.name.startsWith("bulkhead-a-"));
  return policies.map(({ metadata }) => metadata.namespace ?? "");
}

function deployment(name: string): void {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } };
  const metadata = { name, namespace: "db" };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  desk.sandbox.apply({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec });
}

async function lockdown(): Promise<string> {
  const { operation = "" } = await desk.type("lockdown db --confirm db");
  await desk.press("confirm", operation);
  await desk.press("confirm-again", operation);
  return operation;
}

const toDb = "allow between from=payments/checkout to=db/postgres";

describe("Containment wins (invariant 13)", () => {
  test("over an allowance that opens after the lockdown's plan was drawn and before it is written", async () => {
    const { operation: id } = await desk.type(toDb);
    before = async (object) => {
      if (object.metadata.labels?.[marks.kind] === "lockdown")
        expect((await desk.press("confirm", id)).headline).toMatch(/^OPEN/);
    };
    await lockdown();
    expect(allowances()).toEqual([]);
  });

  test("and the card of what it ended says who did it", async () => {
    const nets = createNets({ services: desk.services, outletFor: () => desk.outlet, graceMs: () => 30 });
    const { operation: id = "" } = await desk.type(toDb);
    await desk.press("confirm", id);
    await lockdown();
    const headline = async () => (await desk.services.operations.get(id))?.result?.headline ?? "";
    await waitFor(async () => (await headline()).startsWith("CLOSED"));
    await nets.sweep();
    expect(await headline()).toMatch(/^CLOSED: between in payments, ended by alice \(U1\) 29m/);
    await nets.stop();
  });

  test("over the cluster's DNS where that is cut off", async () => {
    templates = [
      template(
        "names",
        "  - { from: { workload: $from }, to: { dns: true } }\n  - { from: { workload: $from }, to: { workload: $to }, ports: [{ port: 5432, protocol: TCP }] }",
      ),
    ];
    const labels = { [marks.kind]: "lockdown", [marks.operation]: "l-0000000" };
    const metadata = { name: "bulkhead-l-0000000", namespace: "kube-system", labels };
    const spec = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
    desk.sandbox.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec });
    const reply = await desk.type("allow names from=payments/checkout to=db/postgres");
    expect(wordsIn(reply)).toContain("are cut off by lockdown l-0000000");
  });

  test("over what would open pods that have not started yet", async () => {
    deployment("standby");
    const id = await lockdown();
    const reply = await desk.type("allow both from=payments/checkout to=db/standby");
    expect(wordsIn(reply)).toContain(`he pods of db/deployment/standby are cut off by lockdown ${id}`);
    expect(allowances()).toEqual([]);
  });
});

describe("Of a workload without pods", () => {
  test("nothing is said to be open already", async () => {
    deployment("standby");
    const reply = await desk.type("allow between from=payments/checkout to=db/standby");
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain("There is no pod of db/deployment/standby now");
    expect(wordsIn(reply)).not.toContain("open already");
  });

  test("nothing is said to be open once it is written", async () => {
    deployment("standby");
    const { operation } = await desk.type("allow both from=payments/checkout to=db/standby");
    expect((await desk.press("confirm", operation)).headline).toMatch(/^WRITTEN, NOT CERTAIN TO BE OPEN until /);
  });
});

test("Where the answer to the last write is lost, it is taken back with the others", async () => {
  const { operation } = await desk.type(toDb);
  let written = 0;
  after = () => ((written += 1) === 2 ? Promise.reject(new Error("no answer")) : Promise.resolve());
  const failed = await desk.press("confirm", operation);
  expect(wordsIn(failed)).toContain("What was written before it was taken back.");
  expect(allowances()).toEqual([]);
});

test("Half of one that begins late is taken back, and nothing more is written", async () => {
  const { operation = "" } = await desk.type(toDb);
  let written = 0;
  const stuck = new Promise(() => undefined);
  before = () => ((written += 1) === 2 ? stuck : Promise.resolve());
  void desk.press("confirm", operation);
  await waitFor(() => written === 2);
  expect(allowances()).toHaveLength(1);
  desk.pass(600_000);
  const lease = (await desk.services.operations.replaceAndHold((await desk.services.operations.get(operation))!))
    ?.lease;
  if (lease !== undefined) await desk.redis.zadd("{bulkhead}:leases", "0", operation);
  const takeover = createTakeover(desk.services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
  expect((await desk.services.operations.get(operation))?.result?.headline).toContain("confirmed too long ago");
  expect(allowances()).toEqual([]);
});

test("An extension that was not finished holds nothing open for longer, and is nobody else's alteration", async () => {
  const { operation = "" } = await desk.type(toDb);
  await desk.press("confirm", operation);
  const { cluster } = desk.services.clusters.get("sandbox")!;
  const as = { ...cluster };
  let patched = 0;
  const patchPolicy: typeof cluster.patchPolicy = (...asked) =>
    (patched += 1) === 2 ? Promise.reject(new Error("no answer")) : as.patchPolicy(...asked);
  Object.assign(cluster, { patchPolicy });
  expect((await desk.type(`extend ${operation} 60m`)).outcome).toBe("failed");
  const records = createAllowanceRecords(desk.services);
  expect(await records.secondsOf(operation)).toBe(5_400);
  desk.pass(60_000);
  expect(await records.secondsOf(operation)).toBe(1_800);
  const nets = createNets({ services: desk.services, outletFor: () => desk.outlet });
  await nets.sweep();
  expect((await desk.services.operations.get(operation))?.result?.lines.join()).not.toContain("ALTERED");
  await nets.stop();
});

describe("Ending one by hand", () => {
  const relabel = (labels: Record<string, string>) => {
    for (const object of desk.sandbox.objects("NetworkPolicy")) {
      if (object.metadata.name.startsWith("bulkhead-a-"))
        desk.sandbox.apply({ ...object, metadata: { ...object.metadata, labels } });
    }
  };

  test("closes also what somebody has taken the labels off", async () => {
    const { operation = "" } = await desk.type(toDb);
    await desk.press("confirm", operation);
    relabel({});
    expect((await desk.type(`end ${operation}`)).headline).toMatch(/^CLOSED: .* ended by alice/);
    expect(allowances()).toEqual([]);
  });

  test("closes also what bears the label of a quarantine now, since its name says what it is", async () => {
    const { operation = "" } = await desk.type(toDb);
    await desk.press("confirm", operation);
    relabel({ [marks.kind]: "quarantine" });
    expect((await desk.type(`end ${operation}`)).headline).toMatch(/^CLOSED: .* ended by alice/);
    expect(allowances()).toEqual([]);
  });
});

test("Of two clicks on Confirm, the second carries out no plan that was drawn anew by the first", async () => {
  const { operation } = await desk.type(toDb);
  templates = templates.map((one) => ({ ...one, version: "0123456789ab" }));
  await Promise.all([desk.press("confirm", operation), desk.press("confirm", operation)]);
  expect(wordsIn(await desk.press("confirm", operation))).toContain("The cluster changed since this plan was shown");
  expect(allowances()).toEqual([]);
  desk.pass(1_000);
  expect((await desk.press("confirm", operation)).headline).toMatch(/^OPEN until /);
});
