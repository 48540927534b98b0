/** A tool by what it writes, each with a reader of its own in this room. */
export type FlowFormat =
  | "hubble"
  | "goldmane"
  | "aws-network-policy-agent"
  | "antrea"
  | "ovn"
  | "gke"
  | "kube-network-policies";

/**
 * What a source says of some traffic between two ends, as it says it: nothing is looked up here. Every string comes from
 * outside, and is hostile until rendered.
 */
export type FlowRecord = {
  readonly format: FlowFormat;
  /** Of one event, where the source gives it one: the same id is the same event. */
  readonly id: string | undefined;
  readonly verdict: FlowVerdict;
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly protocol: FlowProtocol;
  readonly fromPort: number | undefined;
  /** Undefined also where the protocol has none. */
  readonly toPort: number | undefined;
  /** On whose side it was decided: as it leaves `from`, or as it comes to `to`. Undefined where the source does not say. */
  readonly direction: "ingress" | "egress" | undefined;
  /** Whether it is an answer of a connection that is open; undefined where the source does not say. */
  readonly isReply: boolean | undefined;
  /** Whether it opens a connection; undefined where the source does not say. */
  readonly isNew: boolean | undefined;
  /** When it was seen: both the same for one event, else the window that is counted. Milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
  readonly unit: FlowUnit;
  /** There may have been more: the source limits its rate, samples, or drops what is too much. */
  readonly atLeast: boolean;
  /** The explicit denies that the source names. Never what allowed something, and never a default deny's guess. */
  readonly policies: readonly FlowPolicy[];
  /** On which it was seen. */
  readonly node: string | undefined;
  /** The name that a DNS request asked for. */
  readonly dnsQuery: string | undefined;
};

/**
 * `denied`: by policy. `audited`: would have been (Cilium's policy audit mode, Calico's staged policies). `dropped`: for
 * a reason that is no policy's (facts: denied-flows §1, DropReason).
 */
export type FlowVerdict =
  | { readonly kind: "forwarded" }
  | { readonly kind: "denied" | "audited"; readonly reason: DenyReason }
  | { readonly kind: "dropped"; readonly reason: string };

/**
 * `no-rule`: nothing allows it, as a default deny. `rule`: a rule denies it. `authentication`: of the peer, it is required.
 * `l7`: a proxy refused a request. `unsaid`: the source says denied and no more.
 */
export type DenyReason = "no-rule" | "rule" | "authentication" | "l7" | "unsaid";

export type FlowProtocol = "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6" | "unknown";

export type FlowUnit = "packets" | "connections" | "events";

/** One end, by whatever the source tells; all undefined is nothing known. */
export type FlowEnd = {
  /** An IP address in its canonical form. */
  readonly address: string | undefined;
  readonly namespace: string | undefined;
  readonly pod: string | undefined;
  /** Of a workload as the source names it: may be the ReplicaSet's, or what all its pods' names begin with. */
  readonly workload: FlowWorkload | undefined;
  /** DNS names by which it was resolved. */
  readonly names: readonly string[];
  /** What the source calls it where it is no pod. */
  readonly entity: FlowEntity | undefined;
};

/** `prefix`: the names of its pods begin so (Goldmane's `web-645b68dcf7-*`), and nothing else is known. */
export type FlowWorkload = { readonly kind: string | undefined; readonly name: string; readonly prefix?: true };

export type FlowEntity = "host" | "remote-node" | "health" | "kube-apiserver" | "world" | "private";

export type FlowPolicy = {
  /** As the source calls it, e.g. `CiliumNetworkPolicy`; undefined where it does not. */
  readonly kind: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
};

/** What a reader makes of a piece of input. */
export type FlowItem =
  | { readonly kind: "flow"; readonly record: FlowRecord }
  /** So many events were lost before the source could tell them. */
  | { readonly kind: "lost"; readonly count: number; readonly atMs: number; readonly node: string | undefined }
  /** Read, and of no use here: the state of a node, an agent's own message. */
  | { readonly kind: "passed" }
  /** Known for what it is, and not to be read; `advice` says what to send instead. */
  | { readonly kind: "unsupported"; readonly what: string; readonly advice: string }
  | { readonly kind: "unreadable"; readonly why: string };

/** What whoever carried a line knows of it: used where the line itself does not say. */
export type Carried = { readonly atMs: number; readonly node?: string | undefined };
