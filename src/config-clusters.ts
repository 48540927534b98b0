import type { ClusterSettings } from "./commands/services.ts";
import { clustersOfFlows } from "./config-flows.ts";
import type { ConfigFile } from "./config-schema.ts";
import { didYouMean } from "./policy/suggest.ts";

type Given = Pick<ConfigFile, "clusters" | "home" | "channels" | "defaultCluster">;

/**
 * Which cluster is the bot's own, and which one is meant where none is named. Home is what the file says; else the one
 * that names neither kubeconfig nor context, which is the bot's pod's own; else the first. It does not depend on who
 * reads the file: a laptop that took another one for home would write into the wrong cluster.
 */
export function clusterSettings({ clusters, home, channels, defaultCluster }: Given): ClusterSettings {
  const own = clusters.find(({ kubeconfig, context }) => kubeconfig === undefined && context === undefined);
  return { home: home ?? own?.name ?? clusters[0]?.name ?? "", defaultCluster, channels };
}

/** Clusters that are named where none of that name is configured, and two entries that are one and the same cluster. */
export function clusterProblems(file: Given & Pick<ConfigFile, "access" | "flows">): readonly string[] {
  const names = file.clusters.map(({ name }) => name);
  const named: readonly (readonly [place: string, name: string | undefined])[] = [
    ["home", file.home],
    ["defaultCluster", file.defaultCluster],
    ...Object.entries(file.channels).map(([channel, name]) => [`channels.${channel}`, name] as const),
    ...clustersOfFlows(file.flows),
    ...file.access.flatMap(({ clusters = [] }, rule) =>
      clusters.map((name, at) => [`access.${rule}.clusters.${at}`, name] as const),
    ),
  ];
  const unknown = named.flatMap(([place, name]) =>
    name === undefined || name === "*" || names.includes(name)
      ? []
      : [`${place}: there is no cluster ${name} under clusters.${didYouMean(name, names)}`],
  );
  return [...unknown, ...sameClusters(file.clusters)];
}

/** Two entries with the same credentials would make every name one that two clusters hold. */
function sameClusters(clusters: Given["clusters"]): readonly string[] {
  return clusters.flatMap((cluster, at) => {
    const same = clusters
      .slice(0, at)
      .find((one) => one.kubeconfig === cluster.kubeconfig && one.context === cluster.context);
    return same === undefined
      ? []
      : [`clusters.${at}: has the same kubeconfig and context as ${same.name}; give one of them its own`];
  });
}
