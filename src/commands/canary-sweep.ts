import type { Cluster } from "../kubernetes/cluster.ts";
import { manifestName } from "../policy/manifest.ts";
import type { Services } from "./services.ts";

/** Where the canary's objects are, and how long their end is waited for. */
export type Swept = { readonly namespace: string; readonly selector: string; readonly withinMs: number };

const pollMs = 200;

/**
 * Deletes the canary's pods and policies that the selector names, by uid, and waits until they are gone. Returns what is
 * left, by name, or why that is not known; empty where nothing is. Never rejects.
 */
export async function sweepCanary(
  services: Pick<Services, "now" | "wait">,
  cluster: Cluster,
  swept: Swept,
): Promise<readonly string[]> {
  const endsAt = services.now() + swept.withinMs;
  for (;;) {
    const left = await sweepOnce(cluster, swept);
    if (left.length === 0 || services.now() >= endsAt) return left;
    await services.wait(pollMs);
  }
}

/** A deleted pod is there until its kubelet has ended it. */
async function sweepOnce(cluster: Cluster, { namespace, selector }: Swept): Promise<readonly string[]> {
  try {
    const pods = await cluster.canary.podStates(namespace, selector);
    const policies = await cluster.listPolicies(selector, namespace);
    for (const { name, uid, terminating } of pods) if (!terminating) await cluster.deletePod(namespace, name, uid);
    for (const policy of policies) {
      const { uid, resourceVersion } = policy.metadata;
      if (uid !== undefined && resourceVersion !== undefined) {
        await cluster.deleteObject(policy, { uid, resourceVersion });
      }
    }
    return [...pods.map(({ name }) => `Pod ${namespace}/${name}`), ...policies.map(manifestName)];
  } catch (error) {
    return [`what is there cannot be said: ${error instanceof Error ? error.message : String(error)}`];
  }
}
