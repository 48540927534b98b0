import type { Cluster } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import type { Pod } from "../policy/objects.ts";
import { didYouMean } from "../policy/suggest.ts";

/**
 * The pod of that name, or the only one whose name begins so; else a refusal that names the candidates. The caller has
 * a right in the namespace; `seen` says which others may be suggested. Where the server cannot be asked, the pod as the
 * cache last knew it; then what it does not know is thrown as unanswered, not refused.
 */
export async function findPod(
  cluster: Cluster,
  namespace: string,
  name: string,
  seen: (namespace: string) => boolean,
): Promise<Pod | Refusal> {
  const exact = await cluster.getPod(namespace, name).catch((error: unknown) => {
    if (!isUnanswered(error)) throw error;
    return fromCache(cluster, { namespace, name }, error);
  });
  if (exact !== undefined) return exact;
  const { pods } = await cluster.facts(namespace, "fresh");
  const starting = pods.filter((pod) => pod.name.startsWith(name));
  const [only, ...others] = starting;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) return severalPods(namespace, name, starting);
  return pods.length === 0 ? noPods(cluster, namespace, seen) : noSuchPod(namespace, name, pods);
}

async function fromCache(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  unanswered: Error,
): Promise<Pod> {
  const { pods } = await cluster.facts(namespace, "cache");
  const [only, ...others] = pods.filter((pod) => pod.name === name || pod.name.startsWith(name));
  const pod = pods.find((one) => one.name === name) ?? (others.length === 0 ? only : undefined);
  if (pod === undefined) throw unanswered;
  return pod;
}

/** Whether findPod would find a pod or several there: one call, for asking several clusters at once. */
export async function hasPod(cluster: Cluster, namespace: string, name: string): Promise<boolean> {
  return (await cluster.listPods(namespace, "")).some((pod) => pod.name.startsWith(name));
}

function severalPods(namespace: string, name: string, pods: readonly Pod[]): Refusal {
  const names = pods.map((pod) => pod.name).toSorted();
  const shown = names.slice(0, 8).join(", ");
  const more = names.length > 8 ? ` and ${names.length - 8} more` : "";
  return refusal(
    `${names.length} pods in ${namespace} begin with ${name}: ${shown}${more}`,
    "Type enough of the name to mean one.",
  );
}

function noSuchPod(namespace: string, name: string, pods: readonly Pod[]): Refusal {
  const hint = didYouMean(
    name,
    pods.map((pod) => pod.name),
  );
  return refusal(
    `there is no pod ${name} in namespace ${namespace}`,
    `Look at kubectl get pods -n ${namespace}.${hint}`,
  );
}

async function noPods(cluster: Cluster, namespace: string, seen: (namespace: string) => boolean): Promise<Refusal> {
  const names = (await cluster.namespaces()).map((one) => one.name);
  return names.includes(namespace)
    ? refusal(`namespace ${namespace} has no pods`, "Check the namespace.")
    : refusal(
        `there is no namespace ${namespace}`,
        `Look at kubectl get namespaces.${didYouMean(namespace, names.filter(seen))}`,
      );
}
