import { type Dispatcher, ProxyAgent } from "undici";
import type { ClusterEntry } from "./commands/services.ts";
import type { ClusterConfig, Environment } from "./config.ts";
import { kubeconfigFiles } from "./config-kubeconfig.ts";
import { type ClusterOptions, openCluster } from "./kubernetes/cluster.ts";
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

/** By the cluster's name. */
export type Connections = ReadonlyMap<string, Connection>;

/** Throws where there is none: configuration was checked to name only clusters that are there. */
export function connectionOf(connections: Connections, name: string): Connection {
  const connection = connections.get(name);
  if (connection === undefined) throw new Error(`cluster ${name} is not configured`);
  return connection;
}

type OpenClusters = {
  readonly entries: ReadonlyMap<string, ClusterEntry>;
  close(): Promise<void>;
};

/**
 * Every configured cluster by its name. Nothing is awaited and nothing fails here: a cluster that is down, or whose
 * credentials cannot be had, says so when it is asked, and is tried again whenever it is.
 */
export function openClusters(
  configs: readonly ClusterConfig[],
  connections: Connections,
  optionsFor: (name: string) => ClusterOptions,
): OpenClusters {
  const clusters = configs.map(({ name, enforcement }) => ({
    enforcement,
    cluster: openCluster(name, connectionOf(connections, name), optionsFor(name)),
  }));
  return {
    entries: new Map(clusters.map((entry) => [entry.cluster.name, entry])),
    async close() {
      await Promise.all(clusters.map(({ cluster }) => cluster.close()));
    },
  };
}

/** The bot's own namespace and the ConfigMap that holds its configuration, for terminals elsewhere. */
export const sharedConfig = { name: "bulkhead-config", key: "config.yaml" } as const;
