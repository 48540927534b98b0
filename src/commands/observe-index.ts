import type { Interest } from "../flows/interests.ts";
import type { Namespace, NetworkPolicy, Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import { selects } from "../policy/selector.ts";
import { objectsToRead } from "./drift-of.ts";
import { coveredBy } from "./isolate-group.ts";
import { type Judge, judgeOf } from "./observe-judge.ts";
import { clusterOf, type Services } from "./services.ts";

/** An operation whose pods are looked at. */
export type Watched = {
  readonly operation: Operation;
  readonly pods: readonly Pod[];
  /** Counts nothing while the operation is not in force. */
  readonly judge: Judge;
};

/** The operations that are looked at in one cluster, and by whose pods. */
export type Watch = {
  readonly watched: readonly Watched[];
  readonly byUid: ReadonlyMap<string, readonly Watched[]>;
};

/** Sources are asked for forwarded flows of so many pods of an operation. */
const mostPods = 100;

/** The operations of a cluster that are, or begin to be, in force, with their pods as they are now. Throws where those cannot be read. */
export async function watchOf(services: Services, cluster: string, live: readonly Operation[]): Promise<Watch> {
  const ours = live.filter((one) => one.target.cluster === cluster && isWatched(one));
  if (ours.length === 0) return { watched: [], byUid: new Map() };
  const entry = clusterOf(services, cluster);
  const [facts, namespaces] = await Promise.all([entry.cluster.facts(undefined, "cache"), entry.cluster.namespaces()]);
  const known = { ...facts, namespaces, byUid: new Map(facts.pods.map((pod) => [pod.uid, pod])) };
  const watched = ours.map((operation) => watchedOf(operation, known));
  const pairs = watched.flatMap((one) => one.pods.map((pod) => [pod.uid, one] as const));
  const byUid = new Map([...Map.groupBy(pairs, ([uid]) => uid)].map(([uid, of]) => [uid, of.map(([, one]) => one)]));
  return { watched, byUid };
}

/** The pods of which forwarded flows are wanted. */
export function interestsOf({ watched }: Watch, cluster: string): readonly Interest[] {
  return watched.flatMap(({ pods }) =>
    pods.slice(0, mostPods).map(({ namespace, name }) => ({ cluster, namespace, pod: name })),
  );
}

function isWatched(operation: Operation): boolean {
  const { state, kind } = operation;
  const isKind = kind === "quarantine" || kind === "lockdown" || kind === "allowance";
  return isKind && (state === "running" || state === "in-force") && objectsToRead(operation).length > 0;
}

type Known = {
  readonly pods: readonly Pod[];
  readonly policies: readonly NetworkPolicy[];
  readonly namespaces: readonly Namespace[];
  readonly byUid: ReadonlyMap<string, Pod>;
};

function watchedOf(operation: Operation, { pods: all, policies, namespaces, byUid }: Known): Watched {
  const { namespace } = operation.target;
  const pods = podsOf(operation, all);
  if (operation.state !== "in-force") return { operation, pods, judge: () => undefined };
  const here = policies.filter(({ metadata }) => metadata.namespace === namespace);
  return { operation, pods, judge: judgeOf(operation, { pods, policies: here, ground: { namespaces, pods: byUid } }) };
}

/** Those of the pods on which it acts: of a quarantine its one pod, of an allowance those that its policies select. */
export function podsOf({ plan, target }: Operation, all: readonly Pod[]): readonly Pod[] {
  if (plan?.kind === "quarantine") return all.filter(({ uid }) => uid === plan.podUid);
  const here = all.filter(({ namespace }) => namespace === target.namespace);
  if (plan?.kind === "contain") return coveredBy(plan, here);
  if (plan?.kind !== "allow") return [];
  return all.filter((pod) => plan.objects.some((object) => isSelected(object, pod)));
}

function isSelected({ metadata, spec }: NetworkPolicy, { namespace, labels }: Pod): boolean {
  return metadata.namespace === namespace && selects(spec.podSelector ?? {}, labels);
}
