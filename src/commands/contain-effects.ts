import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import type { Group } from "../policy/group.ts";
import { silencedBy } from "../policy/group.ts";
import type { Pod, Workload } from "../policy/objects.ts";
import { selectorQuery } from "../policy/selector.ts";

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
  const { covered, quarantined } = group;
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

/** What stays open though it is of the target. */
export function uncoveredWarnings({ onHost }: Group): readonly string[] {
  if (onHost.length === 0) return [];
  return [`NOT covered, since they use the host's network, where policies do not apply: ${someNames(onHost)}.`];
}

const shown = 8;

export function someNames(pods: readonly Pick<Pod, "name">[]): string {
  const names = pods.slice(0, shown).map(({ name }) => name);
  return `${names.join(", ")}${pods.length > shown ? ` and ${pods.length - shown} more` : ""}`;
}
