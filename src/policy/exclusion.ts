import { canonicalJson } from "./canonical.ts";
import { marks } from "./marks.ts";
import type { JsonPatchOperation, LabelSelector, NetworkPolicy, PolicyType } from "./objects.ts";

/** A change to somebody else's NetworkPolicy: from then on it selects no pod that is quarantined. */
export type Exclusion = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** spec.podSelector before; undefined where it had none. */
  readonly before: LabelSelector | undefined;
  readonly after: LabelSelector;
};

/**
 * Whether the policy has a rule that lets something through. Absent or empty `policyTypes` is Ingress, and Egress only
 * where there are egress rules (facts: network-policy §1, defaults.go).
 */
export function letsThrough({ spec: { policyTypes = [], ingress = [], egress = [] } }: NetworkPolicy): boolean {
  const isolates = (type: PolicyType): boolean =>
    policyTypes.length > 0 ? policyTypes.includes(type) : type === "Ingress" || egress.length > 0;
  return (isolates("Ingress") && ingress.length > 0) || (isolates("Egress") && egress.length > 0);
}

/** The change for this policy as it is stored; undefined where it selects no quarantined pod already. */
export function exclude({ metadata, spec }: NetworkPolicy): Exclusion | undefined {
  const { namespace, name, uid } = metadata;
  const { podSelector = {} } = spec;
  const { matchExpressions = [] } = podSelector;
  if (uid === undefined || matchExpressions.some((each) => canonicalJson(each) === canonicalJson(notQuarantined))) {
    return undefined;
  }
  const after = { ...podSelector, matchExpressions: [...matchExpressions, notQuarantined] };
  return { namespace, name, uid, before: spec.podSelector, after };
}

const notQuarantined = { key: marks.quarantine, operator: "DoesNotExist" } as const;

/** How a policy stands to the change; `changed`: somebody else changed its selector since. */
export type Standing = "before" | "after" | "changed";

export function standingOf({ uid, before, after }: Exclusion, policy: NetworkPolicy): Standing {
  if (policy.metadata.uid !== uid) return "changed";
  const now = canonicalJson(policy.spec.podSelector ?? {});
  if (now === canonicalJson(after)) return "after";
  return now === canonicalJson(before ?? {}) ? "before" : "changed";
}

/** JSON Patch that makes the change, if the policy is as it was read. */
export function exclusionPatch({ after }: Exclusion, policy: NetworkPolicy): readonly JsonPatchOperation[] {
  return [...asRead(policy), { op: "add", path: "/spec/podSelector", value: after }];
}

/** JSON Patch that takes it back: an absent selector is written as the empty one that it is. */
export function inclusionPatch({ before = {} }: Exclusion, policy: NetworkPolicy): readonly JsonPatchOperation[] {
  return [...asRead(policy), { op: "add", path: "/spec/podSelector", value: before }];
}

function asRead({ metadata: { uid, resourceVersion } }: NetworkPolicy): readonly JsonPatchOperation[] {
  return [
    { op: "test", path: "/metadata/uid", value: uid },
    { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
  ];
}
