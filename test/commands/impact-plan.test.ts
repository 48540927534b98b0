import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../../src/commands/reply.ts";
import { waitFor } from "../wait.ts";
import { startDesk, type TestDesk } from "./desk.ts";

let desk: TestDesk;

const namespace = "shop";

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" }, spec: {} },
    ...["shop", "kube-system"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    ...["store", "web"].map((name) => service(name)),
    workload("StatefulSet", "store", { replicas: 2, serviceName: "store" }),
    workload("DaemonSet", "agent", {}),
    workload("Deployment", "web", { replicas: 1 }),
    workload("Deployment", "front", { replicas: 2 }),
    { apiVersion: "v1", kind: "Pod", metadata: { name: "alone", namespace, labels: { app: "alone" } }, spec: bare },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "coredns-1", namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
      spec: {
        containers: [{ name: "main", image: "x", ports: [{ name: "dns", containerPort: 53, protocol: "UDP" }] }],
      },
      status: { phase: "Running", podIP: "10.9.0.9" },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "store", namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "store" } } },
      status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "store", namespace },
      spec: {
        podSelector: { matchLabels: { app: "store" } },
        policyTypes: ["Ingress"],
        ingress: [
          { from: [{ podSelector: { matchLabels: { app: "front" } } }], ports: [{ protocol: "TCP", port: 80 }] },
        ],
      },
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "deployer", namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
      subjects: [{ kind: "ServiceAccount", name: "deployer", namespace }],
    },
  );
  await waitFor(() => ["store", "agent", "web", "front"].every((app) => podOf(app) !== ""));
  await waitFor(() => desk.sandbox.objects("Pod", namespace).every(isReady));
});

afterAll(() => desk.close());

const container = { name: "main", image: "x", ports: [{ name: "http", containerPort: 80 }] };

const bare = {
  serviceAccountName: "deployer",
  containers: [
    {
      ...container,
      livenessProbe: { httpGet: { path: "/", port: 80 } },
      envFrom: [{ secretRef: { name: "payment-keys" } }],
    },
  ],
};

function workload(kind: string, name: string, spec: object): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [container] } };
  const metadata = { name, namespace };
  return { apiVersion: "apps/v1", kind, metadata, spec: { selector: { matchLabels: labels }, template, ...spec } };
}

function service(name: string): object {
  const spec = { selector: { app: name }, ports: [{ port: 80, targetPort: "http" }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec };
}

function podOf(app: string): string {
  const pods = desk.sandbox.objects("Pod", namespace).filter(({ metadata }) => metadata.labels?.["app"] === app);
  return pods[0]?.metadata.name ?? "";
}

function isReady(pod: object): boolean {
  return JSON.stringify(pod).includes('"type":"Ready","status":"True"') || JSON.stringify(pod).includes('"Ready"');
}

/** The list of that title in a plan. */
function list(reply: Reply, title: RegExp): string {
  const section = reply.sections.find((one) => one.kind === "list" && title.test(one.title ?? ""));
  return section?.kind === "list" ? section.items.join("\n") : "";
}

async function planOf(app: string, words = ""): Promise<Reply> {
  const plan = await desk.type(`quarantine ${namespace}/${podOf(app)} ${words}`);
  expect(plan.headline).toMatch(/^Plan: quarantine/);
  return plan;
}

test("The plan of a StatefulSet's pod: its name stays taken, its peer by policy first, its budget, two confirmations", async () => {
  const plan = await planOf("store");
  expect(list(plan, /What changes/)).toMatch(/StatefulSet store cannot replace it/);
  expect(list(plan, /What changes/)).toMatch(/PodDisruptionBudget store allows 1 disruption now, and 0 until/);
  const [dns, first] = list(plan, /What is cut/).split("\n");
  expect(dns).toMatch(/^DNS: it can no longer resolve names: kube-system\/coredns-1/);
  expect(first).toBe("No longer reached on TCP 80 (Service store) by shop/front (Deployment, 2 pods).");
  const again = await desk.press("confirm", plan.operation);
  expect(again).toMatchObject({ outcome: "needs-confirmation", headline: expect.stringMatching(/^Confirm once more/) });
});

test("The plan of a DaemonSet's pod: another starts on the node, and who loses it by its named port", async () => {
  const plan = await planOf("agent");
  expect(list(plan, /What changes/)).toMatch(/DaemonSet agent starts another pod on node/);
  expect(list(plan, /What is cut/)).toMatch(
    /No longer reached on TCP 80 \(http\) by .*shop\/front \(Deployment, 2 pods\)/,
  );
});

test("The plan of a bare pod: nothing replaces it, its liveness probe endangers evidence, and what is to be rotated", async () => {
  const plan = await planOf("alone");
  expect(list(plan, /What changes/)).toMatch(/nothing replaces it/);
  expect(list(plan, /Warning/)).toMatch(/EVIDENCE: 1 liveness probe \(HTTP 80 of container main\)/);
  expect(list(plan, /rotated/)).toMatch(/Secret payment-keys \(in the environment\)/);
  expect(list(plan, /rotated/)).toMatch(
    /ServiceAccount shop\/deployer: .*bound to ClusterRole edit \(RoleBinding deployer\)/,
  );
});

test("The plan of the last ready replica of a Service is only there when it is confirmed by name, and says what stops", async () => {
  const pod = podOf("web");
  expect(await desk.type(`quarantine ${namespace}/${pod}`)).toMatchObject({ outcome: "refused" });
  const plan = await planOf("web", `--confirm ${pod}`);
  expect(list(plan, /What changes/)).toMatch(/Service web loses its LAST ready replica/);
  expect(list(plan, /What is cut/)).toMatch(/on TCP 80 \(Service web\) by /);
});
