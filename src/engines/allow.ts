import { canonicalJson } from "../policy/canonical.ts";
import { marks } from "../policy/marks.ts";
import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../policy/objects.ts";
import type { End, Opening, PodsEnd } from "../policy/openings.ts";

export type Direction = "ingress" | "egress";

/** What of the openings to write, and how the objects are called. */
export type Allowing = {
  readonly openings: readonly Opening[];
  /**
   * Which halves are wanted: the egress of an opening's `from`, the ingress of its `to`. The first policy of a direction
   * isolates its pods in it, so a half is for pods that are isolated already.
   */
  readonly halves: "all" | ((end: PodsEnd, direction: Direction) => boolean);
  /** Of the object at the position, from 0; the namespace follows from the pods. */
  readonly metadata: (index: number) => Omit<NetworkPolicy["metadata"], "namespace">;
};

/**
 * NetworkPolicies that allow what the openings say and no more, in a stable order: for each namespace, direction and
 * selector one. Each has the one direction of its rules, so that the other stays as it is. Neither subjects nor peers
 * are pods in quarantine. Empty where no half is wanted.
 */
export function allowObjects({ openings, halves, metadata }: Allowing): readonly NetworkPolicy[] {
  const wanted = openings
    .flatMap(halvesOf)
    .filter(({ subject, direction }) => halves === "all" || halves(subject, direction));
  const bySubject = Map.groupBy(wanted, ({ subject: { namespace, selector }, direction }) =>
    canonicalJson([namespace, direction, selector]),
  );
  return [...bySubject.values()].map((group, index) => objectOf(group, metadata(index)));
}

type Half = {
  readonly subject: PodsEnd;
  readonly direction: Direction;
  readonly peer: End;
  readonly ports: Opening["ports"];
};

function halvesOf({ from, to, ports }: Opening): readonly Half[] {
  const egress = from.kind === "pods" ? [{ subject: from, direction: "egress", peer: to, ports } as const] : [];
  const ingress = to.kind === "pods" ? [{ subject: to, direction: "ingress", peer: from, ports } as const] : [];
  return [...egress, ...ingress];
}

function objectOf(halves: readonly Half[], metadata: ReturnType<Allowing["metadata"]>): NetworkPolicy {
  const [first] = halves;
  if (first === undefined) throw new TypeError("an object without rules would isolate its pods");
  const { subject, direction } = first;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { ...metadata, namespace: subject.namespace },
    spec: {
      podSelector: notInQuarantine(subject.selector),
      ...(direction === "egress"
        ? { policyTypes: ["Egress"], egress: rulesOf(halves, "to") }
        : { policyTypes: ["Ingress"], ingress: rulesOf(halves, "from") }),
    },
  };
}

/** Openings that say the same are one rule. */
function rulesOf<Side extends "from" | "to">(halves: readonly Half[], side: Side): readonly Rule<Side>[] {
  const rules = halves.map((half) => ruleOf(half, side));
  return [...new Map(rules.map((rule) => [canonicalJson(rule), rule])).values()];
}

type Rule<Side extends string> = {
  readonly [Key in Side]?: readonly NetworkPolicyPeer[];
} & { readonly ports?: readonly NetworkPolicyPort[] };

/** A member that is absent means all peers, or all ports: none is left out but for an end that is anything, or all ports. */
function ruleOf<Side extends "from" | "to">({ subject, peer, ports }: Half, side: Side): Rule<Side> {
  const peers = peer.kind === "anything" ? {} : { [side]: [peerOf(peer, subject.namespace)] };
  return { ...peers, ...(ports === undefined ? {} : { ports: portsOf(ports) }) } as Rule<Side>;
}

/** An empty list would be all ports: what says nothing opens nothing. */
function portsOf(ports: readonly NetworkPolicyPort[]): readonly NetworkPolicyPort[] {
  if (ports.length === 0) throw new TypeError("an opening without ports: undefined means all of them");
  // The protocol is always written out, as the server would.
  return ports.map((port) => ({ protocol: "TCP", ...port }));
}

function peerOf(peer: Exclude<End, { kind: "anything" }>, namespace: string): NetworkPolicyPeer {
  switch (peer.kind) {
    case "block":
      return { ipBlock: { cidr: peer.cidr, ...(peer.except.length === 0 ? {} : { except: peer.except }) } };
    case "peer":
      if (peer.peer.ipBlock !== undefined) return peer.peer;
      return { ...peer.peer, podSelector: notInQuarantine(peer.peer.podSelector ?? {}) };
    case "pods": {
      const podSelector = notInQuarantine(peer.selector);
      if (peer.namespace === namespace) return { podSelector };
      const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": peer.namespace } };
      return { podSelector, namespaceSelector };
    }
  }
}

/** Containment wins over every allow. */
function notInQuarantine(selector: LabelSelector): LabelSelector {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    matchExpressions: [...matchExpressions, { key: marks.quarantine, operator: "DoesNotExist" }],
  };
}
