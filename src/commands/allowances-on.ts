import type { Cluster } from "../kubernetes/cluster.ts";
import { knownAllowance } from "../policy/allowance.ts";
import type { NetworkPolicy, Pod } from "../policy/objects.ts";
import { mayMeet, selects } from "../policy/selector.ts";
import { closeObject } from "./close-allowance.ts";
import { objectsOfAllowance } from "./find-allowance.ts";

/**
 * Operations that open any of these pods now, sorted; by `deny`, which cuts them off, also what would open those that
 * start later.
 */
export function allowancesOn(
  pods: readonly Pod[],
  policies: readonly NetworkPolicy[],
  deny?: NetworkPolicy,
): readonly string[] {
  const operations = policies.flatMap((policy) => {
    const { podSelector = {} } = policy.spec;
    const opensAny = pods.some(
      ({ namespace, labels }) => namespace === policy.metadata.namespace && selects(podSelector, labels),
    );
    return opensAny || opensLater(policy, pods, deny) ? (knownAllowance(policy)?.operation ?? []) : [];
  });
  return [...new Set(operations)].toSorted();
}

function opensLater({ metadata, spec }: NetworkPolicy, pods: readonly Pod[], deny: NetworkPolicy | undefined): boolean {
  if (deny === undefined || pods.length > 0 || deny.metadata.namespace !== metadata.namespace) return false;
  return mayMeet(spec.podSelector ?? {}, deny.spec.podSelector ?? {});
}

/** Containment wins (invariant 13): all that these operations opened is closed now, wherever it lies. */
export async function endAllowances(cluster: Cluster, operations: readonly string[]): Promise<void> {
  for (const operation of operations) {
    for (const { object } of await objectsOfAllowance(cluster, operation)) {
      await closeObject({ cluster }, { reference: object, uid: object.metadata.uid, why: "ended" });
    }
  }
}
