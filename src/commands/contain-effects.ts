import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import type { DenyEngine } from "../policy/engine.ts";
import { letsThrough } from "../policy/exclusion.ts";
import type { Group } from "../policy/group.ts";
import { silencedBy } from "../policy/group.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import type { NetworkPolicy, Pod, Workload } from "../policy/objects.ts";
import { requiredKeys, selectorQuery, selects } from "../policy/selector.ts";
import { someOf } from "./impact-words.ts";

type Changing = {
  readonly group: Group;
  /** Of the namespace. */
  readonly facts: NamespaceFacts;
  /** Names of the endpoints that stay reachable. */
  readonly open: readonly string[];
};

/** What a containment by selector changes, most important first. */
export function containEffects(
  namespace: string,
  workload: Workload | undefined,
  { group, facts, open }: Changing,
): readonly string[] {
  const { covered } = group;
  const unheld = unheldIn(group, facts.policies);
  const quarantined = group.quarantined.filter((pod) => !unheld.includes(pod));
  const who =
    workload === undefined
      ? `All pods of namespace ${namespace} are cut off, also from each other`
      : `All pods of namespace ${namespace} with ${selectorQuery(workload.selector)} are cut off`;
  const now = covered.length === 0 ? "none now" : `${covered.length} now (${someNames(covered)})`;
  return [
    `${who}: ${now}, and each that starts later.`,
    ...silencedBy(covered, facts.services, facts.pods).map(
      (name) => `Service ${name} has no other ready replica: it stops answering.`,
    ),
    open.length === 0 ? "Nothing stays open." : `What stays open: ${[...new Set(open)].join(", ")}.`,
    workload === undefined
      ? "No pod is relabelled: Services and controllers keep them."
      : `No pod is relabelled: ${workload.kind} ${workload.name} and Services keep them.`,
    ...(quarantined.length === 0
      ? []
      : [`In a quarantine of their own, which stays as it is: ${someNames(quarantined)}.`]),
  ];
}

/**
 * Policies that would let something through to pods of a locked-down namespace that are not there yet: a NetworkPolicy
 * allows beside ours, and the verdict is about the pods that there are. The other engines deny whatever is allowed.
 */
export function laterWarnings(
  policies: readonly NetworkPolicy[],
  pods: readonly Pod[],
  engine: DenyEngine,
): readonly string[] {
  if (engine === "cilium" || engine === "calico" || engine === "antrea") return [];
  const names = policies
    .filter(letsThrough)
    .filter(({ spec: { podSelector = {} } }) => !requiredKeys(podSelector).includes(marks.quarantine))
    .filter(({ spec }) => !pods.some(({ labels }) => selects(spec.podSelector, labels)))
    .map(({ metadata }) => metadata.name);
  return names.length === 0
    ? []
    : [
        `Pods that start later stay open as far as these policies allow, which select none now: ${someOf(names, 5, "policies")}.`,
      ];
}

/** What stays open though it is of the target. */
export function uncoveredWarnings(group: Group, policies: readonly NetworkPolicy[]): readonly string[] {
  const { onHost } = group;
  const unheld = unheldIn(group, policies);
  return [
    ...(onHost.length === 0
      ? []
      : [`NOT covered, since they use the host's network, where policies do not apply: ${someNames(onHost)}.`]),
    ...(unheld.length === 0
      ? []
      : [
          `NOT covered, since they bear the label ${marks.quarantine}, though no quarantine of that name is there: ${someNames(unheld)}. Take the label off first.`,
        ]),
  ];
}

/** Pods that bear a quarantine's label and are in none: anybody who makes a pod may write it, and escapes by it. */
export function unheldIn({ quarantined }: Group, policies: readonly NetworkPolicy[]): readonly Pod[] {
  return quarantined.filter(({ labels }) => {
    const name = quarantinePolicyName(labels[marks.quarantine] ?? "");
    return !policies.some(({ metadata, spec }) => metadata.name === name && selects(spec.podSelector, labels));
  });
}

const shown = 8;

export function someNames(pods: readonly Pick<Pod, "name">[]): string {
  const names = pods.slice(0, shown).map(({ name }) => name);
  return `${names.join(", ")}${pods.length > shown ? ` and ${pods.length - shown} more` : ""}`;
}
