import type { Agent } from "./evidence.ts";

/** What runs on nodes and gives pods their network, or filters it. */
export type PluginName =
  | "Cilium"
  | "Calico"
  | "Antrea"
  | "OVN-Kubernetes"
  | "Kube-OVN"
  | "kube-network-policies"
  | "kindnet"
  | "Amazon VPC CNI"
  | "Azure NPM"
  | "kube-router"
  | "Weave Net"
  | "Flannel";

type Signature = {
  readonly plugin: PluginName;
  /** Names of DaemonSets and of their containers, as the projects' own manifests have them. */
  readonly daemonSets: readonly string[];
  readonly containers: readonly string[];
};

const signatures: readonly Signature[] = [
  // `anetd` is GKE Dataplane V2.
  { plugin: "Cilium", daemonSets: ["cilium", "anetd"], containers: ["cilium-agent"] },
  { plugin: "Calico", daemonSets: ["calico-node", "canal", "rke2-canal"], containers: ["calico-node"] },
  { plugin: "Antrea", daemonSets: ["antrea-agent"], containers: ["antrea-agent"] },
  {
    plugin: "OVN-Kubernetes",
    daemonSets: ["ovnkube-node"],
    containers: ["ovnkube-controller", "ovnkube-node", "ovn-controller"],
  },
  { plugin: "Kube-OVN", daemonSets: ["kube-ovn-cni"], containers: [] },
  {
    plugin: "kube-network-policies",
    daemonSets: ["kube-network-policies"],
    containers: ["kube-network-policies"],
  },
  { plugin: "kindnet", daemonSets: ["kindnet"], containers: ["kindnet-cni"] },
  { plugin: "Amazon VPC CNI", daemonSets: ["aws-node"], containers: ["aws-eks-nodeagent"] },
  { plugin: "Azure NPM", daemonSets: ["azure-npm"], containers: ["azure-npm"] },
  { plugin: "kube-router", daemonSets: ["kube-router"], containers: ["kube-router"] },
  { plugin: "Weave Net", daemonSets: ["weave-net"], containers: ["weave-npc"] },
  { plugin: "Flannel", daemonSets: ["kube-flannel", "kube-flannel-ds"], containers: ["kube-flannel"] },
];

/** What a DaemonSet is by its name and its containers'; several where one runs two of them, none where it is something else. */
export function pluginsOf({ name, containers }: Pick<Agent, "name" | "containers">): readonly PluginName[] {
  return signatures
    .filter((each) => each.daemonSets.includes(name) || containers.some((one) => each.containers.includes(one.name)))
    .map(({ plugin }) => plugin);
}
