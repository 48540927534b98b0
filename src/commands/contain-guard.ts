import type { NamespaceFacts } from "../kubernetes/cluster.ts";
import type { Group } from "../policy/group.ts";
import { silencedBy } from "../policy/group.ts";
import { type Refusal, refusal, refuseCount, refuseLastReady, refuseProtected, refuseTarget } from "../policy/guard.ts";
import { choiceWords } from "../policy/next-steps.ts";
import type { Choices } from "../policy/plan.ts";
import type { NamespaceTarget, WorkloadTarget } from "../policy/target.ts";
import { targetReference } from "../policy/target.ts";
import type { Settings } from "./services.ts";

/** What the rules for more than one pod look at. */
export type GroupInput = {
  readonly target: WorkloadTarget | NamespaceTarget;
  readonly group: Group;
  readonly facts: NamespaceFacts;
  readonly settings: Settings;
  /** As typed: the name after --confirm, and whether another person is to agree to more. */
  readonly choices: Choices;
};

/** The first reason why these pods may not be cut off together; undefined where there is none. */
export function refuseGroup(input: GroupInput): Refusal | undefined {
  return refuseNamespace(input) ?? refusePods(input) ?? refuseTooMany(input) ?? refuseUnconfirmed(input);
}

/** Also where it holds no pod now. */
function refuseNamespace({ target, settings, choices }: GroupInput): Refusal | undefined {
  const { namespace, cluster } = target;
  if (cluster === settings.clusters.home && namespace === settings.ownNamespace) {
    return refusal(
      `${namespace} is Bulkhead's own namespace: cutting it off would end the response`,
      "Choose another namespace.",
    );
  }
  if (choices.override === true) return undefined;
  return refuseProtected(namespace, settings.protectedNamespaces, typedOf(target, choices));
}

/**
 * Each pod by its own rules; what is only for a confirmation by name is confirmed by the target's. Labels of static pods
 * stay as they are, so that here a policy holds for them too. Replicas are counted together, below.
 */
function refusePods(input: GroupInput): Refusal | undefined {
  const { target, group, facts, settings, choices } = input;
  const { confirm: confirmed, override } = choices;
  const inHomeCluster = target.cluster === settings.clusters.home;
  const named = confirmed === nameOf(target);
  for (const pod of group.covered) {
    const alone = { ...settings, services: facts.services, pods: [], pod: { ...pod, mirror: false, ready: false } };
    const asked = { ...alone, inHomeCluster, override, typed: typedOf(target, choices) };
    const hard = refuseTarget({ ...asked, confirmed: pod.name });
    if (hard !== undefined) return refusal(`of pod ${pod.name}: ${hard.reason}`, hard.next);
    const soft = named ? undefined : refuseTarget({ ...asked, confirmed: undefined });
    if (soft !== undefined)
      return refusal(`of pod ${pod.name}: ${soft.reason}`, `To do it all the same, ${how(target, choices)}`);
  }
  return undefined;
}

function refuseTooMany({ target, group, settings, choices }: GroupInput): Refusal | undefined {
  if (target.workload === undefined || choices.override === true) return undefined;
  return refuseCount(group.covered.length, settings.limits.pods, typedOf(target, choices));
}

function refuseUnconfirmed({ target, group, facts, choices }: GroupInput): Refusal | undefined {
  const { confirm: confirmed } = choices;
  if (target.workload !== undefined) {
    const services = silencedBy(group.covered, facts.services, facts.pods);
    return refuseLastReady(services, nameOf(target), { confirmed, typed: typedOf(target, choices) });
  }
  if (confirmed === target.namespace) return undefined;
  return refusal(`it cuts off all of namespace ${target.namespace}`, `To do it, ${how(target, choices)}`);
}

function nameOf({ workload, namespace }: GroupInput["target"]): string {
  return workload?.name ?? namespace;
}

function typedOf(target: GroupInput["target"], choices: Choices): string {
  const verb = target.workload === undefined ? "lockdown" : "quarantine";
  return `${verb} ${target.cluster}:${targetReference(target)}${choiceWords({ ...choices, confirm: undefined })}`;
}

function how(target: GroupInput["target"], choices: Choices): string {
  return `confirm it by its name: /np ${typedOf(target, choices)} --confirm ${nameOf(target)}`;
}
