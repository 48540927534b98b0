import type { Agent, AgentContainer, EngineEvidence, Reading } from "../../src/policy/evidence.ts";

export const readAt = Date.parse("2026-03-01T12:00:00Z");

export function read<T>(value: T): Reading<T> {
  return { read: true, value };
}

export const forbidden = { read: false, why: "forbidden" } as const;

export const kinds = {
  cilium: "cilium.io/v2/ciliumnetworkpolicies",
  calico: "projectcalico.org/v3/networkpolicies",
  calicoStorage: "crd.projectcalico.org/v1/globalnetworkpolicies",
  antrea: "crd.antrea.io/v1beta1/networkpolicies",
  clusterNetworkPolicy: "policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
  adminNetworkPolicy: "policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
} as const;

/** A cluster that serves every API and runs nothing, but for what is given. */
export function evidenceOf(given: Partial<EngineEvidence> & { readonly with?: readonly Agent[] } = {}): EngineEvidence {
  const { with: agents = [], ...rest } = given;
  return {
    readAt,
    served: read(Object.values(kinds)),
    unreadGroups: [],
    agents: read(agents),
    configMaps: {},
    ciliumNodeConfigs: read([]),
    calicoTiers: read([]),
    antreaAgents: read([]),
    ...rest,
  };
}

/** A DaemonSet in kube-system whose pods are ready on n1, n2 and n3. */
export function agent(name: string, given: Partial<Agent> = {}, container: Partial<AgentContainer> = {}): Agent {
  return {
    name,
    namespace: "kube-system",
    labels: {},
    containers: [{ name, image: `registry.example/${name}:v1.2.3`, args: [], ...container }],
    mounts: [],
    desired: 3,
    ready: 3,
    rollingOut: false,
    readyOn: read(["n1", "n2", "n3"]),
    ...given,
  };
}

/** Of every node, healthy and heard of a minute ago. */
export function antreaAgents(nodes = ["n1", "n2", "n3"]): EngineEvidence["antreaAgents"] {
  const types = ["AgentHealthy", "ControllerConnectionUp", "OVSDBConnectionUp", "OpenflowConnectionUp"];
  const conditions = types.map((type) => ({ type, status: "True", heartbeatAt: readAt - 60_000 }));
  return read(nodes.map((node) => ({ node, conditions })));
}

export function antreaGates(controller: string, agents = ""): EngineEvidence["configMaps"] {
  const conf = (gates: string): string => `featureGates:\n${gates}\ntrafficEncapMode: encap\n`;
  return {
    "antrea-config": read({ "antrea-controller.conf": conf(controller), "antrea-agent.conf": conf(agents) }),
  };
}
