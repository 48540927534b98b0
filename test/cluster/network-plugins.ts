import { setTimeout as wait } from "node:timers/promises";
import { waitFor } from "../wait.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";

const namespace = "kube-system";

type Installation = {
  readonly name: string;
  readonly container: string;
  readonly image: string;
  readonly config?: { readonly name: string; readonly data: Readonly<Record<string, string>> };
};

const policies = "none.invalid/networking/kube-network-policies";

/** What a cluster runs that enforces an engine's API, as far as detection looks: hollow nodes run any image for ever. */
const installations = {
  networkpolicy: { name: "kube-network-policies", container: "kube-network-policies", image: `${policies}:v1.0.0` },
  cilium: {
    name: "cilium",
    container: "cilium-agent",
    image: "none.invalid/cilium/cilium:v1.17.0",
    config: { name: "cilium-config", data: { "enable-policy": "default" } },
  },
  calico: { name: "calico-node", container: "calico-node", image: "none.invalid/calico/node:v3.32.0" },
  antrea: {
    name: "antrea-agent",
    container: "antrea-agent",
    image: "none.invalid/antrea/antrea-agent:v2.4.0",
    config: {
      name: "antrea-config",
      data: { "antrea-controller.conf": "featureGates: {}", "antrea-agent.conf": "featureGates: {}" },
    },
  },
  "cluster-network-policy": {
    name: "kube-network-policies",
    container: "kube-network-policies",
    image: `${policies}:v1.0.0-npa-v1alpha2`,
  },
  "admin-network-policy": {
    name: "kube-network-policies",
    container: "kube-network-policies",
    image: `${policies}:v1.0.0-npa-v1alpha1`,
  },
} satisfies Record<string, Installation>;

/** Resolves when its agent is ready on every node. Returns what takes it away again. */
export async function installPlugin(engine: keyof typeof installations): Promise<() => Promise<void>> {
  const { name, container, image, config }: Installation = installations[engine];
  const labels = { app: name };
  const containers = [{ name: container, image }];
  const template = {
    metadata: { labels },
    spec: { containers, tolerations: [{ operator: "Exists" }], terminationGracePeriodSeconds: 0 },
  };
  const items = [
    object("apps/v1", "DaemonSet", name, { spec: { selector: { matchLabels: labels }, template } }),
    ...(config === undefined ? [] : [object("v1", "ConfigMap", config.name, { data: config.data })]),
    ...(engine === "antrea" ? await healthyAgents() : []),
  ];
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  await kubectl(["apply", "-f", "-"], { input });
  await waitFor(() => isReady(name), { timeoutMs: 60_000, everyMs: 200 });
  const stop = engine === "antrea" ? realisePolicies() : undefined;
  return async () => {
    await stop?.();
    await kubectl(["delete", "--ignore-not-found", "--wait", "--timeout=50s", "-f", "-"], { input });
    await waitFor(async () => (await podsOf(name)).length === 0, { timeoutMs: 60_000, everyMs: 200 });
  };
}

function object(apiVersion: string, kind: string, name: string, more: object): object {
  return { apiVersion, kind, metadata: { name, namespace }, ...more };
}

type Named = { readonly metadata: { readonly name: string } };

/** One for each node, heard of now. */
async function healthyAgents(): Promise<readonly object[]> {
  const { items } = await kubectlJson<{ items: readonly Named[] }>(["get", "nodes"]);
  const lastHeartbeatTime = new Date().toISOString();
  const up = ["AgentHealthy", "ControllerConnectionUp", "OVSDBConnectionUp", "OpenflowConnectionUp"];
  return items.map(({ metadata: { name } }) => ({
    apiVersion: "crd.antrea.io/v1beta1",
    kind: "AntreaAgentInfo",
    metadata: { name },
    nodeRef: { kind: "Node", name },
    agentConditions: up.map((type) => ({ type, status: "True", lastHeartbeatTime })),
  }));
}

type Policy = {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly generation: number };
  readonly status?: object;
};

/** As Antrea's controller does once all agents have a policy: its status is what tells that it is in force. */
function realisePolicies(): () => Promise<void> {
  const stopping = new AbortController();
  const round = async (): Promise<void> => {
    const { items } = await kubectlJson<{ items: readonly Policy[] }>(["get", "networkpolicies.crd.antrea.io", "-A"]);
    for (const policy of items.filter(({ status }) => status === undefined)) {
      const { name, namespace: where, generation } = policy.metadata;
      const status = {
        phase: "Realized",
        observedGeneration: generation,
        currentNodesRealized: 1,
        desiredNodesRealized: 1,
      };
      const path = `/apis/crd.antrea.io/v1beta1/namespaces/${where}/networkpolicies/${name}/status`;
      // It may be gone by now.
      await kubectl(["replace", "--raw", path, "-f", "-"], { input: JSON.stringify({ ...policy, status }) }).catch(
        () => "",
      );
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await round();
      await wait(200);
    }
  })();
  return async () => {
    stopping.abort();
    await running;
  };
}

async function isReady(name: string): Promise<boolean> {
  type DaemonSet = { readonly status: { readonly desiredNumberScheduled: number; readonly numberReady: number } };
  const { status } = await kubectlJson<DaemonSet>(["get", "daemonset", name, "-n", namespace]);
  return status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled;
}

async function podsOf(app: string): Promise<readonly Named[]> {
  return (await kubectlJson<{ items: readonly Named[] }>(["get", "pods", "-n", namespace, "-l", `app=${app}`])).items;
}
