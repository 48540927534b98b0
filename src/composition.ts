import type { ClusterConfig, Environment } from "./config.ts";
import { type Connection, createConnection } from "./kubernetes/connection.ts";
import type { CredentialSource } from "./kubernetes/credentials.ts";

/**
 * Where the credentials of the cluster come from: what the configuration names, else KUBECONFIG, else the pod's service
 * account, else ~/.kube/config.
 */
function credentialSource(cluster: ClusterConfig, env: Environment): CredentialSource {
  const context = cluster.context === undefined ? {} : { context: cluster.context };
  const named = cluster.kubeconfig ?? env["KUBECONFIG"];
  if (named !== undefined && named !== "") return { kind: "files", paths: named.split(":"), ...context };
  if (isInPod(env)) return { kind: "in-cluster" };
  return { kind: "files", paths: [`${env["HOME"] ?? "/root"}/.kube/config`], ...context };
}

/** Whether this process runs in a pod of a cluster (the kubelet sets the variable in every container). */
export function isInPod(env: Environment): boolean {
  return env["KUBERNETES_SERVICE_HOST"] !== undefined;
}

export function connectCluster(cluster: ClusterConfig, env: Environment, now: () => number): Connection {
  return createConnection({ source: credentialSource(cluster, env), now });
}

/** The bot's own namespace and the ConfigMap that holds its configuration, for terminals elsewhere. */
export const sharedConfig = { name: "bulkhead-config", key: "config.yaml" } as const;
