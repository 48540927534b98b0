import type { Age, Cluster, NamespaceFacts } from "../kubernetes/cluster.ts";
import type { PolicyObject, Unread } from "../kubernetes/policy-objects.ts";
import type { Detection } from "../policy/engine.ts";
import type { Pod, Service } from "../policy/objects.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import type { End } from "./command.ts";
import { nothingRead, readEverywhere } from "./read-everywhere.ts";
import { snapshotOf } from "./simulated.ts";

/** All that an explanation goes by, read of one cluster: of the namespaces of its ends, and where one is an address, of all. */
export type ExplainFacts = {
  readonly snapshot: Snapshot;
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  /** What the cluster enforces. */
  readonly detection: Detection;
  /** What may bear on the answer and is not in it. */
  readonly unread: readonly Unread[];
  readonly age: Age;
};

/** Reads what the two ends need. Throws where their own namespaces cannot be read. */
export async function readFacts(
  cluster: Cluster,
  ends: readonly End[],
  detecting: Promise<Detection>,
): Promise<ExplainFacts> {
  const named = [...new Set(ends.flatMap((end) => (end.kind === "named" ? [end.namespace] : [])))];
  const [own, namespaces, policies, detection] = await Promise.all([
    Promise.all(named.map((namespace) => cluster.facts(namespace, "cache"))),
    cluster.namespaces(),
    cluster.policyObjects(),
    detecting,
  ]);
  const asksAddress = ends.some(({ kind }) => kind === "address");
  const everywhere =
    asksAddress || policies.objects.some(mayNameServices)
      ? await readEverywhere(cluster, "the pods of all namespaces, of which one may have the address")
      : nothingRead;
  const all = withoutRepeats(own, everywhere, new Set(named));
  return {
    snapshot: snapshotOf({ ...all, namespaces, policies: [...all.policies, ...policies.objects] }),
    pods: all.pods,
    services: all.services,
    detection,
    unread: [...(asksAddress ? everywhere.unread : []), ...policies.unread],
    age: oldest([...own, ...(everywhere.read ? [everywhere] : [])]),
  };
}

/** Rules of the engines' own APIs may name Services of any namespace; those of network-policy-api may not. */
function mayNameServices({ apiVersion }: PolicyObject): boolean {
  return !apiVersion.startsWith("policy.networking.k8s.io/");
}

type Read = Pick<NamespaceFacts, "pods" | "services" | "workloads" | "policies">;

function withoutRepeats(own: readonly Read[], everywhere: Read, named: ReadonlySet<string>): Read {
  const isElsewhere = ({ namespace }: { readonly namespace: string }): boolean => !named.has(namespace);
  return {
    pods: [...own.flatMap(({ pods }) => pods), ...everywhere.pods.filter(isElsewhere)],
    services: [...own.flatMap(({ services }) => services), ...everywhere.services.filter(isElsewhere)],
    workloads: [...own.flatMap(({ workloads }) => workloads), ...everywhere.workloads.filter(isElsewhere)],
    policies: [
      ...own.flatMap(({ policies }) => policies),
      ...everywhere.policies.filter(({ metadata }) => isElsewhere(metadata)),
    ],
  };
}

/**
 * What bears on pods of these namespaces. A namespaced policy acts on pods of its own namespace only, and who may not look
 * into another is told nothing of it. What rules may name lies anywhere: Services, the host-network pods behind them (all
 * others of their pods are none of the ends), and Calico's sets.
 */
export function within(snapshot: Snapshot, namespaces: ReadonlySet<string>): Snapshot {
  return {
    ...snapshot,
    pods: snapshot.pods.filter(({ namespace, hostNetwork }) => hostNetwork || namespaces.has(namespace)),
    policies: snapshot.policies.filter(
      ({ kind, metadata: { namespace } }) =>
        namespace === undefined || namespaces.has(namespace) || kind === "NetworkSet",
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
