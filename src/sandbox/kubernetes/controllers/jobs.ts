import { at, listAt, numberAt, textAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { timestamp } from "../objects.ts";
import { claimPods, podFrom } from "./claims.ts";
import type { ControllerClient } from "./client.ts";
import { inDeletionOrder, readySince } from "./ranking.ts";

/** Jobs: as many pods at work as parallelism asks for. Nothing here ever finishes by itself. */
export function reconcileJobs(client: ControllerClient, namespace: string): void {
  for (const job of client.list("Job", namespace)) {
    const finished = listAt(job, "status", "conditions").some((each) => at(each, "status") === "True");
    const stopped = finished || at(job, "spec", "suspend") === true || job.metadata.deletionTimestamp !== undefined;
    if (!stopped) reconcileJob(client, job);
  }
}

function reconcileJob(client: ControllerClient, job: KubeObject): void {
  const pods = claimPods(client, job, at(job, "spec", "selector"));
  const wanted = Math.min(numberAt(job, "spec", "parallelism") ?? 1, numberAt(job, "spec", "completions") ?? 1);
  for (const pod of inDeletionOrder(pods, pods, client.now()).slice(0, Math.max(0, pods.length - wanted))) {
    client.remove("Pod", pod);
  }
  for (let missing = wanted - pods.length; missing > 0; missing -= 1) {
    client.create("Pod", job.metadata.namespace ?? "", podFrom(job, { generateName: `${job.metadata.name}-` }));
  }
  client.status("Job", job, {
    active: pods.length,
    ready: pods.filter((pod) => readySince(pod) !== undefined).length,
    startTime: textAt(job, "status", "startTime") ?? timestamp(client.now()),
  });
}
