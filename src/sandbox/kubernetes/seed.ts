type Manifest = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
} & Record<string, unknown>;

/** A small shop with the services it needs: what demo, drills and tests find in the sandbox. */
export function seedObjects(): Manifest[] {
  return [...nodes(), ...namespaces(), ...payments(), ...shop(), ...db(), ...monitoring(), ...system()];
}

function nodes(): Manifest[] {
  return ["node-a", "node-b", "node-c"].map((name, index) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
    },
    spec: {},
    status: {
      addresses: [
        { type: "InternalIP", address: `192.168.10.${index + 11}` },
        { type: "Hostname", address: name },
      ],
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
      ],
      nodeInfo: { kubeletVersion: "v1.32.0", operatingSystem: "linux", architecture: "amd64" },
    },
  }));
}

function namespaces(): Manifest[] {
  const teams = { payments: "payments", shop: "storefront", db: "data", monitoring: "platform", bulkhead: "platform" };
  return Object.entries(teams).map(([name, team]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { team } },
  }));
}

/** The namespace with money in it: closed by default, and with one policy that selects everything and opens something. */
function payments(): Manifest[] {
  const namespace = "payments";
  return [
    deployment(namespace, "checkout", { replicas: 3, image: "registry.example/checkout:4.2.1", port: 8080 }),
    deployment(namespace, "ledger", { replicas: 2, image: "registry.example/ledger:1.9.0", port: 9000 }),
    job(namespace, "settlement-20261121", "registry.example/settlement:2.0.3"),
    barePod(namespace, "debug-shell", "registry.example/toolbox:1.0"),
    service(namespace, "checkout", { app: "checkout" }, 8080),
    service(namespace, "ledger", { app: "ledger" }, 9000),
    policy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy(namespace, "allow-dns", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [dns], ports: dnsPorts }],
    }),
    policy(namespace, "allow-metrics", {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        { from: [inNamespace("monitoring", { app: "prometheus" })], ports: [{ protocol: "TCP", port: "metrics" }] },
      ],
    }),
    policy(namespace, "allow-checkout", {
      podSelector: { matchLabels: { app: "checkout" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [inNamespace("shop", { app: "frontend" })], ports: tcp(8080) }],
      egress: [
        { to: [{ podSelector: { matchLabels: { app: "ledger" } } }], ports: tcp(9000) },
        { to: [{ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.128/25"] } }], ports: tcp(443) },
      ],
    }),
    policy(namespace, "allow-ledger", {
      podSelector: { matchLabels: { app: "ledger" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "checkout" } } }], ports: tcp(9000) }],
      egress: [{ to: [inNamespace("db", { app: "postgres" })], ports: tcp(5432) }],
    }),
  ];
}

function shop(): Manifest[] {
  const namespace = "shop";
  return [
    deployment(namespace, "frontend", { replicas: 2, image: "registry.example/frontend:7.0.2", port: 3000 }),
    deployment(namespace, "search", { replicas: 2, image: "registry.example/search:3.3.0", port: 9200 }),
    deployment(namespace, "cart", { replicas: 1, image: "registry.example/cart:2.8.4", port: 8081 }),
    service(namespace, "frontend", { app: "frontend" }, 3000),
    service(namespace, "search", { app: "search" }, 9200),
    service(namespace, "cart", { app: "cart" }, 8081),
    policy(namespace, "allow-cart", {
      podSelector: { matchLabels: { app: "cart" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "frontend" } } }], ports: tcp(8081) }],
    }),
  ];
}

function db(): Manifest[] {
  const namespace = "db";
  return [
    statefulSet(namespace, "postgres", "registry.example/postgres:16.4", 5432),
    {
      ...service(namespace, "postgres", { app: "postgres" }, 5432),
      spec: { clusterIP: "None", selector: { app: "postgres" }, ports: [{ name: "main", port: 5432 }] },
    },
    policy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy(namespace, "allow-postgres", {
      podSelector: { matchLabels: { app: "postgres" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [inNamespace("payments", { app: "ledger" })], ports: tcp(5432) },
        { from: [{ podSelector: { matchLabels: { app: "postgres" } } }], ports: tcp(5432) },
      ],
      egress: [
        { to: [{ podSelector: { matchLabels: { app: "postgres" } } }], ports: tcp(5432) },
        { to: [dns], ports: dnsPorts },
      ],
    }),
  ];
}

function monitoring(): Manifest[] {
  const namespace = "monitoring";
  return [
    deployment(namespace, "prometheus", { replicas: 1, image: "registry.example/prometheus:3.1.0", port: 9090 }),
    daemonSet(namespace, "node-exporter", "registry.example/node-exporter:1.9.1", 9100),
    service(namespace, "prometheus", { app: "prometheus" }, 9090),
  ];
}

function system(): Manifest[] {
  const namespace = "kube-system";
  const dnsLabels = { app: "coredns", "k8s-app": "kube-dns" };
  return [
    deployment(namespace, "coredns", {
      replicas: 2,
      image: "registry.example/coredns:1.12.0",
      port: 53,
      labels: dnsLabels,
    }),
    {
      ...service(namespace, "kube-dns", { "k8s-app": "kube-dns" }, 53),
      spec: {
        selector: { "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", protocol: "UDP", port: 53, targetPort: 53 },
          { name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53 },
        ],
      },
    },
  ];
}

type Workload = { replicas: number; image: string; port: number; labels?: Record<string, string> };

function deployment(namespace: string, name: string, { replicas, image, port, labels }: Workload): Manifest {
  const all = labels ?? { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: all },
    spec: {
      replicas,
      selector: { matchLabels: { app: all["app"] ?? name } },
      template: template(name, image, port, all),
    },
  };
}

function statefulSet(namespace: string, name: string, image: string, port: number): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      replicas: 3,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      template: template(name, image, port, { app: name }),
    },
  };
}

function daemonSet(namespace: string, name: string, image: string, port: number): Manifest {
  const pods = template(name, image, port, { app: name });
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name, namespace, labels: { app: name } },
    // As a node exporter does: a pod that NetworkPolicy says nothing about.
    spec: {
      selector: { matchLabels: { app: name } },
      template: { ...pods, spec: { ...pods.spec, hostNetwork: true } },
    },
  };
}

function job(namespace: string, name: string, image: string): Manifest {
  const container = { name: "main", image };
  const spec = { restartPolicy: "Never", containers: [container] };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace },
    spec: { template: { metadata: { labels: { app: "settlement" } }, spec } },
  };
}

function barePod(namespace: string, name: string, image: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: "debug-shell", owner: "ana" } },
    spec: { containers: [{ name: "shell", image }] },
  };
}

function template(
  name: string,
  image: string,
  port: number,
  labels: Record<string, string>,
): { metadata: object; spec: object } {
  const ports = [
    { name: "main", containerPort: port },
    { name: "metrics", containerPort: 9102 },
  ];
  return { metadata: { labels }, spec: { containers: [{ name, image, ports }] } };
}

function service(namespace: string, name: string, selector: Record<string, string>, port: number): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector, ports: [{ name: "main", port, targetPort: "main" }] },
  };
}

function policy(namespace: string, name: string, spec: object): Manifest {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

const dns = inNamespace("kube-system", { "k8s-app": "kube-dns" });
const dnsPorts = [{ protocol: "UDP", port: 53 }, ...tcp(53)];

function tcp(port: number): { protocol: string; port: number }[] {
  return [{ protocol: "TCP", port }];
}

function inNamespace(name: string, matchLabels: Record<string, string>): object {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } }, podSelector: { matchLabels } };
}
