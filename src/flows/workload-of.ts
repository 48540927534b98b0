import type { Pod } from "../policy/objects.ts";

/** As people name a pod's workload: `Deployment web`. */
export type WorkloadName = { readonly kind: string; readonly name: string };

/** What the apiserver and the Deployment controller make random texts of (apimachinery, util/rand: SafeEncodeString). */
const hash = "[bcdfghjklmnpqrstvwxz2456789]";
const deploymentPattern = new RegExp(`^(.+)-${hash}{1,10}$`);
const podPattern = new RegExp(`^(.+)-${hash}{6,10}-${hash}{5}$`);
/** The CronJob controller names a Job by the minute it was due (utils.go, getJobName). */
const cronJobPattern = /^(.+)-\d{8}$/;

/**
 * The workload by what the pod itself says, at once: nobody has to have seen its ReplicaSet. The same as its owner's owner
 * is, wherever that follows the naming of Kubernetes' own controllers.
 */
export function workloadOfPod({ name, controller, labels }: Pod): WorkloadName {
  if (controller === undefined) return { kind: "Pod", name };
  const template = labels["pod-template-hash"];
  if (controller.kind === "ReplicaSet" && template !== undefined && controller.name.endsWith(`-${template}`))
    return { kind: "Deployment", name: controller.name.slice(0, -template.length - 1) };
  return controller.kind === "Job" ? foldOwner(controller) : { kind: controller.kind, name: controller.name };
}

/** A ReplicaSet as its Deployment, and a Job as its CronJob, where the name looks so; any other as it is. */
export function foldOwner({ kind, name }: WorkloadName): WorkloadName {
  if (kind !== "ReplicaSet" && kind !== "Job") return { kind, name };
  const above = (kind === "Job" ? cronJobPattern : deploymentPattern).exec(name)?.[1];
  if (above === undefined) return { kind, name };
  return { kind: kind === "Job" ? "CronJob" : "Deployment", name: above };
}

/** Of a pod that nobody saw, by its name alone: that of a Deployment's pod shows, and else it stands for itself. */
export function workloadOfName(pod: string): WorkloadName {
  const deployment = podPattern.exec(pod)?.[1];
  return deployment === undefined ? { kind: "Pod", name: pod } : { kind: "Deployment", name: deployment };
}

/** What the names of a pod's siblings begin with, the last dash among it: `web-645b68dcf7-`. */
export function siblingsPrefix(pod: string): string {
  return pod.slice(0, pod.lastIndexOf("-") + 1);
}
