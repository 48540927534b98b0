import { simulateContainment } from "../../src/commands/containment.ts";
import { impactOf } from "../../src/commands/impact.ts";
import { residualOf } from "../../src/commands/residual-words.ts";
import { change } from "../../src/simulator/change.ts";
import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { connections } from "../../src/simulator/connections.ts";
import { decide } from "../../src/simulator/decide.ts";
import { delta } from "../../src/simulator/delta.ts";
import { leaks } from "../../src/simulator/leaks.ts";
import { reach } from "../../src/simulator/reach.ts";
import type { SimulatedPod, Snapshot } from "../../src/simulator/snapshot.ts";
import { simulatedCluster } from "./simulated-cluster.ts";

/** One process, one size: milliseconds of each job, and MiB of heap that stay in use; the last of the two is of a baseline. */
export type SimulatorReading = {
  readonly compile: readonly [ms: number, parseMs: number];
  readonly reach: readonly [ms: number, oneByOneMs: number];
  readonly delta: readonly [ms: number, anewMs: number];
  readonly leaks: readonly [ms: number, oneByOneMs: number];
  readonly plan: readonly [ms: number, compileMs: number];
  readonly connectivity: readonly [ms: number, oneByOneMs: number];
  readonly heapMib: readonly [simulator: number, snapshot: number];
};

/** Questions asked one at a time, of which the baseline's whole is reckoned. */
const sample = 20_000;

const [pods = "100", kind = "alike"] = process.argv.slice(2);
const before = heapMib();
const text = JSON.stringify(simulatedCluster(Number(pods), kind === "distinct"));
const [snapshot, parseMs] = timed(() => JSON.parse(text) as Snapshot);
const parsed = heapMib();
const [simulator, compileMs] = timed(() => compileIt(snapshot));
const middle = snapshot.pods[snapshot.pods.length >> 1];
if (middle === undefined) throw new Error("a cluster without pods");
const [, reachMs] = timed(() => reach(simulator, middle));
const [, deltaMs] = timed(() => quarantine(simulator, middle));
const leaksMs = leaksOfQuarantineMs(simulator, middle);
const [, planMs] = timed(() => planOf(snapshot, middle));
const [, connectivityMs] = timed(() => [...connections(simulator)].length);
const heap: SimulatorReading["heapMib"] = [heapMib() - parsed, parsed - before];
const questionMs = oneQuestionMs(simulator);
const workloads = snapshot.pods.length / 10;
const reading: SimulatorReading = {
  compile: [compileMs, parseMs],
  reach: [reachMs, questionMs * 2 * (snapshot.pods.length - 1)],
  delta: [deltaMs, timed(() => quarantine(compileIt(snapshot), middle))[1]],
  leaks: [leaksMs, questionMs * 2 * (snapshot.pods.length - 1)],
  plan: [planMs, compileMs],
  connectivity: [connectivityMs, questionMs * workloads * (workloads - 1)],
  heapMib: heap,
};
process.stdout.write(JSON.stringify(reading));

function compileIt(given: Snapshot): Simulator {
  return compile(given, { engine: undefined, ipBlockMatchesPods: false });
}

/** What the plan of a quarantine would ask: one policy more, and one pod with other labels. */
function quarantine(given: Simulator, pod: SimulatedPod): number {
  const { after, isolated } = quarantined(given, pod);
  return delta(given, after, new Map([[isolated, pod]])).length;
}

/** What it leaves open: DNS, since the policy for it selects whatever the labels. */
function leaksOfQuarantineMs(given: Simulator, pod: SimulatedPod): number {
  const { after, isolated, policy } = quarantined(given, pod);
  const [found, ms] = timed(() => leaks(after, [isolated], [policy]));
  if (found.length === 0) throw new Error("DNS should have stayed open");
  return ms;
}

/** All that a plan says of connections, from what was read on: compiled anew, changed, what stays open, what is cut in words. */
function planOf(given: Snapshot, pod: SimulatedPod): number {
  const labels = { "bulkhead.dev/quarantine": "q-1" };
  const { namespace, name = "" } = pod;
  const policy = policyFor(pod, labels);
  const simulated = { engine: undefined, ipBlockMatchesPods: false };
  const containment = { objects: [policy], labels: new Map([[pod, labels]]), changed: new Map() };
  const change = simulateContainment(given, { simulated, engines: [] }, containment);
  const stays = residualOf(change.after, change.subjects, [policy]);
  const nothing = { pods: [], budgets: [], accounts: [], bindings: [], namespaceLabels: {}, unread: [] };
  const { loses } = impactOf({ ...nothing, namespace, contained: [{ name, labels: pod.labels, ready: true }] }, change);
  if (stays.length === 0 || loses.length === 0) throw new Error("a quarantine should have left and cut something");
  return loses.length;
}

function quarantined(given: Simulator, pod: SimulatedPod) {
  const labels = { "bulkhead.dev/quarantine": "q-1" };
  const isolated = { ...pod, labels };
  const policy = policyFor(pod, labels);
  const after = change(given, { added: [policy], pods: new Map([[pod, isolated]]) });
  return { after, isolated, policy };
}

function policyFor({ namespace }: SimulatedPod, matchLabels: Readonly<Record<string, string>>) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "quarantine", namespace },
    spec: { podSelector: { matchLabels }, policyTypes: ["Ingress", "Egress"] },
  };
}

/** Of one connection on one port, between pods taken from all over. */
function oneQuestionMs(given: Simulator): number {
  const all = given.snapshot.pods;
  const [, ms] = timed(() => {
    for (let i = 0; i < sample; i += 1) {
      const [from, to] = [all[(i * 7_919) % all.length], all[(i * 104_729 + 1) % all.length]];
      if (from === undefined || to === undefined) throw new Error("a cluster without pods");
      const end = (pod: SimulatedPod) => ({ kind: "pod" as const, pod });
      decide(given, { from: end(from), to: end(to), protocol: "TCP", port: 8_080 });
    }
  });
  return ms / sample;
}

function timed<T>(work: () => T): readonly [T, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

function heapMib(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
