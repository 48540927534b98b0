import type { WorkloadKind } from "./objects.ts";

/** One pod of one cluster. */
export type PodTarget = {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly workload?: undefined;
};

/** All pods that a workload's selector catches, now and later. */
export type WorkloadTarget = {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod?: undefined;
  readonly workload: { readonly kind: WorkloadKind; readonly name: string };
};

/** All pods of a namespace, now and later. Of an undo: where its first policy lies, the empty name for what is cluster-scoped. */
export type NamespaceTarget = {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod?: undefined;
  readonly workload?: undefined;
};

/** What an operation is about. Early records are all of pods. */
export type Target = PodTarget | WorkloadTarget | NamespaceTarget;

/** What kind of object it is, as Kubernetes calls it. */
export function targetKind({ pod, workload }: Target): "Pod" | WorkloadKind | "Namespace" {
  if (pod !== undefined) return "Pod";
  return workload?.kind ?? "Namespace";
}

/** The object's name, with its namespace where it is in one: `payments/checkout-7d9f`, `payments`. */
export function targetPath({ namespace, pod, workload }: Pick<Target, "namespace" | "pod" | "workload">): string {
  const name = pod ?? workload?.name;
  return name === undefined ? namespace : `${namespace}/${name}`;
}

/** As it is typed after a command, without the cluster: `payments/checkout-7d9f`, `payments/deployment/checkout`, `payments`. */
export function targetReference(target: Pick<Target, "namespace" | "pod" | "workload">): string {
  const { namespace, workload } = target;
  return workload === undefined ? targetPath(target) : `${namespace}/${workload.kind.toLowerCase()}/${workload.name}`;
}

/** The same in a sentence, where a namespace alone would not be known for one. */
export function targetName(target: Target): string {
  const reference = targetReference(target);
  if (reference === "") return "the whole cluster";
  return targetKind(target) === "Namespace" ? `namespace ${reference}` : reference;
}

const clusterName = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
const dns1123Label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether the text can be the name that configuration gives a cluster: at most 63 characters, no colon and no slash. */
export function isClusterName(text: string): boolean {
  return clusterName.test(text);
}

/** Whether the text can be a namespace's name (RFC 1123 label, at most 63 characters). */
export function isNamespaceName(text: string): boolean {
  return dns1123Label.test(text);
}

/** Whether the text can be a pod's name or the beginning of one (RFC 1123 subdomain, at most 253 characters). */
export function isPodNamePrefix(text: string): boolean {
  return text.length <= 253 && dns1123Subdomain.test(text.replace(/[-.]$/, ""));
}

/** A pod as typed; the cluster is undefined where none was named. */
export type PodReference = {
  readonly cluster: string | undefined;
  readonly namespace: string;
  readonly pod: string;
  readonly workload?: undefined;
};

/** A workload as typed. */
export type WorkloadReference = Omit<WorkloadTarget, "cluster"> & { readonly cluster: string | undefined };

/** A namespace as typed, where nothing else can be meant. */
export type NamespaceReference = Omit<NamespaceTarget, "cluster"> & { readonly cluster: string | undefined };

/** `payments/checkout-7d9f` or `prod-eu:payments/checkout-7d9f`; undefined where the text is not of that form. */
export function parsePodReference(text: string): PodReference | undefined {
  const { cluster, rest } = splitCluster(text);
  const [namespace = "", pod = "", ...more] = rest.split("/");
  if (more.length > 0 || (cluster !== undefined && !isClusterName(cluster))) return undefined;
  return isNamespaceName(namespace) && isPodNamePrefix(pod) ? { cluster, namespace, pod } : undefined;
}

/** A namespace, a cluster, or a namespace of a cluster, as typed. */
export type PlaceReference = { readonly cluster: string | undefined; readonly namespace: string | undefined };

/** `payments`, `payments/`, `prod-eu:payments` or `prod-eu:`; undefined where the text is none of them. */
export function parsePlaceReference(text: string): PlaceReference | undefined {
  const { cluster, rest } = splitCluster(text);
  const namespace = rest.replace(/\/$/, "");
  if (cluster === undefined) return isNamespaceName(namespace) ? { cluster, namespace } : undefined;
  if (!isClusterName(cluster)) return undefined;
  if (rest === "") return { cluster, namespace: undefined };
  return isNamespaceName(namespace) ? { cluster, namespace } : undefined;
}

/** What stands before the first colon, and the rest. */
export function splitCluster(text: string): { readonly cluster: string | undefined; readonly rest: string } {
  const at = text.indexOf(":");
  return at < 0 ? { cluster: undefined, rest: text } : { cluster: text.slice(0, at), rest: text.slice(at + 1) };
}
