import type { SandboxCluster } from "./kubernetes/cluster.ts";

/** The pods of a namespace with their labels, as `kubectl get pods --show-labels` would list them. */
export function podTable(cluster: SandboxCluster, namespace: string): string {
  const rows = cluster
    .objects("Pod", namespace)
    .map(({ metadata }) => [metadata.name, labelText(metadata.labels)] as const)
    .toSorted(([a], [b]) => a.localeCompare(b));
  const width = Math.max(4, ...rows.map(([name]) => name.length)) + 2;
  return [["NAME", "LABELS"] as const, ...rows].map(([name, labels]) => name.padEnd(width) + labels).join("\n");
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.join(",");
}
