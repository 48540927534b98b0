import type { Image } from "../policy/revision.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { DeltaRow } from "../simulator/delta.ts";
import { isSelected } from "../simulator/matcher.ts";
import type { Direction, Policy } from "../simulator/model.ts";
import type { ReachedEnd } from "../simulator/reach.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import type { PolicyChange, Sides } from "./change-effect.ts";

/** Which pods at the ends of a row a change acts on; empty where it has no part in that row. */
export type Part = (change: PolicyChange, row: DeltaRow) => readonly SimulatedPod[];

/**
 * By the selectors of the policies, whatever others do beside them: of changes that each open the same connection every one has
 * its part in it. What selects no pods itself (a tier, a set of addresses) acts on both ends.
 */
export function partsIn({ before, after }: Pick<Sides, "before" | "after">): Part {
  const namespaces = new Map(after.snapshot.namespaces.map((each) => [each.name, each]));
  return (change, { from, to }) => {
    const policies = policiesOf(change);
    if (policies === "none") return [...podsOf(from), ...podsOf(to)];
    const actsOn = (direction: Direction, end: ReachedEnd) =>
      podsOf(end).filter((pod) => policies.some((policy) => acts(policy, direction, pod)));
    return [...actsOn("egress", from), ...actsOn("ingress", to)];
  };

  function policiesOf({ from, to }: PolicyChange): readonly Policy[] | "none" {
    const [was, is] = [translated(before, from), translated(after, to)];
    return was?.length === 0 || is?.length === 0 ? "none" : [...(was ?? []), ...(is ?? [])];
  }

  function acts(policy: Policy, direction: Direction, pod: SimulatedPod): boolean {
    if (pod.hostNetwork || (policy.subject.namespace ?? pod.namespace) !== pod.namespace) return false;
    const namespace = namespaces.get(pod.namespace);
    const has = policy[direction].length > 0 || policy.isolates[direction];
    return has && namespace !== undefined && isSelected(policy.subject, { ...pod, namespace });
  }
}

function translated({ parts }: Simulator, image: Image | undefined): readonly Policy[] | undefined {
  return image === undefined ? undefined : (parts.translations.byObject.get(image)?.policies ?? []);
}

function podsOf(end: ReachedEnd): readonly SimulatedPod[] {
  return end.kind === "pods" ? end.pods : [];
}
