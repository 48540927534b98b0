import { describe, expect, test } from "vitest";
import { residualOf } from "../../src/commands/residual-words.ts";
import { denyByNetworkPolicy } from "../../src/engines/networkpolicy.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import type { ResidualAllow } from "../../src/policy/plan.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { type ClusterInWords, createCluster } from "../simulator/cluster.ts";

const quarantine = "bulkhead.dev/quarantine";

const forensics: Endpoint = {
  name: "collector",
  purpose: "forensics",
  direction: "egress",
  peer: { ipBlock: { cidr: "10.9.9.9/32" } },
  ports: [{ port: 443 }],
};

/** What is left of a quarantine of shop/web, whose other labels are off. `denies`: what a stronger engine has beside ours. */
function left(words: ClusterInWords, denies: readonly WireObject[] = []): readonly ResidualAllow[] {
  const np = denyByNetworkPolicy({
    operation: "q-1",
    namespace: "shop",
    subject: { matchLabels: { [quarantine]: "q-1" } },
    endpoints: [forensics],
    labels: {},
    annotations: {},
  }) as unknown as WireObject;
  const ours = [np, ...denies];
  const { simulator } = createCluster({
    ...words,
    pods: { "shop/web": { labels: { [quarantine]: "q-1" } }, ...words.pods },
    policies: [...((words.policies as readonly WireObject[] | undefined) ?? []), ...ours],
  });
  const web = simulator.snapshot.pods.filter(({ name }) => name === "web");
  return residualOf(simulator, web, ours);
}

function policy(name: string, spec: object): WireObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec };
}

const inNamespace = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });

const allowMetrics = policy("allow-metrics", {
  podSelector: {},
  ingress: [
    {
      from: [{ ...inNamespace("monitoring"), podSelector: { matchLabels: { app: "prometheus" } } }],
      ports: [{ port: 9090 }],
    },
  ],
});

const prometheus = {
  labels: { app: "prometheus" },
  workload: { namespace: "monitoring", name: "prometheus", kind: "StatefulSet" },
};

describe("what stays open is said by policy, workload and port", () => {
  test("nothing where only the endpoints and policies that do not select the pod are there", () => {
    const other = policy("for-others", { podSelector: { matchLabels: { app: "web" } }, ingress: [{}] });
    expect(left({ pods: { "shop/db": {} }, policies: [other] })).toEqual([]);
  });

  test("a scraper by its workload", () => {
    expect(
      left({
        pods: { "monitoring/prometheus-0": prometheus, "monitoring/prometheus-1": prometheus },
        policies: [allowMetrics],
      }),
    ).toEqual([
      {
        policy: "allow-metrics",
        allows: "in from monitoring/prometheus on TCP 9090",
        sure: true,
        claim: "policy allow-metrics still lets monitoring/prometheus in on 9090",
      },
    ]);
  });

  test("a scraper that is not there now by what its pods would be", () => {
    expect(left({ namespaces: { monitoring: {} }, pods: {}, policies: [allowMetrics] })).toEqual([
      {
        policy: "allow-metrics",
        allows: "in from pods like app=prometheus of namespace monitoring (none now) on TCP 9090",
        sure: true,
        claim: "policy allow-metrics still lets pods like app=prometheus of namespace monitoring (none now) in on 9090",
      },
    ]);
  });

  test("the world first, ways out before ways in, and many workloads in few words", () => {
    const allowAll = policy("allow-all", { policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] });
    const dns = policy("allow-dns", { egress: [{ ports: [{ port: 53, protocol: "UDP" }] }] });
    const many = Object.fromEntries(["a", "b", "c", "d"].map((name) => [`other/${name}`, {}]));
    const node = { hostNetwork: true, addresses: ["192.168.0.1"], node: "n1" };
    expect(left({ pods: { ...many, "kube-system/agent": node }, policies: [dns, allowAll] })).toEqual([
      {
        policy: "allow-all",
        allows:
          "out to anywhere outside the cluster, every pod, nodes on all ports; in from anywhere outside the cluster, every pod, nodes on all ports",
        sure: true,
        claim: "policy allow-all still lets it out to anywhere outside the cluster and 2 more on all ports",
      },
      expect.objectContaining({ policy: "allow-dns" }),
    ]);
  });
});
