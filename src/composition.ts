import { type Dispatcher, ProxyAgent } from "undici";
import type { ClusterConfig, Environment } from "./config.ts";
import { kubeconfigFiles } from "./config-kubeconfig.ts";
import { type Connection, createConnection } from "./kubernetes/connection.ts";
import type { CredentialSource } from "./kubernetes/credentials.ts";
import { proxyFor } from "./proxy.ts";

/**
 * Where the credentials of the cluster come from (config-kubeconfig.ts). A proxy of the environment counts for
 * kubeconfigs, as with kubectl; the API server of the bot's own cluster is always reached straight.
 */
function credentialSource(cluster: ClusterConfig, env: Environment): CredentialSource {
  const files = kubeconfigFiles(cluster.kubeconfig, env);
  if (files === undefined) return { kind: "in-cluster" };
  const context = cluster.context === undefined ? {} : { context: cluster.context };
  return { kind: "files", paths: files.paths, proxyFor: (server) => proxyFor(server, env), ...context };
}

export function connectCluster(cluster: ClusterConfig, env: Environment, now: () => number): Connection {
  return createConnection({ source: credentialSource(cluster, env), now, cluster: cluster.name });
}

/**
 * The way out to Slack: undefined where it is the straight one. What NO_PROXY says of the Web API's host counts for the
 * socket and for response_urls, too: Slack names their hosts only then. HTTP/1.1, as a WebSocket needs it.
 */
export function slackDispatcher(apiUrl: string, env: Environment): Dispatcher | undefined {
  const uri = proxyFor(apiUrl, env);
  if (uri === undefined) return undefined;
  return new ProxyAgent({ uri, proxyTunnel: true, allowH2: false, connectTimeout: 5_000 });
}

/** The bot's own namespace and the ConfigMap that holds its configuration, for terminals elsewhere. */
export const sharedConfig = { name: "bulkhead-config", key: "config.yaml" } as const;
