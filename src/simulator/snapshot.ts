import type { Labels } from "../policy/objects.ts";
import type { ContainerPort, SimulatedNamespace, WireObject } from "./model.ts";

/** `payments/checkout[Deployment]`. */
export type WorkloadName = { readonly namespace: string; readonly name: string; readonly kind: string };

/** A pod, or the pod template of a workload that stands for its pods. */
export type SimulatedPod = {
  readonly namespace: string;
  /** Undefined for a template. */
  readonly name: string | undefined;
  readonly labels: Labels;
  readonly workload: WorkloadName;
  readonly serviceAccount: string;
  /** Only those with a name: nothing else asks for them. */
  readonly ports: readonly ContainerPort[];
  /** Empty where they are not known, as from a manifest. */
  readonly addresses: readonly string[];
  readonly node: string | undefined;
  readonly hostNetwork: boolean;
};

export type ServicePort = {
  readonly name: string | undefined;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
  /** A container port's number or name. */
  readonly targetPort: number | string;
};

export type SimulatedService = {
  readonly namespace: string;
  readonly name: string;
  /** Empty selects nothing. */
  readonly selector: Labels;
  readonly ports: readonly ServicePort[];
  /** Its own addresses. Absent: not known, or none. */
  readonly clusterIPs?: readonly string[];
  /** Has no address of its own: its name stands for its pods' addresses, and nothing maps its ports. Absent: no. */
  readonly headless?: boolean;
  /** The DNS name that it stands for instead of pods: it has no selector then. Absent: none. */
  readonly externalName?: string;
};

/**
 * All that a simulation needs of a cluster. Finished pods (Succeeded, Failed) have no network and are left out.
 * `policies` are raw objects of any of the policy APIs.
 */
export type Snapshot = {
  readonly namespaces: readonly SimulatedNamespace[];
  readonly pods: readonly SimulatedPod[];
  readonly services: readonly SimulatedService[];
  readonly policies: readonly WireObject[];
};

export type EngineName = "networkpolicy" | "cilium" | "calico" | "antrea";

/** An API of policies beside NetworkPolicy; BaselineAdminNetworkPolicies go with AdminNetworkPolicies. */
export type PolicyApi = Exclude<EngineName, "networkpolicy"> | "cluster-network-policy" | "admin-network-policy";

/** What the API does not say and engines decide. */
export type Settings = {
  /** The engine that enforces; undefined: as the policies themselves tell. */
  readonly engine: EngineName | undefined;
  /** Whether ipBlock matches the addresses of pods. `"unknown"`: both readings, undecided where they differ. */
  readonly ipBlockMatchesPods: boolean | "unknown";
  /** APIs that are not known to be enforced: their policies are in force only perhaps. Default: none. */
  readonly doubtful?: readonly PolicyApi[];
};
