import { type JsonObject, objectAt } from "../json.ts";
import type { Draft, KubeObject, ObjectOwner } from "../objects.ts";
import { removeObject } from "../remove.ts";
import type { Resource, Resources } from "../resources.ts";
import { StatusError } from "../status.ts";
import type { Store } from "../store.ts";
import type { Writes } from "../write.ts";

export type ControllerParts = {
  readonly store: Store;
  readonly resources: Resources;
  readonly writes: Writes;
  readonly now: () => number;
};

/** What controllers do to the cluster, as kube-controller-manager; kinds are those of the built-in resources. */
export type ControllerClient = {
  readonly now: () => number;
  list(kind: string, namespace: string): KubeObject[];
  get(kind: string, namespace: string, name: string): KubeObject | undefined;
  /** Undefined where the name is taken. */
  create(kind: string, namespace: string, draft: Draft): KubeObject | undefined;
  update(kind: string, previous: KubeObject, next: KubeObject): KubeObject;
  /** Merges these members into the status. */
  status(kind: string, object: KubeObject, members: JsonObject): KubeObject;
  /** Gives the pod a node, as the binding subresource does. */
  bind(pod: KubeObject, nodeName: string): KubeObject;
  remove(kind: string, object: KubeObject): void;
  /** Ends a pod that is marked for deletion, unless finalizers hold it. */
  finish(pod: KubeObject): void;
};

/** The resources that controllers work on, by kind. */
const kinds = new Map([
  ["Namespace", "v1"],
  ["Node", "v1"],
  ["Pod", "v1"],
  ["Service", "v1"],
  ["Endpoints", "v1"],
  ["ServiceAccount", "v1"],
  ["ReplicationController", "v1"],
  ["Deployment", "apps/v1"],
  ["ReplicaSet", "apps/v1"],
  ["StatefulSet", "apps/v1"],
  ["DaemonSet", "apps/v1"],
  ["Job", "batch/v1"],
  ["EndpointSlice", "discovery.k8s.io/v1"],
]);

export function createControllerClient(parts: ControllerParts): ControllerClient {
  const { store, resources, writes, now } = parts;
  const resourceOf = (kind: string): Resource => {
    const resource = resources.ofKind(kinds.get(kind) ?? "", kind);
    if (resource === undefined) throw new TypeError(`no controller works on ${kind}`);
    return resource;
  };
  return {
    now,
    list: (kind, namespace) => store.list(resourceOf(kind).storage, namespace),
    get: (kind, namespace, name) => store.get(resourceOf(kind).storage, namespace, name),
    create: (kind, namespace, draft) => {
      try {
        return writes.create(resourceOf(kind), namespace, draft, { manager: "kube-controller-manager" });
      } catch (error) {
        if (error instanceof StatusError && error.status.reason === "AlreadyExists") return undefined;
        throw error;
      }
    },
    update: (kind, previous, next) =>
      writes.update(resourceOf(kind), previous, next, { manager: "kube-controller-manager" }),
    status: (kind, object, members) => {
      const next = { ...object, status: { ...objectAt(object, "status"), ...members } };
      // Nobody applies a status, so whose it is is not recorded: at 10 000 pods that would be most of the work.
      return writes.update(resourceOf(kind), object, next, { manager: undefined, subresource: "status" });
    },
    bind: (pod, nodeName) => {
      const next = { ...pod, spec: { ...objectAt(pod, "spec"), nodeName } };
      return writes.update(resourceOf("Pod"), pod, next, { manager: undefined });
    },
    finish: (pod) => {
      if ((pod.metadata.finalizers ?? []).length === 0) store.remove(resourceOf("Pod").storage, pod);
    },
    remove: (kind, object) => {
      const removal = {
        uid: undefined,
        resourceVersion: undefined,
        gracePeriodSeconds: undefined,
        orphan: false,
        dryRun: false,
      };
      removeObject(parts, resourceOf(kind), object, removal);
    },
  };
}

/** The reference by which a controller owns what it makes. */
export function ownerReference({ apiVersion, kind, metadata }: KubeObject): ObjectOwner {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
