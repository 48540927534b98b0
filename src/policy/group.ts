import { marks } from "./marks.ts";
import type { LabelSelector, Pod, Service, Workload } from "./objects.ts";
import { selects } from "./selector.ts";

/** Pods that a containment by selector is about. */
export type Group = {
  /** Cut off now, by name; those that start later are too. */
  readonly covered: readonly Pod[];
  /** Selected, and not cut off: policies do not apply to the host's network (facts: network-policy §1). */
  readonly onHost: readonly Pod[];
  /** In a quarantine of their own, which stays as it is. */
  readonly quarantined: readonly Pod[];
};

const notQuarantined = { key: marks.quarantine, operator: "DoesNotExist" } as const;

/**
 * What a workload's quarantine selects, and without a workload a lockdown: never a pod that bears the quarantine label,
 * since what this opens must not open a quarantine (invariant 13).
 */
export function subjectOf(selector: LabelSelector = {}): LabelSelector {
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), notQuarantined] };
}

/** The pods of the workload, or of the namespace; finished ones have no network. */
export function groupOf(pods: readonly Pod[], selector: LabelSelector | undefined): Group {
  const selected = byName(pods).filter((pod) => selects(selector, pod.labels) && hasNetwork(pod));
  const quarantined = selected.filter(({ labels }) => !selects(subjectOf(selector), labels));
  const caught = selected.filter((pod) => !quarantined.includes(pod));
  const onHost = caught.filter(({ hostNetwork }) => hostNetwork);
  return { covered: caught.filter(({ hostNetwork }) => !hostNetwork), onHost, quarantined };
}

/** Other workloads that own some of the pods, as `Deployment shop/cart`, sorted; a bare pod is its own. */
export function othersIn(pods: readonly Pod[], workload: Workload, workloads: readonly Workload[]): readonly string[] {
  const owners = new Map(workloads.map((one) => [one.uid, one]));
  const names = pods.flatMap((pod) => {
    const chain = ownersOf(pod, owners);
    if (chain.some(({ uid }) => uid === workload.uid)) return [];
    const top = chain.at(-1) ?? { kind: "Pod", name: pod.name };
    return [`${top.kind} ${pod.namespace}/${top.name}`];
  });
  return [...new Set(names)].toSorted();
}

/** Names of the Services whose ready pods are all among these, sorted. */
export function silencedBy(pods: readonly Pod[], services: readonly Service[], all: readonly Pod[]): readonly string[] {
  const cut = new Set(pods.map(({ uid }) => uid));
  const silent = services.filter(({ selector }) => {
    const behind = Object.keys(selector).length === 0 ? [] : all.filter((pod) => isReadyBehind(pod, selector));
    return behind.length > 0 && behind.every(({ uid }) => cut.has(uid));
  });
  return silent.map(({ name }) => name).toSorted();
}

function isReadyBehind(pod: Pod, selector: Service["selector"]): boolean {
  return pod.ready && !pod.terminating && selects({ matchLabels: selector }, pod.labels);
}

/** From the pod upwards: a Deployment's pods belong to its ReplicaSets. */
function ownersOf({ controller }: Pod, owners: ReadonlyMap<string, Workload>): readonly Owner[] {
  const chain: Owner[] = [];
  for (let owner: Owner | undefined = controller; owner !== undefined && chain.length < 5; ) {
    chain.push(owner);
    owner = owners.get(owner.uid)?.controller;
  }
  return chain;
}

type Owner = { readonly kind: string; readonly name: string; readonly uid: string };

function hasNetwork({ phase }: Pod): boolean {
  return phase !== "Succeeded" && phase !== "Failed";
}

function byName(pods: readonly Pod[]): readonly Pod[] {
  return pods.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
