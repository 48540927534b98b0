import type { ClusterConfig, Environment } from "./config.ts";
import { kubeconfigFiles } from "./config-kubeconfig.ts";
import { type Connection, createConnection } from "./kubernetes/connection.ts";
import type { CredentialSource } from "./kubernetes/credentials.ts";

/** Where the credentials of the cluster come from (config-kubeconfig.ts). */
function credentialSource(cluster: ClusterConfig, env: Environment): CredentialSource {
  const files = kubeconfigFiles(cluster.kubeconfig, env);
  if (files === undefined) return { kind: "in-cluster" };
  return { kind: "files", paths: files.paths, ...(cluster.context === undefined ? {} : { context: cluster.context }) };
}

export function connectCluster(cluster: ClusterConfig, env: Environment, now: () => number): Connection {
  return createConnection({ source: credentialSource(cluster, env), now, cluster: cluster.name });
}

/** The bot's own namespace and the ConfigMap that holds its configuration, for terminals elsewhere. */
export const sharedConfig = { name: "bulkhead-config", key: "config.yaml" } as const;
