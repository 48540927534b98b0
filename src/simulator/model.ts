import type { Labels } from "../policy/objects.ts";
import type { AddressSet } from "./addresses.ts";

/**
 * What every policy API is translated into: stages in order, in each of them ranked policies, in each of those ordered
 * rules. The evaluator knows nothing of the APIs, and the translators nothing of the evaluation.
 */

export type Direction = "ingress" | "egress";
export type Protocol = "TCP" | "UDP" | "SCTP";

/** Which object decided: as a person would name it. */
export type PolicyReference = {
  /** `NetworkPolicy`, `CiliumNetworkPolicy`, …, and where two APIs share a kind, with the group: `ClusterNetworkPolicy (antrea)`. */
  readonly kind: string;
  /** Undefined for what is cluster-wide. */
  readonly namespace: string | undefined;
  readonly name: string;
};

export type SimulatedNamespace = { readonly name: string; readonly labels: Labels };

export type ContainerPort = { readonly name: string; readonly protocol: Protocol; readonly port: number };

/** What a selector may look at. Pods that no selector can tell apart are one class. */
export type PodIdentity = {
  readonly namespace: SimulatedNamespace;
  readonly labels: Labels;
  readonly serviceAccount: string;
};

/** Selects pods. Pods of the host network are never selected, so a test need not ask. */
export type Matcher = {
  /** Matchers with equal keys select the same pods. */
  readonly key: string;
  /** Only pods of this namespace, where set; it spares the test of all others. */
  readonly namespace?: string;
  /** Only pods of namespaces that pass; absent: of all. */
  readonly namespaces?: (namespace: SimulatedNamespace) => boolean;
  /** Absent: all pods of those namespaces. */
  readonly pods?: (pod: PodIdentity) => boolean;
  /** The keys of pod labels that `pods` looks at: no other label may decide. */
  readonly labels: readonly string[];
  /** Absent: none was worked out. */
  readonly example?: PodExample;
};

/** What a pod would have to be for a matcher to select it, so far as that is easily told: the matcher is to be asked. */
export type PodExample = {
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  /** Undefined: no matter. */
  readonly serviceAccount?: string | undefined;
};

/** A pod; a node or a pod of the host network; an address outside the cluster. */
export type EndpointKind = "pod" | "node" | "external";

/** One alternative of a peer list: all that is given must hold. `{ on: ["pod", "node", "external"] }` is everything. */
export type PeerTerm = {
  /** The kinds of endpoints that can match at all. */
  readonly on: readonly EndpointKind[];
  /** Of nodes only the one that the subject runs on, or only the others; where that is not known, perhaps. Absent: all. */
  readonly node?: "own" | "other";
  /** A pod must be selected. Says nothing of nodes and externals: leave them out of `on` where they cannot match. */
  readonly pods?: Matcher;
  /** A pod must not be selected. Nodes and externals are never selected, so they pass. */
  readonly notPods?: Matcher;
  /** An address must be in the set. */
  readonly addresses?: AddressSet;
  /** An address must not be in the set. */
  readonly notAddresses?: AddressSet;
  /**
   * With `addresses` or `notAddresses` and `pod` in `on`: whether pods are held against them by their addresses. `"yes"`:
   * this engine does; `"engine"`: engines differ, and `Settings.ipBlockMatchesPods` says which reading is wanted.
   * A pod whose addresses are not known matches perhaps.
   */
  readonly podsByAddress?: "yes" | "engine";
  /** Why this term matches only perhaps: what it asks beyond what is evaluated, as `toFQDNs: names are not evaluated`. */
  readonly maybe?: string;
};

/** `from` and `to` are inclusive; a name is resolved on the destination pod, and matches nothing elsewhere. */
export type PortTerm =
  | { readonly protocol: Protocol; readonly from: number; readonly to: number }
  | { readonly protocol: Protocol; readonly name: string };

export type RuleAction = "allow" | "deny" | "pass";

export type Rule = {
  readonly action: RuleAction;
  /** Where it stands in its policy, with its name if it has one: `ingress[0]`, `ingress[2] (allow-dns)`. */
  readonly name: string;
  /** Only for those of the policy's subjects that are selected by this too (a rule's own appliedTo or destination selector). */
  readonly subject?: Matcher;
  /** Terms are ORed. An empty list matches nothing. */
  readonly peers: "all" | readonly PeerTerm[];
  /** Terms are ORed. `"all"` is every port of every protocol. An empty list matches nothing (of TCP, UDP and SCTP). */
  readonly ports: "all" | readonly PortTerm[];
  /** Why the whole rule applies only perhaps: what it asks beyond what is evaluated. */
  readonly maybe?: string;
};

/**
 * Stages are asked in ascending `order`. In each, the first rule that matches decides: allow and deny are final, pass
 * goes on with the next stage. Where none matches: denied if a policy of the stage isolates the pod in that direction,
 * else the next stage. After the last: allowed.
 */
export type Stage = {
  /** `NetworkPolicy`, `Admin tier`, `tier security`, … */
  readonly name: string;
  readonly order: number;
  /** Where pass goes instead: to the first stage whose order is at least this. */
  readonly passTo?: number;
};

export type Policy = {
  readonly reference: PolicyReference;
  readonly stage: Stage;
  /**
   * Lower first, compared element by element (a shorter rank first). Policies of equal rank have no defined order: where
   * their verdicts on the same traffic differ, the answer is undecided.
   */
  readonly rank: readonly (number | string)[];
  /**
   * What orders policies of equal rank, where versions of an engine differ on it: one text for each way, compared with the
   * others' of the same way. Where the orders give different verdicts on the same traffic, the answer is undecided.
   */
  readonly among?: readonly string[];
  readonly subject: Matcher;
  /** Top-down. */
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
  /** Whether its subjects are denied, in that direction, what no rule of the stage matched. */
  readonly isolates: { readonly ingress: boolean; readonly egress: boolean };
  /** What it uses that is not evaluated and does not bear on TCP, UDP and SCTP between pods and addresses (ICMP, logging, …). */
  readonly notEvaluated: readonly string[];
  /** Why it is in force only perhaps (a schedule, an unknown subject): each of its rules and its isolation is then a perhaps. */
  readonly maybe?: string;
};

/** Something wrong in an object, by its JSON path: `spec.ingress[0].from[1].ipBlock.cidr`. */
export type Problem = { readonly field: string; readonly message: string };

export type Translation = { readonly policies: readonly Policy[] } | { readonly problems: readonly Problem[] };

/** An object as it is on the wire: nothing below is checked but these. */
export type WireObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly [field: string]: unknown;
};

/** Where the policies that several engines implement stand among that engine's own. */
export type Arrangement = {
  readonly admin: Place;
  /** Where AdminNetworkPolicy stands, if not with the ClusterNetworkPolicies of the Admin tier. */
  readonly adminNetworkPolicy?: Place;
  readonly networkPolicy: Place;
  readonly baseline: Place;
};

/** `rank` comes before the policy's own. */
export type Place = { readonly stage: Stage; readonly rank: readonly (number | string)[] };
