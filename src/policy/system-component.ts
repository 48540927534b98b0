import { isApiServer, isClusterDns } from "./cluster-dns.ts";
import type { Labels, Pod } from "./objects.ts";

/**
 * What of the cluster's own machinery a pod is, or says that it is, in words; undefined for all others. Whoever may make
 * pods may say so: this is a reason to ask again, never a proof.
 */
export function systemComponent(pod: Pick<Pod, "labels" | "controller" | "critical">): string | undefined {
  const { labels, controller, critical } = pod;
  if (isApiServer(labels) || labels["tier"] === "control-plane" || controlPlane.has(labels["component"] ?? "")) {
    return "it is a part of the control plane by its labels";
  }
  if (isClusterDns(labels)) return "it answers DNS for the whole cluster";
  const agent = networkAgent(labels, controller?.name ?? "");
  if (agent !== undefined) return `it is a part of the cluster's network (${agent})`;
  return critical
    ? "its priority class says that the cluster needs it (system-node-critical or system-cluster-critical)"
    : undefined;
}

/** Values of the label `component` on kubeadm's static pods and their like. */
const controlPlane = new Set([
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "cloud-controller-manager",
]);

/** Owners' names, and values of `k8s-app`, as the projects' own manifests have them. */
const agents = [
  "cilium",
  "cilium-operator",
  "anetd",
  "calico-node",
  "calico-typha",
  "calico-kube-controllers",
  "canal",
  "antrea-agent",
  "antrea-controller",
  "ovnkube-node",
  "ovnkube-control-plane",
  "ovnkube-master",
  "kube-ovn-cni",
  "kube-ovn-controller",
  "kube-network-policies",
  "kindnet",
  "aws-node",
  "azure-npm",
  "kube-router",
  "weave-net",
  "kube-flannel-ds",
  "kube-proxy",
  "istio-cni-node",
  "ztunnel",
];

/** A Deployment's pods belong to a ReplicaSet, whose name is the Deployment's and a hash. */
function networkAgent(labels: Labels, owner: string): string | undefined {
  const deployment = owner.replace(/-[a-z0-9]{1,10}$/, "");
  return agents.find((agent) => owner === agent || deployment === agent || labels["k8s-app"] === agent);
}
