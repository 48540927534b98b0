/**
 * What the domain knows of Kubernetes objects. `NetworkPolicy` is the wire form, untouched (a typed model once dropped
 * `from` and let everything in); the rest is trimmed at the edge to the fields that decisions need.
 */

export type Labels = Readonly<Record<string, string>>;

export type LabelSelectorRequirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
};

/** metav1.LabelSelector: `matchLabels` and `matchExpressions` are ANDed; empty selects everything. */
export type LabelSelector = {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
};

/** A stable handle on one stored object, for preconditions. */
export type ObjectVersion = { readonly uid: string; readonly resourceVersion: string };

export type ObjectMeta = ObjectVersion & {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** RFC 3339, by the API server's clock. */
  readonly creationTimestamp: string;
};

export type OwnerReference = { readonly kind: string; readonly name: string; readonly uid: string };

export type Pod = ObjectMeta & {
  /** Whether metadata.annotations is there at all: a JSON Patch cannot add below a member that is missing. */
  readonly annotated: boolean;
  /** The owner with `controller: true`, if any. */
  readonly controller: OwnerReference | undefined;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  /** Condition Ready is True. */
  readonly ready: boolean;
  /** It has a deletionTimestamp. */
  readonly terminating: boolean;
  readonly hostNetwork: boolean;
  /** Its priority class is system-node-critical or system-cluster-critical. */
  readonly critical: boolean;
  /** A static pod's mirror: annotation kubernetes.io/config.mirror. */
  readonly mirror: boolean;
  readonly nodeName: string | undefined;
  readonly podIP: string | undefined;
  /** All of its addresses, of either family, `podIP` among them; empty until it has one. */
  readonly podIPs: readonly string[];
  /** Its node's address. */
  readonly hostIP: string | undefined;
  readonly serviceAccount: string;
  /** Of its containers, those that have a name. */
  readonly ports: readonly NamedPort[];
};

export type NamedPort = {
  readonly name: string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
};

export type Namespace = { readonly name: string; readonly labels: Labels; readonly terminating: boolean };

export type Service = {
  readonly name: string;
  readonly namespace: string;
  /** A Service without a selector selects nothing, so it is empty here. */
  readonly selector: Labels;
  readonly ports: readonly ServicePort[];
  /** Its own addresses; empty for a headless one. */
  readonly clusterIPs: readonly string[];
  /** Its name stands for its pods' addresses, so that nothing maps its ports. Absent: no. */
  readonly headless?: boolean;
  /** The DNS name that it stands for instead of pods: it has no selector then, whatever it says. Absent: none. */
  readonly externalName?: string;
};

export type ServicePort = {
  readonly name: string | undefined;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  /** A container port's number or name. */
  readonly targetPort: number | string;
};

export const workloadKinds = [
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "ReplicationController",
] as const;

export type WorkloadKind = (typeof workloadKinds)[number];

export type Workload = {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly selector: LabelSelector;
  /** spec.replicas (spec.completions for a Job); undefined for a DaemonSet. */
  readonly replicas: number | undefined;
  readonly controller: OwnerReference | undefined;
};

export type NetworkPolicyPort = {
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly port?: number | string;
  readonly endPort?: number;
};

export type NetworkPolicyPeer = {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
};

export type NetworkPolicyIngressRule = {
  readonly from?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
};

export type NetworkPolicyEgressRule = {
  readonly to?: readonly NetworkPolicyPeer[];
  readonly ports?: readonly NetworkPolicyPort[];
};

export type PolicyType = "Ingress" | "Egress";

export type NetworkPolicySpec = {
  readonly podSelector?: LabelSelector;
  readonly policyTypes?: readonly PolicyType[];
  readonly ingress?: readonly NetworkPolicyIngressRule[];
  readonly egress?: readonly NetworkPolicyEgressRule[];
};

/** networking.k8s.io/v1 NetworkPolicy as it is on the wire. Server-set metadata is absent until it is stored. */
export type NetworkPolicy = {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "NetworkPolicy";
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: NetworkPolicySpec;
};

/** RFC 6902 operations that we send. */
export type JsonPatchOperation =
  | { readonly op: "test" | "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };
