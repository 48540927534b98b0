import { describe, expect, test } from "vitest";
import { impactOf } from "../../src/commands/impact.ts";
import { type ImpactFacts, readImpactFacts } from "../../src/commands/impact-facts.ts";
import { probeEndpoints } from "../../src/commands/impact-probes.ts";
import type { PodDetails, Probe } from "../../src/kubernetes/pod-details.ts";
import { change } from "../../src/simulator/change.ts";
import type { SimulatedService } from "../../src/simulator/snapshot.ts";
import { aPod } from "../policy/pods.ts";
import { type ClusterInWords, createCluster } from "../simulator/cluster.ts";

function details(changes: Partial<PodDetails> = {}): PodDetails {
  return {
    name: "web",
    probes: [],
    mesh: undefined,
    secrets: [],
    secretStores: [],
    pullSecrets: [],
    serviceAccount: "default",
    tokens: [],
    ports: [],
    addresses: ["10.0.0.1"],
    ...changes,
  };
}

function facts(changes: Partial<ImpactFacts> = {}): ImpactFacts {
  return {
    namespace: "shop",
    contained: [{ name: "web", labels: { app: "web" }, ready: true }],
    pods: [details()],
    budgets: [],
    accounts: [],
    bindings: [],
    namespaceLabels: {},
    unread: [],
    ...changes,
  };
}

/** Quarantines `shop/web`, the first pod of the cluster: all labels off, and a policy that denies all but `spec` says. */
function quarantined(words: ClusterInWords, spec: object = {}) {
  const { simulator: before } = createCluster(words);
  const pod = before.snapshot.pods[0]!;
  const isolated = { ...pod, labels: { quarantine: "q-1" } };
  const policy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "quarantine", namespace: "shop" },
    spec: { podSelector: { matchLabels: { quarantine: "q-1" } }, policyTypes: ["Ingress", "Egress"], ...spec },
  };
  const after = change(before, { added: [policy], pods: new Map([[pod, isolated]]) });
  return { before, after, moved: new Map([[isolated, pod]]), subjects: [isolated] };
}

function service(namespace: string, name: string, port: number, targetPort: number | string = port): SimulatedService {
  return { namespace, name, selector: { app: name }, ports: [{ name: undefined, protocol: "TCP", port, targetPort }] };
}

function deployment(namespace: string, name: string) {
  return { labels: { app: name }, workload: { namespace, name, kind: "Deployment" } };
}

const metrics = { name: "metrics", protocol: "TCP", port: 9102 } as const;

const shop: ClusterInWords = {
  pods: {
    "shop/web": { ...deployment("shop", "web"), ports: [metrics] },
    "shop/front-1": deployment("shop", "front"),
    "shop/front-2": deployment("shop", "front"),
    "db/postgres-0": {
      labels: { app: "postgres" },
      workload: { namespace: "db", name: "postgres", kind: "StatefulSet" },
    },
    "kube-system/coredns-1": {
      labels: { "k8s-app": "kube-dns" },
      workload: { namespace: "kube-system", name: "coredns", kind: "Deployment" },
    },
  },
  services: [service("shop", "web", 80, 8080), service("db", "postgres", 5432)],
};

const policies = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ podSelector: { matchLabels: { app: front } } }]
      ports: [{ protocol: TCP, port: 8080 }]
  egress:
    - to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: db } } }]
    - to: [{ ipBlock: { cidr: 203.0.113.0/24 } }]
      ports: [{ protocol: TCP, port: 443 }]
    - to: [{ namespaceSelector: {}, podSelector: { matchLabels: { k8s-app: kube-dns } } }]
      ports: [{ protocol: UDP, port: 53 }]
`;

describe("what is cut, in words", () => {
  test("names peers by workload and port, DNS first, and outside of the cluster last", () => {
    const { loses, opens } = impactOf(facts(), quarantined({ ...shop, policies }));
    expect(loses).toEqual([
      "DNS: it can no longer resolve names: kube-system/coredns (Deployment).",
      "No longer reached on TCP 8080 (Service web) by shop/front (Deployment, 2 pods).",
      "No longer reaches db/postgres (StatefulSet) on TCP 5432 (Service postgres).",
      "No longer reaches addresses outside of the cluster: 203.0.113.0-203.0.113.255 on TCP 443.",
    ]);
    expect(opens).toEqual([]);
  });

  test("takes the pod's Services and named ports for ports where no policy names one", () => {
    const { loses } = impactOf(facts(), quarantined(shop));
    expect(loses).toContain(
      "No longer reached on TCP 8080 (Service web), TCP 9102 (metrics) by shop/front (Deployment, 2 pods), db/postgres (StatefulSet) and kube-system/coredns (Deployment).",
    );
    expect(loses).toContain("No longer reaches any address outside of the cluster on all ports.");
    expect(loses).toContain("No longer reaches shop/front (Deployment, 2 pods) on all ports.");
  });

  test("counts a container's port that has no name and no Service", () => {
    const pods = [details({ ports: [{ name: undefined, protocol: "TCP", port: 6060 }] })];
    expect(impactOf(facts({ pods }), quarantined(shop)).loses.join("\n")).toContain("TCP 6060 (container port)");
  });

  test("does not say that DNS or a peer is lost where the quarantine leaves it", () => {
    const egress = [{ ports: [{ protocol: "UDP", port: 53 }] }];
    const { loses } = impactOf(facts(), quarantined({ ...shop, policies }, { egress }));
    expect(loses.join("\n")).not.toContain("DNS");
    expect(loses).toHaveLength(3);
  });

  test("does not say that names cannot be resolved where only other ports of the cluster's DNS are cut", () => {
    const egress = [{ ports: [{ protocol: "UDP", port: 53 }] }];
    const { loses } = impactOf(facts(), quarantined(shop, { egress }));
    expect(loses.join("\n")).not.toContain("resolve names");
    expect(loses.join("\n")).toMatch(/No longer reaches .*kube-system\/coredns/);
  });

  test("counts the workloads beyond a few, so that no cluster makes a long card", () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`shop/app-${i}`, deployment("shop", `app-${i}`)]),
    );
    const { loses } = impactOf(facts(), quarantined({ ...shop, pods: { ...shop.pods, ...many } }));
    expect(loses.length).toBeLessThan(10);
    expect(loses.join("\n")).toContain("38 more workloads");
  });

  test("says that nothing is cut where other policies leave nothing to cut", () => {
    const spec = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
    const closed = ["shop", "db", "kube-system"].map((namespace) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "closed", namespace },
      spec,
    }));
    expect(impactOf(facts(), quarantined({ ...shop, policies: closed })).loses).toEqual([
      "Nothing: other policies leave it no connection that this would cut.",
    ]);
  });

  test("warns of what the change opens, by name", () => {
    const onlyWeb = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: unlabelled, namespace: shop }
spec:
  podSelector: { matchLabels: { app: front } }
  policyTypes: [Ingress]
  ingress:
    - from: [{ podSelector: { matchExpressions: [{ key: app, operator: DoesNotExist }] } }]
`;
    const open = quarantined({ ...shop, policies: onlyWeb }, { egress: [{}] });
    const { opens, warnings } = impactOf(facts(), open);
    expect(opens).toEqual(["shop/web (Deployment) → shop/front (Deployment) on all ports"]);
    expect(warnings).toContain(`This also OPENS what was closed, as configured endpoints do: ${opens[0]}.`);
  });

  test("says so where connections could not be worked out", () => {
    expect(impactOf(facts(), undefined)).toMatchObject({
      loses: [],
      warnings: ["Which connections this cuts could not be worked out."],
    });
  });
});

describe("budgets", () => {
  const budget = { name: "web", selector: { matchLabels: { app: "web" } }, allowed: 1, healthy: 3, desired: 2 };

  test("say what they allow once the pod has left them", () => {
    const { effects } = impactOf(facts({ budgets: [budget] }), quarantined(shop));
    expect(effects).toEqual([
      "PodDisruptionBudget web allows 1 disruption now, and 0 until a replacement is ready: evictions and drains of its other pods wait.",
    ]);
  });

  test("that count the pod on, since its labels stay, say that", () => {
    const kept = quarantined(shop);
    const [isolated] = kept.subjects;
    const subjects = [{ ...isolated!, labels: { app: "web" } }];
    expect(impactOf(facts({ budgets: [budget] }), { ...kept, subjects }).effects).toEqual([
      "PodDisruptionBudget web allows 1 disruption now; it still counts what is contained as healthy.",
    ]);
  });

  test("of other pods, and those that select nothing, are not spoken of", () => {
    const others = [
      { ...budget, selector: { matchLabels: { app: "other" } } },
      { ...budget, selector: undefined },
    ];
    expect(impactOf(facts({ budgets: others }), quarantined(shop)).effects).toEqual([]);
  });
});

describe("probes and meshes", () => {
  const liveness: Probe = { container: "main", kind: "liveness", by: "http", port: "http" };
  const http = { name: "http", protocol: "TCP", port: 8080 } as const;

  test("a liveness probe puts the evidence at risk, and is named", () => {
    const pods = [details({ probes: [liveness, { container: "x", kind: "readiness", by: "exec", port: undefined }] })];
    const [warning, ...others] = impactOf(facts({ pods }), quarantined(shop)).warnings;
    expect(others).toEqual([]);
    expect(warning).toMatch(/^EVIDENCE: 1 liveness probe \(HTTP http of container main\)\. .*restarts the container/);
  });

  test("in Istio's ambient mesh the denial leaves the address of the kubelet's probes open, on their ports alone", () => {
    const pod = details({ mesh: "inherited", probes: [liveness], ports: [http], addresses: ["10.0.0.1", "fd00::1"] });
    const ambient = { "istio.io/dataplane-mode": "ambient" };
    const ports = [{ protocol: "TCP", port: 8080 }];
    expect(probeEndpoints([pod], ambient)).toMatchObject([
      { direction: "ingress", peer: { ipBlock: { cidr: "169.254.7.127/32" } }, ports },
      { direction: "ingress", peer: { ipBlock: { cidr: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128" } }, ports },
    ]);
    expect(probeEndpoints([{ ...pod, addresses: ["10.0.0.1"] }], ambient)).toHaveLength(1);
    expect(probeEndpoints([pod], {})).toEqual([]);
    expect(probeEndpoints([{ ...pod, mesh: "istio-sidecar" }], ambient)).toEqual([]);
    expect(probeEndpoints([{ ...pod, probes: [] }], ambient)).toEqual([]);
  });

  test.each([
    ["istio-ambient", /15008.*not known.*169\.254\.7\.127/],
    ["istio-sidecar", /15020.*not known/],
    ["linkerd", /4143.*not known/],
  ] as const)("with %s what is said by port is not known", (mesh, words) => {
    expect(impactOf(facts({ pods: [details({ mesh })] }), quarantined(shop)).warnings[0]).toMatch(words);
  });
});

describe("what is to be rotated", () => {
  test("Secrets by name, the ServiceAccount with what it is bound to, and identities of clouds", () => {
    const pod = details({
      serviceAccount: "web",
      tokens: ["", "vault"],
      secrets: [
        { name: "db", where: "volume" },
        { name: "stripe", where: "environment" },
      ],
      secretStores: ["aws"],
      pullSecrets: ["registry"],
    });
    const binding = { namespace: "shop", role: "Role deployer", builtIn: false };
    const { rotate } = impactOf(
      facts({
        pods: [pod],
        accounts: [{ name: "web", annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/web" } }],
        bindings: [
          { ...binding, name: "by-name", subjects: [{ kind: "ServiceAccount", name: "web", namespace: "shop" }] },
          { ...binding, name: "other", subjects: [{ kind: "ServiceAccount", name: "web", namespace: "else" }] },
          {
            name: "all",
            namespace: undefined,
            role: "ClusterRole view",
            builtIn: false,
            subjects: [{ kind: "Group", name: "system:serviceaccounts:shop", namespace: undefined }],
          },
          {
            name: "system:discovery",
            namespace: undefined,
            role: "ClusterRole system:discovery",
            builtIn: true,
            subjects: [{ kind: "Group", name: "system:authenticated", namespace: undefined }],
          },
        ],
      }),
      quarantined(shop),
    );
    expect(rotate).toEqual([
      "Secret db (mounted as a volume).",
      "Secret stripe (in the environment).",
      "What SecretProviderClass aws fetches into its volumes.",
      "ServiceAccount shop/web: its token is mounted, and one for vault; bound to ClusterRole view (ClusterRoleBinding all) and Role deployer (RoleBinding by-name).",
      "AWS IAM role arn:aws:iam::1:role/web: end its sessions, whoever has its token has its rights.",
      "Not readable in the pod, used by its node: image pull Secret registry.",
      "Not looked at: values written into the pod's environment, ConfigMaps, and what the application fetched itself.",
    ]);
  });

  test("says what could not be read, and never that a ServiceAccount is bound to nothing then", () => {
    const unread = [{ what: "clusterrolebindings.rbac.authorization.k8s.io", why: "forbidden" }];
    const { rotate, warnings } = impactOf(facts({ unread }), quarantined(shop));
    expect(rotate[0]).toBe(
      "ServiceAccount shop/default: no token of it is mounted; what it is bound to is not known (clusterrolebindings.rbac.authorization.k8s.io not read).",
    );
    expect(warnings).toEqual([]);
    const others = [{ what: "poddisruptionbudgets.policy", why: "forbidden" }];
    expect(impactOf(facts({ unread: others }), quarantined(shop)).warnings).toEqual([
      "Not read, and so not in this plan: poddisruptionbudgets.policy.",
    ]);
  });
});

test("Of many pods that are contained together a few are looked at one by one, and all are counted", async () => {
  const asked: (readonly string[])[] = [];
  const { namespace: _n, contained: _c, ...surroundings } = facts();
  const cluster = {
    surroundings: (_namespace: string, pods: readonly string[]) => {
      asked.push(pods);
      return Promise.resolve(surroundings);
    },
  };
  const pods = Array.from({ length: 30 }, (_, i) => aPod({ name: `web-${i}` }));
  const read = await readImpactFacts(cluster, "shop", pods);
  expect(asked).toEqual([["web-0", "web-1", "web-2", "web-3", "web-4"]]);
  expect(read.contained).toHaveLength(30);
});
