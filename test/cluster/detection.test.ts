import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { detectEngines } from "../../src/engines/detect.ts";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { DenyEngine, Detection, EngineState } from "../../src/policy/engine.ts";
import { waitFor } from "../wait.ts";
import { installPolicyApis, type PolicyApis } from "./crds.ts";
import { asBot, type Deployed, deployBulkhead } from "./deployed.ts";
import { canI, kubectl, kubectlJson } from "./kubectl.ts";

/**
 * Which engines are enforced, by DaemonSets and ConfigMaps as network plugins have them, read with the rights of deploy/.
 * Their pods run on the cluster's own nodes and do nothing: that they are there is all that detection looks at.
 */
const run = randomBytes(4).toString("hex");
const label = "bulkhead-detection-test";

let apis: PolicyApis;
let deployed: Deployed;
let bot: Cluster;

beforeAll(async () => {
  apis = await installPolicyApis();
  deployed = await deployBulkhead([]);
  await waitFor(() => canI(asBot, "list antreaagentinfos", "default").catch(() => false), { everyMs: 200 });
  bot = await connectAs(deployed.kubeconfig);
}, 180_000);

afterEach(uninstall, 60_000);

afterAll(async () => {
  await bot?.close();
  await deployed?.remove();
  await apis?.remove();
}, 180_000);

async function connectAs(kubeconfig: string): Promise<Cluster> {
  const source = { kind: "text", text: kubeconfig } as const;
  return createCluster("real", createConnection({ source, now: Date.now }), { now: Date.now, watch: false });
}

type Plugin = {
  readonly daemonSet: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly configMap?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly ready?: boolean;
};

/** Resolves once its pods are ready on all nodes; with `ready: false` they have a gate that nobody opens. */
async function install({
  daemonSet: name,
  image,
  args = [],
  configMap,
  data = {},
  ready = true,
}: Plugin): Promise<void> {
  const labels = { [label]: run };
  const metadata = { name, namespace: "kube-system", labels };
  const pod = {
    containers: [{ name: "agent", image, args }],
    terminationGracePeriodSeconds: 0,
    tolerations: [{ operator: "Exists" }],
  };
  const gates = ready ? {} : { readinessGates: [{ conditionType: "bulkhead.dev/never" }] };
  const template = { metadata: { labels: { agent: name } }, spec: { ...pod, ...gates } };
  const spec = { selector: { matchLabels: { agent: name } }, template };
  if (configMap !== undefined) {
    await create({ apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, name: configMap }, data });
  }
  await create({ apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec });
  await waitFor(
    async () => {
      const { agents } = await bot.engineEvidence("fresh");
      const found = agents.read ? agents.value.find((agent) => agent.name === name) : undefined;
      return found !== undefined && found.desired > 0 && found.ready === (ready ? found.desired : 0);
    },
    { everyMs: 200, timeoutMs: 30_000 },
  );
}

async function create(object: object): Promise<void> {
  await kubectl(["create", "-f", "-"], { input: JSON.stringify(object) });
}

async function uninstall(): Promise<void> {
  const args = ["daemonsets,configmaps", "-n", "kube-system", "-l", `${label}=${run}`];
  await kubectl(["delete", ...args, "--wait", "--timeout=50s"]);
  await kubectl(["delete", "antreaagentinfos", "--all"]);
}

async function detect(as: Cluster = bot): Promise<Detection> {
  return detectEngines(await as.engineEvidence("fresh"), "unknown", { now: Date.now() });
}

function state({ engines }: Detection, engine: DenyEngine): EngineState {
  return engines.find((each) => each.engine === engine)!;
}

function enforced({ engines }: Detection): readonly DenyEngine[] {
  return engines.filter((each) => each.state === "enforced").map(({ engine }) => engine);
}

const cilium = { daemonSet: "cilium", image: "quay.io/cilium/cilium:v1.18.1", configMap: "cilium-config" };
const calico = { daemonSet: "calico-node", image: "quay.io/calico/node:v3.30.2" };
const antrea = {
  daemonSet: "antrea-agent",
  image: "antrea/antrea-agent-ubuntu:v2.4.0",
  configMap: "antrea-config",
  data: {
    "antrea-agent.conf": "featureGates:\n",
    "antrea-controller.conf": "featureGates:\n  ClusterNetworkPolicy: true\n",
  },
};
const netpol = {
  daemonSet: "kube-network-policies",
  image: "registry.k8s.io/networking/kube-network-policies:v1.1.1-npa-v1alpha2",
};

/** Of every node. */
async function antreaReports(): Promise<void> {
  const nodes = await kubectlJson<{ items: { metadata: { name: string } }[] }>(["get", "nodes"]);
  for (const { metadata } of nodes.items) await antreaReport(metadata.name);
}

async function antreaReport(name: string): Promise<void> {
  const conditions = ["AgentHealthy", "ControllerConnectionUp", "OVSDBConnectionUp", "OpenflowConnectionUp"];
  await create({
    apiVersion: "crd.antrea.io/v1beta1",
    kind: "AntreaAgentInfo",
    metadata: { name },
    nodeRef: { kind: "Node", name },
    agentConditions: conditions.map((type) => ({ type, status: "True", lastHeartbeatTime: new Date().toISOString() })),
  });
}

test("With the APIs of all engines and none of their agents, those of plugins are left over and the others unknown", async () => {
  const detection = await detect();
  expect(enforced(detection)).toEqual([]);
  expect(detection.engines.every(({ served }) => served)).toBe(true);
  expect(state(detection, "cilium").because).toMatch(/left from an earlier installation/);
  expect(state(detection, "networkpolicy").state).toBe("unknown");
  const policies = apis.served.filter((kind) => !kind.endsWith("/antreaagentinfos"));
  expect(detection.ways.served).toEqual(expect.arrayContaining(policies));
});

test("Each plugin is told from the others by its agents, and its own engine is the strongest", async () => {
  await install({ ...cilium, data: { "enable-policy": "default", "policy-cidr-match-mode": "nodes pods" } });
  expect(await detect()).toMatchObject({
    plugin: "Cilium",
    openConnections: "partly",
    simulated: { engine: "cilium", ipBlockMatchesPods: true },
  });
  expect(enforced(await detect())).toEqual(["cilium", "networkpolicy"]);
  await uninstall();
  await install(calico);
  expect(await detect()).toMatchObject({ plugin: "Calico", openConnections: "survive" });
  expect(enforced(await detect())).toEqual(["calico", "admin-network-policy", "networkpolicy"]);
  await uninstall();
  await install(antrea);
  await antreaReports();
  expect(await detect()).toMatchObject({ plugin: "Antrea", openConnections: "survive" });
  expect(enforced(await detect())).toEqual(["antrea", "cluster-network-policy", "networkpolicy"]);
  await uninstall();
  await install(netpol);
  expect(await detect()).toMatchObject({ plugin: "kube-network-policies", openConnections: "cut" });
  expect(enforced(await detect())).toEqual(["cluster-network-policy", "networkpolicy"]);
}, 120_000);

test.each([
  ["Cilium", { ...cilium, data: { "enable-policy": "never" } }, /enable-policy is never/],
  ["Cilium's label filter", { ...cilium, data: { labels: "k8s:app" } }, /leaves bulkhead\.dev\/quarantine out/],
  [
    "the Amazon VPC CNI",
    { daemonSet: "aws-node", image: "r/aws:v1.20.0", args: ["--enable-network-policy=false"] },
    /without --enable-network-policy/,
  ],
  ["Flannel", { daemonSet: "kube-flannel-ds", image: "r/flannel:v0.26.0" }, /Flannel does not enforce/],
] satisfies readonly [string, Plugin, RegExp][])(
  "A switch that is off is known, and named: %s",
  async (_, plugin, because) => {
    await install(plugin);
    const detection = await detect();
    expect(enforced(detection)).toEqual([]);
    expect(state(detection, "networkpolicy")).toMatchObject({
      state: "not-enforced",
      because: expect.stringMatching(because),
    });
  },
  60_000,
);

test("Agents that are not ready, and those that send no heartbeat, leave it unknown", async () => {
  await install({ ...cilium, ready: false });
  expect(state(await detect(), "cilium")).toMatchObject({
    state: "unknown",
    because: expect.stringMatching(/^Cilium's agent is ready on 0 of \d+ nodes\.$/),
  });
  await uninstall();
  await install(antrea);
  expect(state(await detect(), "antrea")).toMatchObject({
    state: "unknown",
    because: "No AntreaAgentInfo tells of any node.",
  });
}, 60_000);

test("Who may not read it knows nothing: a ServiceAccount without the rights of deploy/", async () => {
  await install(cilium);
  const cluster = await connectAs(deployed.kubeconfig);
  try {
    await kubectl(["delete", "clusterrolebinding", "bulkhead-read"]);
    await waitFor(async () => !(await canI(asBot, "list daemonsets", "kube-system")), { everyMs: 200 });
    const detection = await detect(cluster);
    expect(enforced(detection)).toEqual([]);
    for (const { state: known, because } of detection.engines) {
      expect({ known, because }).toEqual({
        known: "unknown",
        because: expect.stringMatching(/could not be read: .*forbidden/),
      });
    }
  } finally {
    await cluster.close();
    const binding = ["create", "clusterrolebinding", "bulkhead-read", "--clusterrole=bulkhead-read"];
    await kubectl([...binding, "--serviceaccount=bulkhead:bulkhead"]);
    await waitFor(() => canI(asBot, "list daemonsets", "kube-system"), { everyMs: 200 });
  }
}, 60_000);

test("A ConfigMap that may not be read leaves open what it switches", async () => {
  await install(cilium);
  await kubectl(["patch", "clusterrole", "bulkhead-read", "--type=json", "-p", await withoutConfigMaps()]);
  await waitFor(async () => !(await canI(asBot, "get configmaps/cilium-config", "kube-system")), { everyMs: 200 });
  expect(state(await detect(), "cilium")).toMatchObject({
    state: "unknown",
    because: expect.stringMatching(/cilium-config could not be read: .*forbidden/),
  });
}, 60_000);

/** A JSON Patch that takes the rule about ConfigMaps out of the bot's role. */
async function withoutConfigMaps(): Promise<string> {
  const role = JSON.parse(await kubectl(["get", "clusterrole", "bulkhead-read", "-o", "json"])) as {
    rules: { resources: string[] }[];
  };
  const index = role.rules.findIndex(({ resources }) => resources.includes("configmaps"));
  return JSON.stringify([{ op: "remove", path: `/rules/${index}` }]);
}
