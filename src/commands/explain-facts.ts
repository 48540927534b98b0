import type { Age, Cluster } from "../kubernetes/cluster.ts";
import { KubernetesError } from "../kubernetes/failure.ts";
import type { Unread } from "../kubernetes/policy-objects.ts";
import type { Pod, Service } from "../policy/objects.ts";
import type { Settings, Snapshot } from "../simulator/snapshot.ts";
import { assumeEngine } from "./assume-engine.ts";
import type { End } from "./command.ts";
import { snapshotOf } from "./simulated.ts";

/** All that an explanation goes by, read of one cluster: of the namespaces of its ends, and where one is an address, of all. */
export type ExplainFacts = {
  readonly snapshot: Snapshot;
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly settings: Settings;
  /** Which engine was assumed and why. */
  readonly engine: string;
  /** What may bear on the answer and is not in it. */
  readonly unread: readonly Unread[];
  readonly age: Age;
};

/** Reads what the two ends need. Throws where their own namespaces cannot be read. */
export async function readFacts(cluster: Cluster, ends: readonly End[]): Promise<ExplainFacts> {
  const named = [...new Set(ends.flatMap((end) => (end.kind === "named" ? [end.namespace] : [])))];
  const [own, everywhere, namespaces, policies] = await Promise.all([
    Promise.all(named.map((namespace) => cluster.facts(namespace, "cache"))),
    ends.some(({ kind }) => kind === "address") ? readEverywhere(cluster) : nothing,
    cluster.namespaces(),
    cluster.policyObjects(),
  ]);
  const where = new Set(named);
  const elsewhere = <T extends { readonly namespace: string }>(all: readonly T[]): readonly T[] =>
    all.filter(({ namespace }) => !where.has(namespace));
  const pods = [...own.flatMap((facts) => facts.pods), ...elsewhere(everywhere.pods)];
  const services = [...own.flatMap((facts) => facts.services), ...elsewhere(everywhere.services)];
  const workloads = [...own.flatMap((facts) => facts.workloads), ...elsewhere(everywhere.workloads)];
  const networkPolicies = [
    ...own.flatMap((facts) => facts.policies),
    ...everywhere.policies.filter(({ metadata }) => !where.has(metadata.namespace)),
  ];
  const { settings, words } = assumeEngine(policies.groups);
  return {
    snapshot: snapshotOf({
      namespaces,
      pods,
      services,
      workloads,
      policies: [...networkPolicies, ...policies.objects],
    }),
    pods,
    services,
    settings,
    engine: words,
    unread: [...everywhere.unread, ...policies.unread],
    age: oldest([...own, ...(everywhere.read ? [everywhere] : [])]),
  };
}

type Everywhere = Awaited<ReturnType<Cluster["facts"]>> & {
  readonly read: boolean;
  readonly unread: readonly Unread[];
};

const nothing: Everywhere = { pods: [], services: [], workloads: [], policies: [], ageMs: 0, read: false, unread: [] };

/** An address may be that of any pod, node or Service: where not all of them may be listed, that is said. */
async function readEverywhere(cluster: Cluster): Promise<Everywhere> {
  try {
    return { ...(await cluster.facts(undefined, "cache")), read: true, unread: [] };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return {
      ...nothing,
      unread: [{ what: "the pods of all namespaces, of which one may have the address", why: error.message }],
    };
  }
}

/**
 * What bears on pods of these namespaces. A namespaced policy acts on pods of its own namespace only, and who may not look
 * into another is told nothing of it; the sets that Calico's policies refer to may lie anywhere.
 */
export function within(snapshot: Snapshot, namespaces: ReadonlySet<string>): Snapshot {
  const lies = ({ namespace }: { readonly namespace: string }): boolean => namespaces.has(namespace);
  return {
    namespaces: snapshot.namespaces,
    pods: snapshot.pods.filter(lies),
    services: snapshot.services.filter(lies),
    policies: snapshot.policies.filter(
      ({ kind, metadata: { namespace } }) => namespace === undefined || lies({ namespace }) || kind === "NetworkSet",
    ),
  };
}

const notSimulatedGroups = ["networking.k8s.aws", "k8s.ovn.org"];

/** Objects of policy APIs that are read only to be named. */
export function notSimulated({ policies: objects }: Snapshot): readonly Unread[] {
  return notSimulatedGroups.flatMap((group) => {
    const some = objects.filter(({ apiVersion }) => apiVersion.startsWith(`${group}/`));
    const names = some.slice(0, 5).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    return some.length === 0 ? [] : [{ what: names.join(", "), why: `policies of ${group} are not evaluated` }];
  });
}

function oldest(ages: readonly Age[]): Age {
  const unanswered = ages.find((age) => age.unanswered !== undefined)?.unanswered;
  const ageMs = Math.max(0, ...ages.map((age) => age.ageMs));
  return unanswered === undefined ? { ageMs } : { ageMs, unanswered };
}
