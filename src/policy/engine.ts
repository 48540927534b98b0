/**
 * The APIs that can express a deny, strongest first (facts: network-policy §2). `networkpolicy` is written with each of
 * the others too: it holds where their ingress rules say nothing of peers that are no pods, and it bears the record.
 */
export const denyEngines = [
  "cilium",
  "calico",
  "antrea",
  "cluster-network-policy",
  "admin-network-policy",
  "networkpolicy",
] as const;

export type DenyEngine = (typeof denyEngines)[number];

/** Whether an API is known to be enforced in the cluster. */
export type EngineState = {
  readonly engine: DenyEngine;
  /** The cluster serves the API. */
  readonly served: boolean;
  readonly state: "enforced" | "not-enforced" | "unknown";
  /** How that is known, or why it is not, as a sentence for people. */
  readonly because: string;
};

/** What becomes of connections that are open when a deny is written (facts: network-policy §2.7). */
export type OpenConnections = "cut" | "survive" | "partly" | "unknown";

/** What is known of the policy engines of one cluster. */
export type Detection = {
  /** All six, strongest first. */
  readonly engines: readonly EngineState[];
  /** What enforces, for people (`Cilium`, `OVN-Kubernetes`); undefined where that is not known, or several may. */
  readonly plugin: string | undefined;
  readonly openConnections: OpenConnections;
  /** As simulator/snapshot.ts has them: which engine's ways hold, and whether ipBlock matches pods there. */
  readonly simulated: {
    readonly engine: "networkpolicy" | "cilium" | "calico" | "antrea" | undefined;
    readonly ipBlockMatchesPods: boolean | "unknown";
  };
  readonly ways: Ways;
};

/** How the APIs of this cluster are to be written. */
export type Ways = {
  /** `group/version/plural` of every policy kind that is served. */
  readonly served: readonly string[];
  /** Tiers of Calico that are there, with their order; undefined is last. */
  readonly calicoTiers: readonly { readonly name: string; readonly order: number | undefined }[];
  /** Whether Calico may be written where it stores (crd.projectcalico.org/v1), which validates and defaults nothing. */
  readonly writesCalicoStorage: boolean;
};
