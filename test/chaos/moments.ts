import { marks } from "../../src/policy/marks.ts";
import type { LabelSelector, Labels } from "../../src/policy/objects.ts";
import { selects } from "../../src/policy/selector.ts";
import type { Recorded } from "../cluster/recording.ts";

/**
 * Moments at which a pod was open, from watch events in the server's order: it bore a quarantine's label and that
 * policy did not select it, or no policy at all selected it though some did before. Policies of one namespace.
 */
export function brokenMoments(events: readonly Recorded[]): readonly string[] {
  const policies = new Map<string, LabelSelector>();
  const pods = new Map<string, Followed>();
  for (const event of events) {
    const { uid, name, labels = {} } = event.object.metadata;
    if (event.of === "networkpolicies") {
      if (event.type === "DELETED") policies.delete(name);
      else policies.set(name, event.object.spec.podSelector ?? {});
      for (const pod of pods.values()) look(pod, policies);
    } else if (event.type === "DELETED") pods.set(uid, { ...followed(pods, event), gone: true });
    else {
      const pod = { ...followed(pods, event), labels };
      pods.set(uid, pod);
      look(pod, policies);
    }
  }
  return [...pods.values()].flatMap(({ broken }) => broken);
}

type Followed = {
  readonly name: string;
  readonly labels: Labels;
  readonly gone: boolean;
  readonly broken: string[];
  /** Shared by all versions of one pod. */
  readonly was: { covered: boolean };
};

function followed(pods: ReadonlyMap<string, Followed>, { object }: Recorded): Followed {
  const { uid, name, labels = {} } = object.metadata;
  return pods.get(uid) ?? { name, labels, gone: false, broken: [], was: { covered: false } };
}

function look({ name, labels, gone, broken, was }: Followed, policies: ReadonlyMap<string, LabelSelector>): void {
  if (gone) return;
  const selecting = [...policies].filter(([, selector]) => selects(selector, labels)).map(([policy]) => policy);
  const quarantine = labels[marks.quarantine];
  if (quarantine !== undefined && !selecting.includes(`bulkhead-${quarantine}`))
    broken.push(`pod ${name} bore the label of ${quarantine} and its policy did not select it`);
  if (was.covered && selecting.length === 0) broken.push(`pod ${name} was without any policy`);
  was.covered ||= selecting.length > 0;
}

/** Operations that took effect more than once: a policy created again, a label put on again. */
export function repeatedEffects(events: readonly Recorded[]): readonly string[] {
  const created = new Map<string, number>();
  const labelled = new Map<string, number>();
  const before = new Map<string, string | undefined>();
  for (const { of, type, object } of events) {
    const { uid, name, labels = {} } = object.metadata;
    const operation = labels[marks.operation];
    if (of === "networkpolicies" && type === "ADDED" && operation !== undefined) raise(created, name);
    if (of !== "pods") continue;
    const mark = labels[marks.quarantine];
    if (mark !== undefined && before.get(uid) !== mark) raise(labelled, mark);
    before.set(uid, mark);
  }
  return [
    ...[...created].filter(([, times]) => times > 1).map(([name, times]) => `${name} was created ${times} times`),
    ...[...labelled]
      .filter(([, times]) => times > 1)
      .map(([id, times]) => `the label of ${id} was put on ${times} times`),
  ];
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
