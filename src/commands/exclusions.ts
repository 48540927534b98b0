import { type Exclusion, exclude } from "../policy/exclusion.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy } from "../policy/objects.ts";
import { residualAllows } from "../policy/residual.ts";

export type Excluded = { readonly exclusions: readonly Exclusion[]; readonly policies: readonly NetworkPolicy[] };

/**
 * The changes by which policies that would still let something through to a pod with these labels select it no longer,
 * and all policies as they are then. Ours are left: they exclude it already, or are another operation's.
 */
export function excludedFrom(policies: readonly NetworkPolicy[], labels: Labels): Excluded {
  const changes = new Map(
    policies
      .filter((policy) => policy.metadata.labels?.[marks.operation] === undefined)
      .filter((policy) => residualAllows([policy], labels).length > 0)
      .flatMap((policy) => {
        const exclusion = exclude(policy);
        return exclusion === undefined ? [] : [[policy, exclusion] as const];
      }),
  );
  return {
    exclusions: [...changes.values()],
    policies: policies.map((policy) => changed(policy, changes.get(policy))),
  };
}

function changed(policy: NetworkPolicy, exclusion: Exclusion | undefined): NetworkPolicy {
  return exclusion === undefined ? policy : { ...policy, spec: { ...policy.spec, podSelector: exclusion.after } };
}
