import { isClusterName, isNamespaceName, isPodNamePrefix, splitCluster } from "../policy/target.ts";

/** A policy as typed; the empty namespace is for what is of the whole cluster, `of` its kind in lower case. */
type PolicyReference = {
  readonly cluster: string | undefined;
  readonly namespace: string;
  readonly of: string | undefined;
  readonly name: string;
};

/** `shop/web`, `shop/ciliumnetworkpolicy/web`, `/web` of the whole cluster, each also after a cluster and a colon. */
export function parsePolicy(text: string): PolicyReference | undefined {
  const { cluster, rest } = splitCluster(text);
  const [, namespace = "", typed, name = ""] = /^([^/]*)\/(?:([A-Za-z]{1,63})\/)?([^/]*[^/.-])$/.exec(rest) ?? [];
  if (cluster !== undefined && !isClusterName(cluster)) return undefined;
  if (namespace !== "" && !isNamespaceName(namespace)) return undefined;
  return isPodNamePrefix(name) ? { cluster, namespace, of: typed?.toLowerCase(), name } : undefined;
}
