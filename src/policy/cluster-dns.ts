import type { Labels } from "./objects.ts";

/**
 * Whether a pod with these labels answers DNS for the cluster: CoreDNS and kube-dns bear `k8s-app: kube-dns` whatever
 * installed them (Kubernetes' documentation, Debugging DNS Resolution), NodeLocal DNSCache and OpenShift's have their own.
 */
export function isClusterDns(labels: Labels): boolean {
  const app = labels["k8s-app"];
  return (
    app === "kube-dns" || app === "node-local-dns" || labels["dns.operator.openshift.io/daemonset-dns"] !== undefined
  );
}

/** Whether a pod with these labels is the API server, as a static pod (kubeadm's labels). */
export function isApiServer(labels: Labels): boolean {
  return labels["component"] === "kube-apiserver" || labels["app"] === "openshift-kube-apiserver";
}
