import { expect, test } from "vitest";
import { type RealisedQuestion, waitForRealised } from "../../src/commands/realised.ts";
import { KubernetesError } from "../../src/kubernetes/failure.ts";
import type { Manifest, ManifestReference } from "../../src/policy/manifest.ts";

const antrea = { apiVersion: "crd.antrea.io/v1beta1", kind: "NetworkPolicy", metadata: { name: "p", namespace: "a" } };
const cilium = { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", metadata: { name: "p", namespace: "a" } };
const plain = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace: "a" } };
const pods = [{ namespace: "a", name: "web-1", nodeName: "n1" }];

/** A clock that waiting moves, and a cluster whose objects are as `statusOf` says at that time. */
function waiting(statusOf: (asked: ManifestReference, ms: number) => unknown, given: Partial<RealisedQuestion>) {
  let ms = 0;
  const getObject = (asked: ManifestReference): Promise<Manifest | undefined> => {
    const status = statusOf(asked, ms);
    if (status instanceof Error) return Promise.reject(status);
    return Promise.resolve(status === undefined ? undefined : { ...asked, spec: {}, status });
  };
  const services = { now: () => ms, wait: (by: number) => Promise.resolve(void (ms += by)) };
  const question = {
    settleMs: 2_000,
    realiseMs: 15_000,
    quarantine: "q-1",
    plugin: undefined,
    pods,
    objects: [],
    ...given,
  };
  return waitForRealised({ cluster: { getObject }, services, ...question }).then((realised) => ({ ...realised, ms }));
}

const ofAntrea = (phase: string) => ({
  phase,
  observedGeneration: 0,
  currentNodesRealized: 1,
  desiredNodesRealized: 1,
});
const side = { enforcing: true };
const endpoint = { state: "ready", identity: { labels: ["k8s:bulkhead.dev/quarantine=q-1"] } };

test("An engine that tells is waited for until it says so, and no longer", async () => {
  const status = (_: ManifestReference, ms: number) => ofAntrea(ms < 3_000 ? "Realizing" : "Realized");
  expect(await waiting(status, { objects: [plain, antrea], plugin: "Antrea" })).toEqual({
    state: "realised",
    words: "as Antrea reports",
    ms: 3_000,
  });
});

test("An engine that does not say so in time is given up", async () => {
  expect(await waiting(() => ofAntrea("Realizing"), { objects: [antrea], plugin: "Antrea" })).toEqual({
    state: "not-in-time",
    words: "Antrea has not reported NetworkPolicy (crd.antrea.io) a/p as in force within 15 s",
    ms: 15_000,
  });
});

test("An engine that has no status is given the time to settle", async () => {
  expect(await waiting(() => ({}), { objects: [plain], plugin: "Calico" })).toEqual({
    state: "no-status",
    words: "this engine has no status",
    ms: 2_000,
  });
});

test("A failure is told at once, with the engine's words cut short", async () => {
  const conditions = [{ type: "Valid", status: "False", message: "x".repeat(500) }];
  const failed = await waiting(() => ({ conditions }), { objects: [plain, cilium], plugin: "Cilium", pods: [] });
  expect(failed).toMatchObject({ state: "failed", ms: 0 });
  expect(failed.words).toMatch(/^Cilium reports of CiliumNetworkPolicy a\/p: x{79}…$/);
});

test("Cilium is asked for the pod's endpoint, for a NetworkPolicy too", async () => {
  const asked: string[] = [];
  const status = ({ kind, metadata }: ManifestReference, ms: number) => {
    asked.push(`${kind} ${metadata.namespace}/${metadata.name}`);
    return ms < 1_000
      ? { ...endpoint, state: "regenerating" }
      : { ...endpoint, policy: { ingress: side, egress: side } };
  };
  expect(await waiting(status, { objects: [plain], plugin: "Cilium" })).toEqual({
    state: "realised",
    words: "as Cilium reports",
    ms: 1_000,
  });
  expect(new Set(asked)).toEqual(new Set(["CiliumEndpoint a/web-1"]));
});

test("A Cilium that keeps the pod's state to itself, or lets nobody read it, is given the time to settle", async () => {
  const forbidden = new KubernetesError({ kind: "forbidden", code: 403, message: "no", retryAfterMs: undefined });
  for (const answer of [endpoint, forbidden]) {
    const status = ({ kind }: ManifestReference) => (kind === "CiliumEndpoint" ? answer : {});
    expect(await waiting(status, { objects: [plain, cilium], plugin: "Cilium" })).toEqual({
      state: "no-status",
      words: "Cilium keeps its state of the pod to itself",
      ms: 2_000,
    });
  }
});

test("OVN-Kubernetes tells of the object and not of the pod, so that it is given the time to settle besides", async () => {
  const admin = {
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "AdminNetworkPolicy",
    metadata: { name: "p" },
  };
  const conditions = [{ type: "Ready-In-Zone-n1", status: "True" }];
  expect(await waiting(() => ({ conditions }), { objects: [plain, admin], plugin: "OVN-Kubernetes" })).toEqual({
    state: "realised",
    words: "as the network plugin reports",
    ms: 2_000,
  });
});

test("A cluster that does not answer has not said so in time; one that answers again is believed", async () => {
  const silent = new KubernetesError({ kind: "timeout", message: "silent", retryAfterMs: undefined });
  expect(await waiting(() => silent, { objects: [antrea] })).toMatchObject({ state: "not-in-time", ms: 15_000 });
  const back = (_: ManifestReference, ms: number) => (ms < 4_000 ? silent : ofAntrea("Realized"));
  expect(await waiting(back, { objects: [antrea] })).toMatchObject({ state: "realised", ms: 4_000 });
});

test("Of very many pods fifty are asked, and that is said", async () => {
  const many = Array.from({ length: 120 }, (_, i) => ({ namespace: "a", name: `web-${i}`, nodeName: "n1" }));
  let asked = 0;
  const status = () => {
    asked += 1;
    return { ...endpoint, policy: { ingress: side, egress: side } };
  };
  expect(await waiting(status, { plugin: "Cilium", pods: many })).toMatchObject({
    words: "as Cilium reports for 50 of 120 pods",
  });
  expect(asked).toBe(50);
});

test("An object that is gone again is not in force", async () => {
  expect(await waiting(() => undefined, { objects: [antrea] })).toMatchObject({ state: "not-in-time" });
});

test("Cilium that keeps no endpoints says nothing of the pod, by the end", async () => {
  const answer = await waiting(() => undefined, { plugin: "Cilium", objects: [] });
  expect(answer).toMatchObject({ state: "no-status", words: "Cilium keeps its state of the pod to itself" });
});
