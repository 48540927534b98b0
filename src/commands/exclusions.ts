import { type Exclusion, exclude, letsThrough } from "../policy/exclusion.ts";
import { marks } from "../policy/marks.ts";
import type { Labels, NetworkPolicy } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";

export type Excluded = {
  readonly exclusions: readonly Exclusion[];
  /** The policies as they are then, by what they were. */
  readonly changed: ReadonlyMap<NetworkPolicy, NetworkPolicy>;
};

export const nothingExcluded: Excluded = { exclusions: [], changed: new Map() };

/**
 * The changes by which policies that would still let something through to a pod with these labels select it no longer,
 * and those policies as they are then. Ours are left: they exclude it already, or are another operation's.
 */
export function excludedFrom(policies: readonly NetworkPolicy[], labels: Labels): Excluded {
  const changes = policies
    .filter((policy) => policy.metadata.labels?.[marks.operation] === undefined)
    .filter((policy) => selects(policy.spec.podSelector, labels) && letsThrough(policy))
    .flatMap((policy) => {
      const exclusion = exclude(policy);
      return exclusion === undefined ? [] : [{ policy, exclusion }];
    });
  return {
    exclusions: changes.map(({ exclusion }) => exclusion),
    changed: new Map(changes.map(({ policy, exclusion }) => [policy, changed(policy, exclusion)])),
  };
}

function changed(policy: NetworkPolicy, { after }: Exclusion): NetworkPolicy {
  return { ...policy, spec: { ...policy.spec, podSelector: after } };
}
