import type { Cluster, NamespaceFacts } from "../kubernetes/cluster.ts";
import { KubernetesError } from "../kubernetes/failure.ts";
import type { Unread } from "../kubernetes/policy-objects.ts";

/** What all namespaces hold, or nothing, and then why. */
export type Everywhere = NamespaceFacts & {
  readonly read: boolean;
  readonly unread: readonly Unread[];
};

export const nothingRead: Everywhere = {
  pods: [],
  services: [],
  workloads: [],
  policies: [],
  ageMs: 0,
  read: false,
  unread: [],
};

/** The facts of all namespaces; `what` names them where they may not, or cannot, be listed. */
export async function readEverywhere(cluster: Cluster, what: string): Promise<Everywhere> {
  try {
    return { ...(await cluster.facts(undefined, "cache")), read: true, unread: [] };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return { ...nothingRead, unread: [{ what, why: error.message }] };
  }
}
