import { StatusError } from "../status.ts";
import { type ControllerParts, createControllerClient } from "./client.ts";
import { reconcileDaemonSets } from "./daemonsets.ts";
import { reconcileDeployments } from "./deployments.ts";
import { reconcileEndpoints } from "./endpoints.ts";
import { createGarbage } from "./garbage.ts";
import { reconcileJobs } from "./jobs.ts";
import { createKubelet } from "./kubelet.ts";
import { emptyNamespaces } from "./namespaces.ts";
import { reconcileReplicas } from "./replicas.ts";
import { reconcileStatefulSets } from "./statefulsets.ts";

export type Controllers = {
  /** Works until nothing is left to do: for a cluster that should be complete before its first request. */
  settle(): void;
  stop(): void;
};

const reconcilers = [
  reconcileDeployments,
  reconcileReplicas,
  reconcileStatefulSets,
  reconcileDaemonSets,
  reconcileJobs,
  reconcileEndpoints,
];

/** More rounds than this for one change means that two controllers undo each other. */
const maxRounds = 1_000;

/**
 * All controllers of the cluster, driven by its changes: after each, the namespaces that changed are worked through
 * until they rest. That happens after the answer to the request has been written, as with real controllers.
 */
export function startControllers(parts: ControllerParts): Controllers {
  const client = createControllerClient(parts);
  const garbage = createGarbage(parts);
  const runPods = createKubelet();
  const changed = new Set<string>();
  let scheduled: NodeJS.Immediate | undefined;

  const settle = (): void => {
    for (let round = 0; changed.size > 0; round += 1) {
      if (round > maxRounds) throw new Error(`the controllers do not come to rest in ${[...changed].join(", ")}`);
      const namespaces = [...changed];
      changed.clear();
      garbage.collect();
      emptyNamespaces(parts);
      for (const namespace of namespaces) if (isOpen(namespace)) work(namespace);
    }
  };
  const isOpen = (namespace: string): boolean => client.get("Namespace", "", namespace) !== undefined;
  const work = (namespace: string): void => {
    unlessRefused(() => runPods(client, namespace));
    if (client.get("Namespace", "", namespace)?.metadata.deletionTimestamp !== undefined) return;
    if (client.get("ServiceAccount", namespace, "default") === undefined) {
      client.create("ServiceAccount", namespace, { metadata: { name: "default" } });
    }
    for (const reconcile of reconcilers) unlessRefused(() => reconcile(client, namespace));
  };

  const unsubscribe = parts.store.subscribe((change) => {
    garbage.note(change);
    const { kind, metadata } = change.object;
    if (kind === "Node") for (const each of client.list("Namespace", "")) changed.add(each.metadata.name);
    else changed.add(kind === "Namespace" ? metadata.name : (metadata.namespace ?? ""));
    scheduled ??= setImmediate(() => {
      scheduled = undefined;
      settle();
    });
  });
  return {
    settle,
    stop: () => {
      unsubscribe();
      clearImmediate(scheduled);
    },
  };
}

/** A template that the API refuses stops its controller and nothing else; real ones retry, and report an Event. */
function unlessRefused(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}
