import type { Cluster, NamespaceFacts } from "../kubernetes/cluster.ts";
import type { Endpoint } from "../policy/endpoint.ts";
import { selects } from "../policy/selector.ts";

/** The pod's own namespace, whose facts are known already. */
export type OwnNamespace = { readonly namespace: string; readonly facts: NamespaceFacts };

/**
 * Names of the configured endpoints by selector that no pod matches now: a typing error there is best seen beforehand.
 * Where the cluster does not say, none: a warning is no reason to stop a quarantine.
 */
export async function emptyEndpointsOf(
  cluster: Cluster,
  endpoints: readonly Endpoint[],
  own: OwnNamespace,
): Promise<readonly string[]> {
  const bySelector = endpoints.filter(({ peer }) => peer.ipBlock === undefined);
  if (bySelector.length === 0) return [];
  try {
    const all = await cluster.namespaces();
    const empty = await Promise.all(
      bySelector.map(async ({ name, peer }) => {
        const wanted = peer.namespaceSelector;
        const chosen = all.filter(({ labels }) => wanted !== undefined && selects(wanted, labels));
        const names = wanted === undefined ? [own.namespace] : chosen.map((one) => one.name);
        return (await hasPod(cluster, names, { own, peer })) ? [] : [name];
      }),
    );
    return empty.flat();
  } catch {
    return [];
  }
}

async function hasPod(
  cluster: Cluster,
  names: readonly string[],
  { own, peer }: { readonly own: OwnNamespace; readonly peer: Endpoint["peer"] },
): Promise<boolean> {
  const facts = await Promise.all(
    names.map(async (name) => (name === own.namespace ? own.facts : cluster.facts(name, "cache"))),
  );
  return facts.some(({ pods }) => pods.some(({ labels }) => selects(peer.podSelector, labels)));
}
