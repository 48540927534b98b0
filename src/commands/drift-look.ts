import type { Cluster } from "../kubernetes/cluster.ts";
import type { Drift, DriftKind } from "../policy/drift.ts";
import type { Manifest } from "../policy/manifest.ts";
import type { Namespace, NetworkPolicy, Pod, Service } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { ContainPlan, QuarantinePlan } from "../policy/plan.ts";
import type { WireObject } from "../simulator/model.ts";
import type { Snapshot } from "../simulator/snapshot.ts";
import { leftOf, reopenedBy } from "./drift-left.ts";
import { driftOf, objectsToRead, type There } from "./drift-of.ts";
import { coveredBy } from "./isolate-group.ts";
import { releaseOf } from "./releasing.ts";
import { clusterOf, type Services } from "./services.ts";
import { snapshotOf } from "./simulated.ts";

/** One operation, and how what is there differs from what it holds in force. */
export type Seen = {
  /** As it was stored before the cluster was read: where it was changed since, what was seen does not count. */
  readonly operation: Operation;
  readonly drifts: readonly Drift[];
  /** What could not be looked at, so that it is not known to be over. */
  readonly unlooked: ReadonlySet<DriftKind>;
};

/** So many namespaces at once. */
const atOnce = 4;

/**
 * Looks at what is in force in a cluster, as far as it is asked for: from the API server, since a cache may not have seen
 * yet what was just written; where nothing is asked for, nothing is read. A namespace that could not be read is told to
 * `onProblem`, and is looked at the next time.
 */
export async function lookAt(
  services: Services,
  name: string,
  {
    isAsked,
    onProblem,
  }: { readonly isAsked: (operation: Operation) => boolean; readonly onProblem: (error: unknown) => void },
): Promise<readonly Seen[]> {
  const { cluster } = clusterOf(services, name);
  const held = (await heldIn(services, name)).filter(isAsked);
  if (held.length === 0) return [];
  const others = held.some(contains) ? await readOthers(cluster, onProblem) : undefined;
  const groups = [...Map.groupBy(held, ({ target }) => target.namespace)];
  const seen: Seen[] = [];
  for (let first = 0; first < groups.length; first += atOnce) {
    const some = groups.slice(first, first + atOnce);
    const looked = await Promise.allSettled(
      some.map(([of, held]) => lookInto({ services, cluster, others }, { namespace: of, held })),
    );
    for (const one of looked) {
      if (one.status === "fulfilled") seen.push(...one.value);
      else onProblem(one.reason);
    }
  }
  return seen;
}

/** What the cluster is to hold; what is being released, or is not there yet, is somebody's work at this moment. */
async function heldIn(services: Services, cluster: string): Promise<readonly Operation[]> {
  const live = await services.operations.list({ live: true });
  const held = live.filter(
    (one) => one.state === "in-force" && one.target.cluster === cluster && objectsToRead(one).length > 0,
  );
  const released = await Promise.all(held.map((one) => releaseOf(services, one)));
  return held.filter((_, index) => released[index] === undefined);
}

/** An allowance may have objects at both ends of a path. */
export function namespacesOf(operation: Operation): readonly string[] {
  return [operation.target.namespace, ...objectsToRead(operation).flatMap(({ metadata }) => metadata.namespace ?? [])];
}

type Containing = Operation & { readonly plan: QuarantinePlan | ContainPlan };

function contains(operation: Operation): operation is Containing {
  return operation.plan?.kind === "quarantine" || operation.plan?.kind === "contain";
}

/** What bears on pods of any namespace. */
type Others = {
  readonly namespaces: readonly Namespace[];
  readonly policies: Snapshot["policies"];
  readonly isWhole: boolean;
};

async function readOthers(cluster: Cluster, onProblem: (error: unknown) => void): Promise<Others | undefined> {
  try {
    const [namespaces, { objects, unread }] = await Promise.all([cluster.namespaces(), cluster.policyObjects()]);
    return { namespaces, policies: objects, isWhole: unread.length === 0 };
  } catch (error) {
    onProblem(error);
    return undefined;
  }
}

type Place = { readonly namespace: string; readonly held: readonly Operation[] };

/** What there is of the namespace itself. */
type Here = {
  readonly pods: readonly Pod[];
  readonly policies: readonly NetworkPolicy[];
  readonly services: readonly Service[];
};

type Looking = { readonly services: Services; readonly cluster: Cluster; readonly others: Others | undefined };

async function lookInto({ services, cluster, others }: Looking, { namespace, held }: Place): Promise<readonly Seen[]> {
  const here = await readHere(cluster, namespace, held.some(contains));
  return Promise.all(
    held.map(async (operation): Promise<Seen> => {
      const objects = await readObjects(services, cluster, operation);
      const drifts = driftOf(operation, { ...here, objects, serverMs: cluster.serverTime()?.latestMs });
      const isDenied = !drifts.some(({ kind }) => hiding.has(kind)) && isOneMoment(objects, here, others);
      if (!contains(operation) || others === undefined || !isDenied)
        return { operation, drifts, unlooked: new Set(["re-opened"]) };
      const reopened = reopenedIn(operation, here, others);
      return { operation, drifts: [...drifts, ...reopened], unlooked: new Set(others.isWhole ? [] : ["re-opened"]) };
    }),
  );
}

/** Whoever ends an allowance deletes one object after the other: what is half gone is looked at once more. */
async function readObjects(
  services: Services,
  cluster: Cluster,
  operation: Operation,
  tries = 2,
): Promise<There["objects"]> {
  const objects = await Promise.all(objectsToRead(operation).map((object) => cluster.getObject(object)));
  const gone = objects.filter((object) => object === undefined).length;
  const isHalf = operation.kind === "allowance" && gone > 0 && gone < objects.length;
  if (!isHalf || tries <= 1) return objects;
  await services.wait(halfGoneMs);
  return readObjects(services, cluster, operation, tries - 1);
}

const halfGoneMs = 500;

/** Whether the lists have our objects as they were read by themselves: what was written in between would count by half. */
function isOneMoment(
  objects: readonly (Manifest | undefined)[],
  { policies }: Here,
  others: Others | undefined,
): boolean {
  const versions = new Set([...policies, ...(others?.policies ?? [])].map(versionOf));
  return objects.every((object) => object !== undefined && versions.has(versionOf(object)));
}

function versionOf({ metadata }: Pick<Manifest, "metadata"> | WireObject): string {
  const { uid, resourceVersion } = metadata as Manifest["metadata"];
  return `${uid} ${resourceVersion}`;
}

/** Where the deny itself is not in force, everything is open by it, which is said already. */
const hiding: ReadonlySet<DriftKind> = new Set(["object-changed", "object-deleted", "label-off"]);

async function readHere(cluster: Cluster, namespace: string, isContained: boolean): Promise<Here> {
  if (!isContained) return { pods: [], policies: [], services: [] };
  const [pods, policies, { services }] = await Promise.all([
    cluster.listPods(namespace, ""),
    cluster.listPolicies("", namespace),
    cluster.facts(namespace, "cache"),
  ]);
  return { pods, policies, services };
}

function reopenedIn(
  { plan, result }: Containing,
  { pods, policies, services }: Here,
  others: Others,
): readonly Drift[] {
  const isSubject = new Set(subjectsOf(plan, pods));
  // A quarantine is of one pod: without it nothing is open to it.
  if (plan.kind === "quarantine" && isSubject.size === 0) return [];
  const snapshot = snapshotOf({
    namespaces: others.namespaces,
    pods: [...isSubject],
    services,
    workloads: [],
    policies: [...policies, ...others.policies],
  });
  return reopenedBy(leftOf(snapshot, plan, snapshot.pods), result?.leaves, plan);
}

function subjectsOf(plan: QuarantinePlan | ContainPlan, pods: readonly Pod[]): readonly Pod[] {
  return plan.kind === "contain" ? coveredBy(plan, pods) : pods.filter(({ uid }) => uid === plan.podUid);
}
