import type { Pod, Service, Workload } from "./objects.ts";
import { selects } from "./selector.ts";

/** Names of the Services that select a pod with these labels, sorted. */
export function servicesOf(pod: Pick<Pod, "labels">, services: readonly Service[]): readonly string[] {
  return selecting(pod, services).map(({ name }) => name);
}

/** What each Service loses with the pod: its last ready replica, or one of so many. */
export function serviceEffects(pod: Pod, services: readonly Service[], pods: readonly Pod[]): readonly string[] {
  return selecting(pod, services).map((service) => {
    const others = pods.filter((other) => other.uid !== pod.uid && isReadyBehind(other, service)).length;
    if (!pod.ready)
      return `Service ${service.name} keeps its ${count(others)}; this pod is not ready and serves nothing.`;
    return others === 0
      ? `Service ${service.name} loses its LAST ready replica: it stops answering until another is ready.`
      : `Service ${service.name} drops this pod; ${count(others)} ${others === 1 ? "stays" : "stay"}.`;
  });
}

/** Names of the Services of which the pod is the last ready replica, sorted. */
export function lastReadyOf(pod: Pod, services: readonly Service[], pods: readonly Pod[]): readonly string[] {
  if (!pod.ready || pod.terminating) return [];
  return selecting(pod, services)
    .filter((service) => !pods.some((other) => other.uid !== pod.uid && isReadyBehind(other, service)))
    .map(({ name }) => name);
}

/** What the pod's controller does once the pod's labels are off, in one sentence. */
export function controllerEffect(pod: Pod, workloads: readonly Workload[]): string {
  const { controller } = pod;
  if (controller === undefined) return "No controller owns this pod: nothing replaces it.";
  const owner = workloads.find(({ uid }) => uid === controller.uid);
  const name = `${controller.kind} ${controller.name}`;
  switch (controller.kind) {
    case "ReplicaSet":
    case "ReplicationController":
      return owner?.replicas === 0
        ? `${name} is scaled to 0: it lets the pod go and starts no replacement.`
        : `${name} lets the pod go and starts a replacement; what got in may come back with it.`;
    case "Job":
      return `${name} starts the work again in a new pod.`;
    case "StatefulSet":
      return `${name} cannot replace it: the name ${pod.name} stays taken, and its rollout stalls until release.`;
    case "DaemonSet":
      return `${name} starts another pod on node ${pod.nodeName ?? "(unknown)"}; a hostPort of both would clash.`;
    default:
      return `${name} owns this pod, and what such an owner does when its pod's labels go is not known.`;
  }
}

/** What each Service does with a quarantined pod that keeps its labels. */
export function attachedServices(pod: Pod, services: readonly Service[]): readonly string[] {
  return servicesOf(pod, services).map((name) =>
    pod.ready
      ? `Service ${name} keeps the pod and sends it connections that fail, for as long as it counts as ready.`
      : `Service ${name} keeps the pod, which is not ready and gets no connections.`,
  );
}

/** What the controller of a quarantined pod that keeps its labels does. */
export function attachedController({ controller }: Pick<Pod, "controller">): string {
  if (controller === undefined) return "No controller owns this pod: nothing replaces it.";
  return `${controller.kind} ${controller.name} keeps the pod: no replacement starts, and a rollout or a scale-down may delete it with its evidence.`;
}

/** How many presses of Confirm a pod of this owner needs: two where the work cannot simply be replaced. */
export function confirmationsFor(pod: Pod): 1 | 2 {
  return pod.controller?.kind === "StatefulSet" || pod.controller?.kind === "Job" ? 2 : 1;
}

function selecting(pod: Pick<Pod, "labels">, services: readonly Service[]): readonly Service[] {
  return services
    .filter(({ selector }) => Object.keys(selector).length > 0 && selects({ matchLabels: selector }, pod.labels))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

function isReadyBehind(pod: Pod, { selector }: Service): boolean {
  return pod.ready && !pod.terminating && selects({ matchLabels: selector }, pod.labels);
}

function count(replicas: number): string {
  return replicas === 1 ? "1 other ready replica" : `${replicas} other ready replicas`;
}
