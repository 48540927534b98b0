import type { PodAddresses } from "./flows/pod-addresses.ts";
import type { Settled } from "./flows/settled.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { Sight } from "./policy/sight.ts";

type Fed = { readonly addresses: PodAddresses; readonly settled: Settled; readonly now: () => number };

/**
 * Tells whose addresses are whose, and where policies changed, from the watches of a cluster. To be called before its first list is
 * there: what came before is not told again. Returns what ends it.
 */
export function feedFlows(cluster: Watched, { addresses, settled, now }: Fed): () => void {
  const { name } = cluster;
  const endPods = cluster.onPodChange(({ kind, value }) => {
    if (kind === "deleted") addresses.gone(name, value, now());
    else addresses.saw(name, value, now());
  });
  const endPolicies = cluster.followPolicies({
    onSights(sights) {
      for (const sight of sights.filter(isChange)) settled.changed(name, sight.object.metadata.namespace, sight.at);
    },
  });
  return () => {
    endPods();
    endPolicies();
  };
}

type Watched = Pick<Cluster, "name" | "onPodChange" | "followPolicies">;

/** What a first list shows may be there for years. */
function isChange(sight: Sight): boolean {
  return sight.continuous || (sight.kind === "there" && sight.previous !== undefined);
}
