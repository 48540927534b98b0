import { kubectlJson } from "./kubectl.ts";
import type { Recorded } from "./recording.ts";

/** A pod as the API server holds it. */
export type ApiPod = Recorded["object"] & {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** The pods with that app label which are not on their way out. */
export async function podsOf(app: string, namespace: string): Promise<readonly ApiPod[]> {
  const { items } = await kubectlJson<{ items: ApiPod[] }>(["get", "pods", "-n", namespace, "-l", `app=${app}`]);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Those of them that are ready. */
export async function readyPods(app: string, namespace: string): Promise<readonly ApiPod[]> {
  return (await podsOf(app, namespace)).filter(({ status }) =>
    status.conditions?.some((one) => one.type === "Ready" && one.status === "True"),
  );
}

/** Names of the pods in the Endpoints of a Service. */
export async function behind(service: string, namespace: string): Promise<readonly string[]> {
  type Endpoints = { subsets?: { addresses?: { targetRef: { name: string } }[] }[] };
  const { subsets = [] } = await kubectlJson<Endpoints>(["get", "endpoints", service, "-n", namespace]);
  return subsets.flatMap(({ addresses = [] }) => addresses.map(({ targetRef }) => targetRef.name));
}
