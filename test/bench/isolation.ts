import { randomBytes } from "node:crypto";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { type Connection, createConnection } from "../../src/kubernetes/connection.ts";
import type { QuarantinePlan } from "../../src/policy/plan.ts";
import { approvalSettings } from "../commands/approval-settings.ts";
import { canarySettings } from "../commands/canary-settings.ts";
import { startDesk, type TestDesk } from "../commands/desk.ts";
import { waitFor } from "../wait.ts";
import { type BareWrites, createBareWrites } from "./bare-writes.ts";
import type { Row } from "./figures.ts";
import { bulkPod, manyPods } from "./many-pods.ts";

const pairs = 20;
const warmUp = 3;
const lastWrite = "labels off";
const verified = "read back";

/**
 * Quarantines bare pods on the cluster of the kubeconfig, each beside another pod of the same kind whose planned
 * writes are sent bare, in turns of who is first. Everything lies in a namespace that is deleted at the end.
 */
export async function measureIsolation(
  kubeconfig: string,
): Promise<{ readonly version: string; readonly rows: readonly Row[] }> {
  const source = { kind: "files", paths: kubeconfig.split(":") } as const;
  const connection = createConnection({ source, now: Date.now });
  const cluster = await createCluster("bench", connection, { now: Date.now, watch: true });
  const namespace = `bulkhead-bench-${randomBytes(4).toString("hex")}`;
  const bulk = `${namespace}-bulk`;
  const bare = createBareWrites(await connection.credentials());
  const steps = new Map<string, number>();
  const desk = await startDesk({
    services: {
      settings: settingsFor(namespace),
      clusters: new Map([["bench", { cluster, enforcement: "enforced" }]]),

      now: Date.now,
      wait: () => Promise.resolve(),
      meter: (event) => void (event.kind === "step" && steps.set(event.step, performance.now())),
    },
  });
  try {
    await populate(connection, namespace);
    await fill(connection, bulk);
    await waitFor(async () => (await cluster.facts(bulk, "cache")).pods.length === manyPods, { timeoutMs: 20_000 });
    const { gitVersion } = (await connection.request("GET", "/version")) as { gitVersion: string };
    return { version: gitVersion, rows: await compare({ desk, bare, namespace, steps }) };
  } finally {
    for (const name of [namespace, bulk]) await connection.request("DELETE", `/api/v1/namespaces/${name}`);
    await Promise.all([desk.close(), bare.close(), cluster.close()]);
  }
}

function settingsFor(namespace: string): TestDesk["services"]["settings"] {
  return {
    access: { rules: [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: [namespace] }], people: [] },
    protectedNamespaces: [],
    ownNamespace: "bulkhead",
    redisService: undefined,
    endpoints: [],
    settleMs: 0,
    realiseMs: 2_000,
    writesCalicoStorage: false,
    detach: true,
    requiresReaper: false,
    limits: { pods: 5, perPerson: 1_000, perCluster: 1_000 },
    clusters: { home: "bench", defaultCluster: undefined, channels: {} },
    ...approvalSettings,
    canary: canarySettings,
  };
}

/** No scheduler takes these pods, so that nothing else writes them; a Service selects them by one of their labels. */
async function populate(connection: Connection, namespace: string): Promise<void> {
  await connection.request("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  const post = (kind: string, body: object) =>
    connection.request("POST", `/api/v1/namespaces/${namespace}/${kind}`, { body });
  await post("services", { metadata: { name: "bench" }, spec: { selector: { app: "bench" }, ports: [{ port: 80 }] } });
  const containers = [{ name: "main", image: "none.invalid/main" }];
  const spec = { containers, schedulerName: "bulkhead-bench-none", terminationGracePeriodSeconds: 0 };
  const labels = { app: "bench", tier: "backend" };
  for (let number = 0; number < 2 * (pairs + warmUp); number += 1) {
    // A new namespace takes pods once its service account is there.
    const create = () => post("pods", { metadata: { name: podName(number), labels }, spec }).catch(() => undefined);
    await waitFor(create, { timeoutMs: 10_000 });
  }
}

/** 10 000 pods that nothing takes, 40 at a time. */
async function fill(connection: Connection, namespace: string): Promise<void> {
  await connection.request("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const post = (index: number) => connection.request("POST", path, { body: ownedByNobody(bulkPod(index, namespace)) });
  await waitFor(() => post(0).catch(() => undefined), { timeoutMs: 10_000 });
  let next = 1;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < manyPods; index = next++) await post(index);
  };
  await Promise.all(Array.from({ length: 40 }, worker));
}

/** Its owner is not there, for which the garbage collection would delete it. */
function ownedByNobody(pod: object): object {
  const { metadata, ...rest } = pod as { readonly metadata: { readonly ownerReferences?: unknown } };
  const { ownerReferences: _, ...kept } = metadata;
  return { ...rest, metadata: kept };
}

type Contest = {
  readonly desk: TestDesk;
  readonly bare: BareWrites;
  readonly namespace: string;
  /** When each step of the running quarantine was done, by performance.now. */
  readonly steps: Map<string, number>;
};

async function compare(contest: Contest): Promise<readonly Row[]> {
  const ours: Times[] = [];
  const bare: number[] = [];
  for (let pair = 0; pair < pairs + warmUp; pair += 1) {
    const quarantine = async () => void ours.push(await timeQuarantine(contest, podName(2 * pair)));
    const write = async () => void bare.push(await timeBare(contest, podName(2 * pair + 1)));
    for (const one of pair % 2 === 0 ? [quarantine, write] : [write, quarantine]) await one();
  }
  const row = (name: string, of: (times: Times) => number) => ({ name, times: ours.slice(warmUp).map(of) });
  return [
    row("confirm to isolated: last write answered", ({ written }) => written),
    row("confirm to isolated and read back", ({ readBack }) => readBack),
    row("confirm to the final card: outcome audited", ({ shown }) => shown),
    row("  of it until the policy is written", ({ policy }) => policy),
    { name: "the three writes alone, bare HTTP", times: bare.slice(warmUp) },
  ];
}

/** Milliseconds since Confirm. */
type Times = { readonly policy: number; readonly written: number; readonly readBack: number; readonly shown: number };

async function timeQuarantine({ desk, namespace, steps }: Contest, pod: string): Promise<Times> {
  const { operation } = await planned(desk, `${namespace}/${pod}`);
  steps.clear();
  const start = performance.now();
  const reply = await desk.press("confirm", operation);
  const shown = performance.now() - start;
  const since = (step: string): number => {
    const at = steps.get(step);
    if (at === undefined) throw new Error(`${pod} was not isolated: ${reply.headline}`);
    return at - start;
  };
  return { policy: since("policy written"), written: since(lastWrite), readBack: since(verified), shown };
}

async function timeBare({ desk, bare, namespace }: Contest, pod: string): Promise<number> {
  const { plan } = await planned(desk, `${namespace}/${pod}`);
  const start = performance.now();
  await bare.write(plan);
  return performance.now() - start;
}

async function planned(
  desk: TestDesk,
  target: string,
): Promise<{ readonly operation: string; readonly plan: QuarantinePlan }> {
  const { operation = "", headline } = await desk.type(`quarantine ${target} bench`);
  const plan = (await desk.services.operations.get(operation))?.plan;
  if (plan?.kind !== "quarantine") throw new Error(`no plan for ${target}: ${headline}`);
  if (plan.strip.every(({ op }) => op !== "remove")) throw new Error(`the plan for ${target} takes no label off`);
  return { operation, plan };
}

function podName(number: number): string {
  return `pod-${number}`;
}
