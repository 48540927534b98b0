import type { Labels } from "./objects.ts";

/** An object of any policy API as it is on the wire. Server-set metadata is absent until it is stored. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    /** Absent for what is cluster-scoped. */
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly generation?: number;
    /** It is being deleted, and is there until the last of its finalizers is taken off. */
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
};

/** Which object is meant, whatever it holds. */
export type ManifestReference = Pick<Manifest, "apiVersion" | "kind"> & {
  readonly metadata: Pick<Manifest["metadata"], "name" | "namespace">;
};

/** `CiliumNetworkPolicy payments/bulkhead-q-1`, for people; a NetworkPolicy of another API than Kubernetes' own names that. */
export function manifestName({ apiVersion, kind, metadata: { name, namespace } }: ManifestReference): string {
  const [group = ""] = apiVersion.split("/");
  const of = kind === "NetworkPolicy" && group !== "networking.k8s.io" ? ` (${group})` : "";
  return `${kind}${of} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
