import { podLike } from "./examples.ts";
import { isSelected } from "./matcher.ts";
import type { Matcher, PodIdentity, Policy, SimulatedNamespace } from "./model.ts";
import type { SimulatedPod, Snapshot } from "./snapshot.ts";

/** What stands for pods that a policy speaks of and that are not there. */
export type AbsentPod = {
  readonly pod: SimulatedPod;
  /** Where it would be; made up where no namespace is named. */
  readonly namespace: SimulatedNamespace;
};

/**
 * A pod for each selector of the policies that selects none now: what they would do to it when it comes cannot be seen
 * otherwise. Its workload is for people: `shop/pods like app=web (none now)`. Where selectors allow it, it is in a policy's
 * own namespace; no other namespace is told by it that the policies do not name.
 */
export function absentPods(snapshot: Snapshot, policies: readonly Policy[]): readonly AbsentPod[] {
  const namespaces = new Map(snapshot.namespaces.map((each) => [each.name, each]));
  const there = snapshot.pods.flatMap(({ hostNetwork, namespace: name, labels, serviceAccount }): PodIdentity[] => {
    const namespace = namespaces.get(name);
    return hostNetwork || namespace === undefined ? [] : [{ namespace, labels, serviceAccount }];
  });
  const found = policies.flatMap((policy) =>
    matchersOf(policy)
      .filter((matcher) => !there.some((pod) => isSelected(matcher, pod)))
      .flatMap((matcher) => podFor(matcher, policy.reference.namespace, namespaces)),
  );
  return [...new Map(found.map((each) => [JSON.stringify(each), each])).values()];
}

function matchersOf({ subject, ingress, egress }: Policy): readonly Matcher[] {
  const rules = [...ingress, ...egress];
  const terms = rules.flatMap(({ peers }) => (peers === "all" ? [] : peers));
  return [subject, ...rules.map((rule) => rule.subject), ...terms.map(({ pods }) => pods)].filter(
    (matcher) => matcher !== undefined,
  );
}

const nameKey = "kubernetes.io/metadata.name";

/** None where the selector can select nothing, or nobody can tell what it would select. */
function podFor(
  matcher: Matcher,
  home: string | undefined,
  namespaces: ReadonlyMap<string, SimulatedNamespace>,
): readonly AbsentPod[] {
  if (matcher.example === undefined) return [];
  const made = podLike(matcher.example, matcher.namespace);
  const places = [home, made.namespace.name].flatMap((name) => namespaces.get(name ?? "") ?? []);
  const isReal = namespaces.has(made.namespace.name);
  const { [nameKey]: asked } = matcher.example.namespaceLabels;
  const tried = [...places, ...(isReal ? [] : [made.namespace])];
  const isNamed = isReal || matcher.namespace !== undefined || asked !== undefined;
  const namespace = tried.find((each) => isSelected(matcher, { ...made, namespace: each }));
  return namespace === undefined ? [] : [{ namespace, pod: simulated({ ...made, namespace }, isNamed) }];
}

function simulated({ namespace, labels, serviceAccount }: PodIdentity, isNamed: boolean): SimulatedPod {
  const like = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const account = serviceAccount === "default" ? [] : [`ServiceAccount ${serviceAccount}`];
  const name = ["pods", ...(like.length + account.length === 0 ? [] : ["like", [...like, ...account].join(",")])].join(
    " ",
  );
  const shown = isNamed ? namespace.name : "any namespace";
  return {
    namespace: namespace.name,
    name: undefined,
    labels,
    workload: { namespace: shown, name, kind: "none now" },
    serviceAccount,
    ports: [],
    addresses: [],
    node: undefined,
    hostNetwork: false,
  };
}
