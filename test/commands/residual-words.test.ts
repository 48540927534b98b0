import { describe, expect, test } from "vitest";
import { residualOf } from "../../src/commands/residual-words.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import { type DenyEngine, denyEngines } from "../../src/policy/engine.ts";
import type { ResidualAllow } from "../../src/policy/plan.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { settingsOf } from "../engines/random-denial.ts";
import { type ClusterInWords, createCluster } from "../simulator/cluster.ts";
import { objectsOf } from "../simulator/contained.ts";

const forensics: Endpoint = {
  name: "collector",
  purpose: "forensics",
  direction: "egress",
  peer: { ipBlock: { cidr: "10.9.9.9/32" } },
  ports: [{ port: 443 }],
};

/** What is left of a quarantine of shop/web, whose other labels are off, by one engine. */
function left(words: ClusterInWords, engine: DenyEngine = "networkpolicy"): readonly ResidualAllow[] {
  const ours = objectsOf(engine, "shop", [forensics]);
  const { simulator } = createCluster({
    settings: settingsOf(engine, false),
    ...words,
    pods: { "shop/web": { labels: { "bulkhead.dev/quarantine": "q-1" }, node: "n1" }, ...words.pods },
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

const allowAll = policy("allow-all", { policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [{}] });

/** Of the host network, on another node than the pod's. */
const node = { hostNetwork: true, addresses: ["192.168.0.1"], node: "n2" };

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
        allows: "in from pods like app=prometheus in monitoring (none can now) on TCP 9090",
        sure: true,
        claim: "policy allow-metrics still lets pods like app=prometheus in monitoring (none can now) in on 9090",
      },
    ]);
  });

  test("the world first, ways out before ways in, and many workloads in few words", () => {
    const dns = policy("allow-dns", { egress: [{ ports: [{ port: 53, protocol: "UDP" }] }] });
    const many = Object.fromEntries(["a", "b", "c", "d"].map((name) => [`other/${name}`, {}]));
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

  test("the first of many workloads by name, a whole namespace in one, and ranges as CIDRs", () => {
    const pods = Object.fromEntries(
      ["a/1", "a/2", "a/3", "a/4", "b/1", "b/2", "c/1", "c/2", "d/1"].map((key) => [key, {}]),
    );
    const to = [{ namespaceSelector: { matchExpressions: [{ key: "skip", operator: "DoesNotExist" }] } }];
    const blocks = ["10.0.0.0/8", "192.0.2.1/32"].map((cidr) => ({ ipBlock: { cidr } }));
    const out = policy("out", {
      policyTypes: ["Egress"],
      egress: [{ to, ports: [{ port: 80, endPort: 90 }] }, { to: blocks }],
    });
    const [residual] = left({ pods, namespaces: { d: { skip: "yes" } }, policies: [out] });
    expect(residual?.allows).toBe(
      "out to 10.0.0.0/8, 192.0.2.1/32 on all ports; out to every pod of a, b/1, b/2, c/1, c/2 on TCP 80-90",
    );
  });

  test("what only some engine may let through as a perhaps, with the reason", () => {
    const byAddress = policy("by-address", { ingress: [{ from: [{ ipBlock: { cidr: "10.1.0.0/16" } }] }] });
    const settings = { engine: undefined, ipBlockMatchesPods: "unknown" as const };
    const [sure] = left({ pods: { "shop/db": { addresses: ["10.1.0.5"] } }, policies: [byAddress], settings });
    expect(sure?.allows).toBe(
      "in from 10.1.0.0/16 on all ports; perhaps in from shop/db on all ports (engines differ on whether an ipBlock matches the addresses of pods)",
    );
    const nodes = { ...policy("x", {}), kind: "AdminNetworkPolicy", apiVersion: "policy.networking.k8s.io/v1alpha1" };
    const rule = { action: "Allow", to: [{ domainNames: ["*.example.com"] }] };
    const spec = { priority: 5, subject: { namespaces: {} }, egress: [rule] };
    expect(left({ pods: {}, policies: [{ ...nodes, metadata: { name: "names" }, spec }] })).toEqual([
      expect.objectContaining({
        policy: "AdminNetworkPolicy names",
        sure: false,
        claim:
          "whether AdminNetworkPolicy names still lets it out to anywhere outside the cluster on all ports is not decided",
      }),
    ]);
  });

  test("a policy that could not be read by just that, beside others that it may overrule", () => {
    const broken = policy("broken", { ingress: "all" });
    const found = left({ pods: { "shop/db": {} }, policies: [broken, allowAll] });
    expect(found.map((each) => [each.policy, each.sure, each.claim])).toEqual([
      ["broken", false, "policy broken could not be read"],
      [
        "allow-all",
        false,
        "whether policy allow-all still lets it out to anywhere outside the cluster and 1 more on all ports is not decided",
      ],
    ]);
    expect(found[1]?.allows).toContain("(NetworkPolicy shop/broken: it could not be read)");
  });

  test("a default that nothing denies, where our own NetworkPolicy is gone", () => {
    const { simulator } = createCluster({ pods: { "shop/web": {}, "shop/db": {} } });
    const [ours] = objectsOf("networkpolicy", "shop", []);
    expect(residualOf(simulator, simulator.snapshot.pods.slice(0, 1), [ours!])).toEqual([
      {
        policy: "no policy",
        allows:
          "out to anywhere outside the cluster, shop/db on all ports; in from anywhere outside the cluster, shop/db on all ports",
        sure: true,
        claim: "nothing denies it the way out to anywhere outside the cluster and 1 more on all ports",
      },
    ]);
  });
});

describe("under a policy that allows everything to every pod", () => {
  const pods = { "shop/db": {}, "kube-system/agent": node };
  const outside = "in from anywhere outside the cluster, nodes on all ports";
  const whole =
    "out to anywhere outside the cluster, shop/db, nodes on all ports; in from anywhere outside the cluster, shop/db, nodes on all ports";
  const expected: Record<DenyEngine, string | undefined> = {
    cilium: undefined,
    calico: undefined,
    antrea: undefined,
    "cluster-network-policy": outside,
    "admin-network-policy": outside,
    networkpolicy: whole,
  };
  test.each(denyEngines)("%s leaves what it cannot deny, by name, and nothing else", (engine) => {
    const found = left({ pods, policies: [allowAll] }, engine);
    expect(found.map(({ policy: name, allows }) => [name, allows])).toEqual(
      expected[engine] === undefined ? [] : [["allow-all", expected[engine]]],
    );
  });

  test("a policy of its engine cannot let in again what Cilium denies, and lets in what AdminNetworkPolicy cannot", () => {
    const cnp = {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "from-host", namespace: "shop" },
      spec: { endpointSelector: {}, ingress: [{ fromEntities: ["host", "remote-node"] }] },
    };
    expect(left({ pods, policies: [cnp] }, "cilium")).toEqual([]);
    const [first] = left({ pods, policies: [cnp], settings: { engine: "cilium" } });
    expect(first?.claim).toBe("CiliumNetworkPolicy shop/from-host still lets nodes in on all ports");
  });
});

describe("strings from outside are hostile (invariant 11)", () => {
  test("names are one line, and give way in a headline before its end does", () => {
    const long = "x".repeat(250);
    const hostile = { workload: { namespace: "a\nb", name: `<!channel>\u202e${long}`, kind: "Deployment" } };
    const [residual] = left({
      pods: { "shop/db": hostile },
      policies: [{ ...allowAll, metadata: { name: long, namespace: "shop" } }],
    });
    const { claim = "", allows = "" } = residual ?? {};
    expect(claim.length).toBeLessThan(115);
    expect(claim).toMatch(/^policy x+… still lets it out to .* on all ports$/);
    expect(allows).toContain("a b/<!channel>x");
    expect(allows).not.toMatch(/[\n\u202e]/);
  });
});
