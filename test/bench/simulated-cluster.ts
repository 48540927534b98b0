import type { WireObject } from "../../src/simulator/model.ts";
import type { SimulatedPod, Snapshot } from "../../src/simulator/snapshot.ts";

const podsPerWorkload = 10;
const workloadsPerNamespace = 10;

/**
 * A cluster of the usual shape, the same each time: ten pods a workload, ten workloads a namespace, each pod with a hash
 * of its own among its labels; a fifth as many policies as pods. A namespace is denied by default, may ask DNS, and each
 * of its workloads is open to the one before it, every third to the next namespace and every fifth to a range outside.
 * `distinct`: one policy more asks for the pod's name, so that no two pods are alike.
 */
export function simulatedCluster(pods: number, distinct = false): Snapshot {
  const namespaces = Array.from(
    { length: Math.ceil(pods / podsPerWorkload / workloadsPerNamespace) },
    (_, i) => `team-${i}`,
  );
  return {
    namespaces: namespaces.map((name, i) => ({
      name,
      labels: { "kubernetes.io/metadata.name": name, tier: i % 3 === 0 ? "edge" : "core" },
    })),
    pods: Array.from({ length: pods }, (_, i) => podOf(i)),
    services: [],
    policies: [...namespaces.flatMap(policiesOf), ...(distinct ? [byPodName] : [])],
  };
}

const byPodName: WireObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "one-pod", namespace: "team-0" },
  spec: { podSelector: { matchLabels: { "statefulset.kubernetes.io/pod-name": "app-0-0" } } },
};

function podOf(index: number): SimulatedPod {
  const workload = Math.floor(index / podsPerWorkload);
  const namespace = `team-${Math.floor(workload / workloadsPerNamespace)}`;
  const app = `app-${workload % workloadsPerNamespace}`;
  return {
    namespace,
    name: `${app}-${index}`,
    labels: { app, "pod-template-hash": `h${workload}`, "statefulset.kubernetes.io/pod-name": `${app}-${index}` },
    workload: { namespace, name: app, kind: "Deployment" },
    serviceAccount: app,
    ports: [{ name: "http", protocol: "TCP", port: 8_080 }],
    addresses: [`10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`],
    node: `node-${index % 100}`,
    hostNetwork: false,
  };
}

/** Twenty a namespace. */
function policiesOf(namespace: string, index: number): readonly WireObject[] {
  const policy = (name: string, spec: object): WireObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec,
  });
  const selecting = (app: number) => ({ podSelector: { matchLabels: { app: `app-${app}` } } });
  const elsewhere = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `team-${index + 1}` } } };
  const inward = Array.from({ length: workloadsPerNamespace }, (_, i) => {
    const peers = [selecting(i - 1), ...(i % 3 === 0 ? [{ ...elsewhere, ...selecting(i) }] : [])];
    const outside =
      i % 5 === 0 ? [{ from: [{ ipBlock: { cidr: `192.168.${i}.0/24`, except: [`192.168.${i}.8/29`] } }] }] : [];
    return policy(`to-app-${i}`, {
      ...selecting(i),
      ingress: [{ from: peers, ports: [{ port: "http" }] }, ...outside],
    });
  });
  const outward = Array.from({ length: workloadsPerNamespace - 2 }, (_, i) =>
    policy(`from-app-${i}`, {
      ...selecting(i),
      policyTypes: ["Egress"],
      egress: [{ to: [selecting(i + 1), elsewhere], ports: [{ port: 8_080 }, { port: 9_000, endPort: 9_100 }] }],
    }),
  );
  const dns = { namespaceSelector: { matchLabels: { tier: "edge" } }, podSelector: { matchLabels: { app: "app-0" } } };
  return [
    policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }),
    policy("dns", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [dns], ports: [{ protocol: "UDP", port: 53 }] }],
    }),
    ...inward,
    ...outward,
  ];
}
