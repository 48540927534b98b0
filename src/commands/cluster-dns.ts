import type { Cluster } from "../kubernetes/cluster.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import type { Labels, NetworkPolicyPort, Service } from "../policy/objects.ts";

/** Where the pods of a namespace that is locked down still resolve names. */
export type ClusterDns = { readonly endpoints: readonly Endpoint[]; readonly warnings: readonly string[] };

/**
 * The endpoints of the configuration (`lockdown.dns`) where it names any, else the pods behind Service
 * kube-system/kube-dns, at the ports that they have there, else those that bear CoreDNS's usual label; and NodeLocal
 * DNSCache, whose address is that of Kubernetes' documentation (Using NodeLocal DNSCache). Never rejects.
 */
export async function clusterDns(
  cluster: Pick<Cluster, "facts">,
  configured: readonly Endpoint[] | undefined,
): Promise<ClusterDns> {
  if (configured !== undefined) return { endpoints: configured, warnings: [] };
  const service = await cluster
    .facts(place, "cache")
    .then(({ services }) => services.find(({ name, selector }) => name === "kube-dns" && hasKeys(selector)))
    .catch(() => undefined);
  const guess = `Service ${place}/kube-dns was not found: pods there with k8s-app=kube-dns are taken for the cluster's DNS (lockdown.dns in the configuration says otherwise).`;
  return {
    endpoints: [
      dnsOf(service?.selector ?? { "k8s-app": "kube-dns" }, portsOf(service)),
      { ...egress, name: "node-local-dns", peer: { ipBlock: { cidr: "169.254.20.10/32" } }, ports: standard },
    ],
    warnings: service === undefined ? [guess] : [],
  };
}

const place = "kube-system";
const egress = { purpose: "dns", direction: "egress" } as const;
const standard: readonly NetworkPolicyPort[] = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];

function dnsOf(selector: Labels, ports: readonly NetworkPolicyPort[]): Endpoint {
  const peer = {
    podSelector: { matchLabels: selector },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": place } },
  };
  return { ...egress, name: "cluster-dns", peer, ports };
}

/** A policy acts on the pod's own port, which the Service's 53 is mapped to. */
function portsOf(service: Service | undefined): readonly NetworkPolicyPort[] {
  const mapped = (service?.ports ?? []).filter(({ port }) => port === 53);
  return mapped.length === 0 ? standard : mapped.map(({ protocol, targetPort }) => ({ protocol, port: targetPort }));
}

function hasKeys(selector: Labels): boolean {
  return Object.keys(selector).length > 0;
}
