import type { Cluster, Freshness, NamespaceFacts } from "../kubernetes/cluster.ts";
import { KubernetesError } from "../kubernetes/failure.ts";
import type { Unread } from "../kubernetes/policy-objects.ts";
import type { Detection } from "../policy/engine.ts";
import type { Namespace } from "../policy/objects.ts";
import type { Principal } from "../policy/principal.ts";
import type { SimulatedPod, Snapshot } from "../simulator/snapshot.ts";
import { detectionOf } from "./detection.ts";
import { notSimulated } from "./explain-facts.ts";
import { type Everywhere, nothingRead, readEverywhere } from "./read-everywhere.ts";
import { sees } from "./sees.ts";
import { clusterOf, type Services } from "./services.ts";
import { snapshotOf } from "./simulated.ts";
import { tracingOf } from "./tracing.ts";
import { unseen } from "./unseen.ts";

/** All by which it is judged what a containment leaves open: the whole cluster, as far as it could be read. */
export type ClusterView = {
  readonly snapshot: Snapshot;
  readonly detection: Detection;
  /** What was not read, and so is not in the snapshot. */
  readonly unread: readonly Unread[];
  /** Whether the pods of all namespaces are in it. */
  readonly isWhole: boolean;
};

type ViewOptions = {
  /** Those of the pods concerned: agents count there alone. */
  readonly nodes: readonly string[];
  /** Where they have no right, pods count and their workloads are not named. */
  readonly principal: Principal;
  /** Whether to read the pods of other namespaces; default: yes. */
  readonly wide?: boolean;
};

/** A namespace whose facts are known already, and others of which that holds too. */
type Own = {
  readonly namespace: string;
  readonly facts: NamespaceFacts;
  readonly more?: ReadonlyMap<string, NamespaceFacts>;
};

/**
 * Reads the cluster around one namespace, whose facts are known already and of the freshness that the caller needs; the
 * rest may come from the cache. Never rejects for what could not be read: it is named.
 */
export function readView(services: Services, name: string, own: Own, options: ViewOptions): Promise<ClusterView> {
  return tracingOf(services).span("gather", {}, () => gather(services, name, own, options));
}

async function gather(
  services: Services,
  name: string,
  own: Own,
  { nodes, principal, wide = true }: ViewOptions,
): Promise<ClusterView> {
  const { cluster } = clusterOf(services, name);
  const [everywhere, namespaces, policies, detection] = await Promise.all([
    wide ? readEverywhere(cluster, "the pods and policies of other namespaces") : nothingRead,
    readNamespaces(cluster, own.namespace),
    cluster.policyObjects(),
    detectionOf(services, name, "cache", nodes),
  ]);
  const all = withOwn(everywhere, own);
  const whole = { ...all, namespaces: namespaces.items, policies: [...all.policies, ...policies.objects] };
  const seen = (namespace: string) => sees(services, principal, { cluster: name, namespace });
  const snapshot = withoutNames(snapshotOf(whole), seen);
  const unread = [...everywhere.unread, ...namespaces.unread, ...policies.unread, ...notSimulated(snapshot)];
  return { snapshot, detection, unread, isWhole: wide && everywhere.read };
}

type Concerned = {
  readonly namespaces: readonly string[];
  readonly from: Freshness;
  readonly principal: Principal;
};

/** The same around several namespaces, or none, each of them as fresh as is asked. */
export async function readViewOf(
  services: Services,
  cluster: Cluster,
  { namespaces, from, principal }: Concerned,
): Promise<ClusterView> {
  const more = new Map(
    await Promise.all(namespaces.map(async (one) => [one, await cluster.facts(one, from)] as const)),
  );
  const [namespace = ""] = namespaces;
  const own = { namespace, facts: more.get(namespace) ?? nothingRead, more };
  return readView(services, cluster.name, own, { nodes: [], principal });
}

/** Workloads are for people to read: policies do not go by them. */
function withoutNames(snapshot: Snapshot, seen: (namespace: string) => boolean): Snapshot {
  const isSeen = new Map(snapshot.namespaces.map(({ name }) => [name, seen(name)]));
  return {
    ...snapshot,
    pods: snapshot.pods.map((pod) => (isSeen.get(pod.namespace) === true ? pod : { ...pod, workload: unseen })),
  };
}

/** The pod as the simulator has it; undefined where it has finished, or was not read. */
export function simulatedPod(
  { pods }: Snapshot,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): SimulatedPod | undefined {
  return pods.find((pod) => pod.name === name && pod.namespace === namespace);
}

type Namespaces = { readonly items: readonly Namespace[]; readonly unread: readonly Unread[] };

/** The own one always counts, with the label that the control plane gives it (facts: network-policy §1). */
async function readNamespaces(cluster: Cluster, own: string): Promise<Namespaces> {
  try {
    return { items: await cluster.namespaces(), unread: [] };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    const labels = { "kubernetes.io/metadata.name": own };
    return {
      items: [{ name: own, labels, terminating: false }],
      unread: [{ what: "the namespaces and their labels", why: error.message }],
    };
  }
}

function withOwn(
  everywhere: Everywhere,
  { namespace, facts, more = new Map() }: Own,
): Pick<NamespaceFacts, "pods" | "services" | "workloads" | "policies"> {
  const known = new Map([...more, [namespace, facts]]);
  const isElsewhere = (one: { readonly namespace: string }): boolean => !known.has(one.namespace);
  const all = [...known.values()];
  return {
    pods: [...all.flatMap(({ pods }) => pods), ...everywhere.pods.filter(isElsewhere)],
    services: [...all.flatMap(({ services }) => services), ...everywhere.services.filter(isElsewhere)],
    workloads: [...all.flatMap(({ workloads }) => workloads), ...everywhere.workloads.filter(isElsewhere)],
    policies: [
      ...all.flatMap(({ policies }) => policies),
      ...everywhere.policies.filter(({ metadata }) => isElsewhere(metadata)),
    ],
  };
}
