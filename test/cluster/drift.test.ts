import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Outlet } from "../../src/commands/desk.ts";
import { createDriftWatch, type DriftWatch } from "../../src/commands/drift-watch.ts";
import type { Reply } from "../../src/commands/reply.ts";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { DriftRecord } from "../../src/policy/drift.ts";
import { marks } from "../../src/policy/marks.ts";
import { connectTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type BotDesk, createBotDesk } from "./bot-desk.ts";
import { type Deployed, deployBulkhead } from "./deployed.ts";
import { kubectl } from "./kubectl.ts";

/** What somebody else does to a quarantine on a real control plane, seen by three replicas with the rights of deploy/ and no more. */
const namespace = `drift-${randomBytes(4).toString("hex")}`;
const patience = { timeoutMs: 60_000, everyMs: 100 };

let redis: Awaited<ReturnType<typeof connectTestRedis>>;
let deployed: Deployed;
let clusters: readonly Cluster[];
let watches: readonly DriftWatch[];
let desk: BotDesk;
let shown: { readonly reply: Reply; readonly at: number }[] = [];
let driftRestores = 0;
let pods = 0;
let pod: string;
let operation: string;

beforeAll(async () => {
  redis = await connectTestRedis();
  await kubectl(["create", "namespace", namespace]);
  await waitFor(() => kubectl(["get", "serviceaccount", "default", "-n", namespace]).catch(() => undefined), patience);
  deployed = await deployBulkhead([namespace]);
  clusters = await Promise.all(
    [1, 2, 3].map(() => {
      const connection = createConnection({ source: { kind: "text", text: deployed.kubeconfig }, now: Date.now });
      return createCluster("real", connection, { now: Date.now, watch: true });
    }),
  );
  await waitFor(() => clusters.every((one) => one.watches().every(({ synced }) => synced)), patience);
  const outlet: Outlet = {
    show(reply, card) {
      shown.push({ reply, at: Date.now() });
      return Promise.resolve({ card: card ?? { channel: "C1", ts: reply.operation ?? "message" }, reached: true });
    },
  };
  desk = createBotDesk(clusters[0]!, redis, [namespace]);
  watches = clusters.map((cluster) => {
    const { services } = createBotDesk(cluster, redis, [namespace]);
    const watched = {
      ...services,
      get settings() {
        return { ...services.settings, driftRestores };
      },
    };
    return createDriftWatch({ services: watched, outletFor: () => outlet });
  });
}, 120_000);

afterAll(async () => {
  await Promise.all((watches ?? []).map((watch) => watch.stop()));
  await Promise.all((clusters ?? []).map((cluster) => cluster.close()));
  redis?.disconnect();
  await deployed?.remove();
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
}, 120_000);

beforeEach(async () => {
  pods += 1;
  pod = `alone-${pods}`;
  driftRestores = 0;
  const labels = { app: "alone", tier: "web", one: pod };
  const containers = [{ name: "main", image: "none.invalid/main" }];
  await apply({ apiVersion: "v1", kind: "Pod", metadata: { name: pod, labels }, spec: { containers } });
  await apply(policy("for-web", { podSelector: { matchLabels: { tier: "web" } }, ingress: [{}] }));
  const plan = await desk.type(`quarantine ${namespace}/${pod}`);
  operation = plan.operation!;
  const done = await desk.confirm(operation);
  expect(done.headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
  shown = [];
}, 60_000);

const deny = () => `bulkhead-${operation}`;

const meddlings: readonly {
  readonly what: string;
  readonly kind: DriftRecord["kind"];
  readonly by: () => Promise<unknown>;
}[] = [
  { what: "Its policy is deleted", kind: "object-deleted", by: () => inNamespace("delete", "networkpolicy", deny()) },
  {
    what: "Its policy is changed",
    kind: "object-changed",
    by: () => patch("networkpolicy", deny(), { spec: { egress: [{}] } }),
  },
  {
    what: "Its marks are taken off",
    kind: "marks-off",
    by: () => patch("networkpolicy", deny(), { metadata: { labels: { [marks.operation]: null } } }),
  },
  {
    what: "The pod's quarantine label is taken off",
    kind: "label-off",
    by: () => inNamespace("label", "pod", pod, `${marks.quarantine}-`),
  },
  {
    what: "Labels are put back on the pod",
    kind: "labels-back",
    by: () => inNamespace("label", "pod", pod, "tier=web"),
  },
];

for (const { what, kind, by } of meddlings) {
  test(`${what}: told once within 2 s by three replicas, and put back by a person`, async () => {
    await by();
    await toldWithin(what, kind, Date.now());
    expect((await desk.confirm(operation, "show")).buttons.map(({ action }) => action)).toContain("restore");
    await desk.confirm(operation, "restore");
    await waitFor(
      async () => (await desk.type(`drift ${namespace}`)).headline === `No drift in ${namespace}`,
      patience,
    );
    // What those labels opened by a policy is over with the next look.
    await waitFor(async () => isIsolated(await desk.confirm(operation, "show")), patience);
    expect(messages(/^(NOT ISOLATED as it was|Changed by somebody else)/)).toBe(1);
    expect(desk.errors()).toEqual([]);
  });
}

test("A new policy that opens the pod again: told within 2 s with who made it, and over when it goes", async () => {
  await apply(
    policy("open-all", { podSelector: { matchLabels: { one: pod } }, policyTypes: ["Egress"], egress: [{}] }),
  );
  await toldWithin("A policy opens the pod again", "re-opened", Date.now());
  const card = await desk.confirm(operation, "show");
  expect(card.headline).toMatch(/^NOT ISOLATED: policy open-all still lets it out/);
  expect(JSON.stringify(card.sections)).toContain("by the program kubectl");
  await inNamespace("delete", "networkpolicy", "open-all");
  await waitFor(() => messages(/^As it was again/) === 1, patience);
  expect(await desk.confirm(operation, "show")).toSatisfy(isIsolated);
});

test("A controller that changes it back again and again: Bulkhead stops where configured, and says who fights", async () => {
  driftRestores = 2;
  let changes = 0;
  const fight = new AbortController();
  const controller = (async () => {
    while (!fight.signal.aborted) {
      const now = await inNamespace("get", "networkpolicy", deny(), "-o", "jsonpath={.spec.egress}");
      if (now.trim() === "" || now.trim() === "[]") {
        changes += 1;
        await patch("networkpolicy", deny(), { spec: { egress: [{}] } }, "other-controller");
      }
      await pause(100);
    }
  })();
  await waitFor(
    async () => (await records()).some(({ fights, toldAt }) => fights === 2 && toldAt !== undefined),
    patience,
  );
  await Promise.all(watches.map((watch) => watch.sweep()));
  await pause(3_000);
  fight.abort();
  await controller;
  expect(changes).toBe(3);
  const card = JSON.stringify((await desk.confirm(operation, "show")).sections);
  expect(card).toMatch(/for the 3rd time, by the program other-controller\. Bulkhead put it back by itself 2 times/);
}, 120_000);

function isIsolated({ headline }: Reply): boolean {
  return headline.startsWith("ISOLATED FOR NEW CONNECTIONS");
}

async function records(): Promise<readonly DriftRecord[]> {
  return (await desk.services.operations.get(operation))?.drift?.records ?? [];
}

/** From when the change was answered, as kubectl takes as long as it takes. */
async function toldWithin(what: string, kind: DriftRecord["kind"], since: number): Promise<void> {
  await waitFor(async () => (await records()).some((one) => one.kind === kind && one.toldAt !== undefined), patience);
  const told = (await records()).find((one) => one.kind === kind)!;
  process.stdout.write(`${what}: told ${told.toldAt! - since} ms after kubectl was answered\n`);
  expect(told.toldAt! - since).toBeLessThan(2_000);
}

function messages(headline: RegExp): number {
  return shown.filter(({ reply }) => reply.headline.includes(operation) && headline.test(reply.headline)).length;
}

function policy(name: string, spec: object) {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
}

function apply(object: object): Promise<string> {
  return kubectl(["apply", "-n", namespace, "-f", "-"], { input: JSON.stringify(object) });
}

function inNamespace(...args: readonly string[]): Promise<string> {
  return kubectl([...args, "-n", namespace]);
}

function patch(kind: string, name: string, change: object, manager = "kubectl-patch"): Promise<string> {
  return inNamespace("patch", kind, name, "--type=merge", `--field-manager=${manager}`, "-p", JSON.stringify(change));
}
