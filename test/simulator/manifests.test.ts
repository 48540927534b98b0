import { describe, expect, test } from "vitest";
import { readManifests } from "../../src/simulator/manifests.ts";

function read(text: string, path = "all.yaml") {
  return readManifests([{ path, text }]);
}

/** `payments/checkout[Deployment]` and, for a pod, its name. */
function pods(text: string): readonly string[] {
  return read(text).snapshot.pods.map(({ workload: { namespace, name, kind }, name: pod }) =>
    [`${namespace}/${name}[${kind}]`, ...(pod === undefined ? [] : [pod])].join(" "),
  );
}

const template = "template: {metadata: {labels: {app: a}}, spec: {containers: []}}";

describe("Workloads", () => {
  test.each(["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"])("a %s stands by its pod template", (kind) => {
    const text = `{apiVersion: apps/v1, kind: ${kind}, metadata: {name: x, namespace: n}, spec: {${template}}}`;
    expect(pods(text)).toEqual([`n/x[${kind}]`]);
    expect(read(text).snapshot.pods[0]?.labels).toEqual({ app: "a" });
  });

  test("a Job, a CronJob and a ReplicationController too", () => {
    const text = `
{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {${template}}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {${template}}}}}
---
{apiVersion: v1, kind: ReplicationController, metadata: {name: r}, spec: {${template}}}`;
    expect(pods(text)).toEqual(["default/c[CronJob]", "default/j[Job]", "default/r[ReplicationController]"]);
  });

  test("a Job's pods have its name for a label, unless it selects by hand", () => {
    const labels = (more: string) =>
      read(`{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {${more}${template}}}`).snapshot.pods[0]
        ?.labels;
    expect(labels("")).toEqual({ app: "a", "job-name": "j", "batch.kubernetes.io/job-name": "j" });
    expect(labels("manualSelector: true, ")).toEqual({ app: "a" });
  });

  test("a pod is its controller's, and without one its own", () => {
    const text = `
{apiVersion: v1, kind: Pod, metadata: {name: a-1, ownerReferences: [{kind: Job, name: a, controller: true}]}, spec: {}}
---
{apiVersion: v1, kind: Pod, metadata: {name: b, ownerReferences: [{kind: Thing, name: x}]}, spec: {}}`;
    expect(pods(text)).toEqual(["default/a[Job] a-1", "default/b[Pod] b"]);
  });

  test("a static pod is its own, and not its node's; an owner of no kind is named as its pod is", () => {
    const pod = (name: string, owner: string) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, ownerReferences: [{${owner}, controller: true}]}, spec: {}}`;
    const text = [pod("etcd-n1", "kind: Node, name: n1"), pod("api-n1", "kind: Node, name: n1"), pod("a-1", "name: a")];
    expect(pods(text.join("\n---\n"))).toEqual([
      "default/a[Pod] a-1",
      "default/api-n1[Pod] api-n1",
      "default/etcd-n1[Pod] etcd-n1",
    ]);
  });

  test("a Deployment with its ReplicaSet and its pods is one workload, which its pods stand for", () => {
    const objects = [
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {${template}}}`,
      `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: a-7d, ownerReferences: [{kind: Deployment, name: a, controller: true}]}, spec: {${template}}}`,
      `{apiVersion: v1, kind: Pod, metadata: {name: a-7d-x, labels: {pod-template-hash: 7d}, ownerReferences: [{kind: ReplicaSet, name: a-7d, controller: true}]}, spec: {}}`,
    ];
    expect(pods(objects.join("\n---\n"))).toEqual(["default/a[Deployment] a-7d-x"]);
    expect(pods([objects[0], objects[1]].join("\n---\n"))).toEqual(["default/a[Deployment]"]);
    expect(pods([objects[0], objects[2]].join("\n---\n"))).toEqual(["default/a[Deployment] a-7d-x"]);
    expect(pods(objects[2] ?? "")).toEqual(["default/a-7d[ReplicaSet] a-7d-x"]);
  });

  test("a pod of a Job that a CronJob made is the CronJob's", () => {
    const owned = (kind: string, name: string) => `ownerReferences: [{kind: ${kind}, name: ${name}, controller: true}]`;
    const objects = [
      `{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {${template}}}}}`,
      `{apiVersion: batch/v1, kind: Job, metadata: {name: c-1, ${owned("CronJob", "c")}}, spec: {${template}}}`,
      `{apiVersion: v1, kind: Pod, metadata: {name: c-1-x, ${owned("Job", "c-1")}}, spec: {}}`,
    ];
    expect(pods(objects.join("\n---\n"))).toEqual(["default/c[CronJob] c-1-x"]);
    expect(pods(objects[2] ?? "")).toEqual(["default/c-1[Job] c-1-x"]);
  });

  test("finished pods are left out", () => {
    const pod = (name: string, phase: string) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {}, status: {phase: ${phase}}}`;
    expect(pods([pod("a", "Succeeded"), pod("b", "Failed"), pod("c", "Running")].join("\n---\n"))).toEqual([
      "default/c[Pod] c",
    ]);
  });

  test("pods that are only generated names stay apart", () => {
    const pod = "{apiVersion: v1, kind: Pod, metadata: {generateName: job-}, spec: {}}";
    expect(pods(`${pod}\n---\n${pod}`)).toHaveLength(2);
  });

  test("what decides is read: account, named ports with those of sidecars, addresses, node", () => {
    const text = `
apiVersion: v1
kind: Pod
metadata: { name: p }
spec:
  serviceAccountName: pay
  nodeName: n1
  hostNetwork: true
  containers: [{ ports: [{ name: web, containerPort: 80 }, { containerPort: 81 }] }, {}]
  initContainers:
    - { restartPolicy: Always, ports: [{ name: mesh, containerPort: 15, protocol: UDP }] }
    - { ports: [{ name: init, containerPort: 16 }] }
status: { podIP: 10.0.0.1, podIPs: [{ ip: 10.0.0.1 }, { ip: "2001:db8::1" }] }`;
    expect(read(text).snapshot.pods[0]).toMatchObject({
      serviceAccount: "pay",
      node: "n1",
      hostNetwork: true,
      addresses: ["10.0.0.1", "2001:db8::1"],
      ports: [
        { name: "web", protocol: "TCP", port: 80 },
        { name: "mesh", protocol: "UDP", port: 15 },
      ],
    });
  });
});

describe("Namespaces", () => {
  test("every namespace has its name as a label, with an object or without, whatever the object says", () => {
    const text = `
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: x, kubernetes.io/metadata.name: lie}}}
---
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: b}, spec: {}}
---
{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {}}`;
    expect(read(text).snapshot.namespaces).toEqual([
      { name: "a", labels: { team: "x", "kubernetes.io/metadata.name": "a" } },
      { name: "b", labels: { "kubernetes.io/metadata.name": "b" } },
      { name: "default", labels: { "kubernetes.io/metadata.name": "default" } },
    ]);
  });
});

test("A policy is of its namespace or of default, and a cluster-wide one of none, whatever it says", () => {
  const text = `
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, spec: {}}
---
{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: b, namespace: x}, spec: {}}`;
  const { policies, namespaces } = read(text).snapshot;
  expect(policies.map(({ metadata }) => metadata.namespace)).toEqual(["default", undefined]);
  expect(namespaces.map(({ name }) => name)).toEqual(["default"]);
});

describe("Documents", () => {
  test("Lists are opened, whatever their kind, and their items may leave their kind to them", () => {
    const text = `
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: PodList, items: [{ metadata: { name: a }, spec: {} }] }
  - { apiVersion: v1, kind: Pod, metadata: { name: b }, spec: {} }`;
    expect(pods(text)).toEqual(["default/a[Pod] a", "default/b[Pod] b"]);
  });

  test("kinds that do not matter are left out in silence, what is no object with a word", () => {
    const text = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: Not_Even_A_Name}}
---
{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: s}}
---
{replicas: 3}`;
    const { snapshot, broken, warnings } = read(text);
    expect(snapshot).toEqual({ namespaces: [], pods: [], services: [], policies: [] });
    expect(broken).toEqual([]);
    expect(warnings).toEqual(["all.yaml: document 3: is no Kubernetes object (no apiVersion, no kind): left out"]);
  });

  test("a kind that is misspelt by case or number is broken, and not one that does not matter", () => {
    const text = ["networkPolicy", "networkpolicies", "NetworkPolicies", "NetworkPolicys"]
      .map((kind) => `{apiVersion: networking.k8s.io/v1, kind: ${kind}, metadata: {name: a}, spec: {}}`)
      .join("\n---\n");
    expect(read(text).broken).toEqual([
      "all.yaml: document 1: kind: is networkPolicy; it must be NetworkPolicy",
      "all.yaml: document 2: kind: is networkpolicies; it must be NetworkPolicy",
      "all.yaml: document 3: kind: is NetworkPolicies; it must be NetworkPolicy",
      "all.yaml: document 4: kind: is NetworkPolicys; it must be NetworkPolicy",
    ]);
    expect(read("{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: a}}").broken).toEqual([]);
  });

  test("an EgressFirewall of OVN-Kubernetes is left out with a word", () => {
    const text = "{apiVersion: k8s.ovn.org/v1, kind: EgressFirewall, metadata: {name: default}, spec: {egress: []}}";
    expect(read(text).warnings).toEqual([
      "all.yaml: apiVersion: EgressFirewall of k8s.ovn.org is not evaluated: left out",
    ]);
  });

  test("a tab before an entry in brackets is taken as kubectl takes it, and elsewhere it is broken", () => {
    const pod = (tabbed: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {\n    app: a,\n\ttier: b,\n \tx: y,\n  }\n${tabbed}spec: {}\n`;
    expect(read(pod("")).broken).toEqual([]);
    expect(read(pod("")).snapshot.pods[0]?.labels).toEqual({ app: "a", tier: "b", x: "y" });
    expect(read(`apiVersion: v1\nkind: Pod\nmetadata:\n\tname: a\n`).broken[0]).toMatch(/^all.yaml: is not YAML: Tabs/);
    expect(read(pod("\t")).broken[0]).toMatch(/^all.yaml: is not YAML/);
  });

  test("a line of nothing but braces is searched for a template in no time", () => {
    const before = performance.now();
    expect(read(`# ${"{".repeat(300_000)}\na: [`).broken).toHaveLength(1);
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test("a list of no objects is left out with a word, one of objects is broken: only a List holds those", () => {
    const outputs = read('[{"from": "a", "to": "b"}]');
    expect(outputs.broken).toEqual([]);
    expect(outputs.warnings).toEqual([
      "all.yaml: is a list of no Kubernetes objects (no apiVersion, no kind): left out",
    ]);
    expect(read("[{apiVersion: v1, kind: Pod}]").broken).toEqual(["all.yaml: is a list, no Kubernetes object"]);
  });

  test("a name of letters that Kubernetes does not take is told and taken, any other is broken", () => {
    const named = (name: string) => read(`{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {}}`);
    const message = "is no name that Kubernetes takes (lower-case letters, digits, dashes, dots)";
    expect(named("My_App").warnings).toEqual([`all.yaml: metadata.name: My_App ${message}`]);
    expect(named("My_App").snapshot.pods).toHaveLength(1);
    expect(named('"a\\nb"').broken).toEqual([`all.yaml: metadata.name: ${message}`]);
  });

  test("the same object twice is one, unless the two differ", () => {
    const pod = (node: string) => `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: ${node}}}`;
    const same = read(`${pod("x")}\n---\n${pod("x")}`);
    expect(same.broken).toEqual([]);
    expect(same.snapshot.pods).toHaveLength(1);
    expect(read(`${pod("x")}\n---\n${pod("y")}`).broken).toEqual([
      "all.yaml: document 2: metadata.name: Pod default/a is also in all.yaml: document 1, and differs there",
    ]);
  });
});
