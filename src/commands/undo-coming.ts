import { marks } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import { isSelected } from "../simulator/matcher.ts";
import type { Matcher, SimulatedNamespace } from "../simulator/model.ts";
import type { SimulatedPod, Snapshot } from "../simulator/snapshot.ts";
import type { Sides } from "./change-effect.ts";
import { withPodToCome } from "./pod-to-come.ts";

/**
 * Pods that would be cut off when they start, and that a policy of the changes would select: one for each two selectors, where there
 * is none yet of the one or of the other; where there are, those that there are decide. A quarantined pod is the only one of its sort.
 */
export function podsToCome(
  sides: Pick<Sides, "before" | "after" | "from" | "to">,
  pods: readonly SimulatedPod[],
  containing: readonly NetworkPolicy[],
): readonly SimulatedPod[] {
  const { snapshot } = sides.after;
  const namespaces = new Map(snapshot.namespaces.map((each) => [each.name, each]));
  const subjects = subjectsOf(sides);
  return containing
    .filter((policy) => ownPod(policy) === undefined)
    .flatMap((policy) => {
      const { namespace: name } = policy.metadata;
      const namespace = namespaces.get(name);
      const [like] = withPodToCome(snapshot, { target: { cluster: "", namespace: name }, policy }).subjects;
      if (namespace === undefined || like === undefined) return [];
      const held = pods.filter((pod) => pod.namespace === name && selects(policy.spec.podSelector, pod.labels));
      const met = subjects.flatMap((subject) => {
        const isThere = held.length > 0 && pods.some((pod) => isOf(subject, pod, namespaces));
        const pod = isThere ? undefined : likeBoth(subject, like);
        return pod !== undefined && isOf(subject, pod, namespaces) ? [pod] : [];
      });
      return [...(held.length === 0 ? [like] : []), ...met].filter(({ labels }) =>
        selects(policy.spec.podSelector, labels),
      );
    });
}

function subjectsOf({ before, after, from, to }: Pick<Sides, "before" | "after" | "from" | "to">): readonly Matcher[] {
  const translated = [
    ...from.map((image) => before.parts.translations.byObject.get(image)),
    ...to.map((image) => after.parts.translations.byObject.get(image)),
  ];
  return translated.flatMap((each) => each?.policies ?? []).map(({ subject }) => subject);
}

function likeBoth({ example }: Matcher, like: SimulatedPod): SimulatedPod | undefined {
  if (example === undefined) return undefined;
  const { labels, serviceAccount = like.serviceAccount } = example;
  return { ...like, labels: { ...labels, ...like.labels }, serviceAccount };
}

function isOf(matcher: Matcher, pod: SimulatedPod, namespaces: ReadonlyMap<string, SimulatedNamespace>): boolean {
  const namespace = namespaces.get(pod.namespace);
  return namespace !== undefined && !pod.hostNetwork && isSelected(matcher, { ...pod, namespace });
}

/** With the labels of quarantines on pods that are about to bear them: the policy comes first, and the label after it. */
export function withBeginning(snapshot: Snapshot, containing: readonly NetworkPolicy[]): Snapshot {
  const beginning = new Map(
    containing.flatMap((policy) => {
      const name = ownPod(policy);
      return name === undefined ? [] : [[`${policy.metadata.namespace}/${name}`, policy.spec.podSelector] as const];
    }),
  );
  const pods = snapshot.pods.map((pod) => {
    const selector = beginning.get(`${pod.namespace}/${pod.name ?? ""}`);
    return selector === undefined ? pod : { ...pod, labels: { ...pod.labels, ...selector.matchLabels } };
  });
  return { ...snapshot, pods };
}

/** The name of the pod that a quarantine of a pod is of; undefined for one of a workload, and for lockdowns. */
function ownPod({ metadata, spec }: NetworkPolicy): string | undefined {
  if (spec.podSelector?.matchLabels?.[marks.quarantine] === undefined) return undefined;
  return metadata.annotations?.[marks.pod]?.split(" ")[0];
}
