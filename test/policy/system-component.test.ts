import { expect, test } from "vitest";
import { systemComponent } from "../../src/policy/system-component.ts";
import { aPod } from "./pods.ts";

const owner = (kind: string, name: string) => ({ controller: { kind, name, uid: "o" } });

test.each([
  ["the API server by kubeadm's label", { labels: { component: "kube-apiserver" } }, /control plane/],
  ["whatever says tier: control-plane", { labels: { tier: "control-plane" } }, /control plane/],
  ["CoreDNS", { labels: { "k8s-app": "kube-dns" } }, /DNS/],
  ["Cilium's agent by its DaemonSet", owner("DaemonSet", "cilium"), /network \(cilium\)/],
  ["Cilium's operator by its ReplicaSet", owner("ReplicaSet", "cilium-operator-5d9f7c"), /network \(cilium-operator\)/],
  ["Calico by its label", { labels: { "k8s-app": "calico-node" } }, /network \(calico-node\)/],
  ["a pod of a system priority class", { critical: true }, /priority class/],
])("%s is known for a part of the cluster's machinery", (_, changes, what) => {
  expect(systemComponent(aPod(changes))).toMatch(what);
});

test.each([
  ["an application", {}],
  ["an application whose name only begins like an agent's", owner("ReplicaSet", "cilium-demo-app-7d9f")],
  ["another component", { labels: { component: "frontend", tier: "web" } }],
])("%s is not", (_, changes) => {
  expect(systemComponent(aPod(changes))).toBeUndefined();
});
