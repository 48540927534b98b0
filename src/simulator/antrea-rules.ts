import { externalEntities, otherClusters, portTerm, type Surroundings, subjectOf, termsOf } from "./antrea-peers.ts";
import type { AntreaRule, Peer, ServiceName } from "./antrea-schema.ts";
import { backendsOf, serviceNamed } from "./antrea-services.ts";
import { bothOf, podsAcross, podsOf } from "./matcher.ts";
import type { Direction, Matcher, PeerTerm, Rule, RuleAction, SimulatedNamespace } from "./model.ts";

export type RuleSurroundings = Surroundings & {
  readonly direction: Direction;
  /** Those that have pods. */
  readonly namespaces: readonly SimulatedNamespace[];
  /** The label keys of all `sameLabels` of the policy. */
  readonly sameLabels: readonly string[];
};

/** A piece of a rule, which stands for it where its subject, peers and ports meet. */
type Piece = Pick<Rule, "peers" | "ports" | "maybe" | "subject">;

export const throughNodePort = "appliedTo: only for what comes in through the Service's NodePort";

const actions: Readonly<Record<AntreaRule["action"], RuleAction>> = {
  Allow: "allow",
  Drop: "deny",
  Reject: "deny",
  Pass: "pass",
};

/**
 * One rule of Antrea's, as rules in its place that together match what it matches: one for each namespace where it says
 * `namespaces`, one for each part that matches only perhaps.
 */
export function rulesOf(rule: AntreaRule, peers: readonly Peer[], name: string, around: RuleSurroundings): Rule[] {
  const { appliedTo = [], l7Protocols = [] } = rule;
  const subject = appliedTo.length === 0 ? undefined : subjectOf(appliedTo, around);
  const nodePort = appliedTo.some(({ service }) => service !== undefined) ? { maybe: throughNodePort } : {};
  return piecesOf(rule, peers, around).flatMap((piece) => {
    const own: Rule = { ...nodePort, ...piece, ...within(subject, piece.subject), action: actions[rule.action], name };
    return l7Protocols.length === 0 ? [own] : byContent(own);
  });
}

/** What the content does not meet is dropped, and no later rule is asked (Antrea's documentation, Layer 7 NetworkPolicy). */
function byContent(rule: Rule): Rule[] {
  const maybe = rule.maybe ?? "l7Protocols: the content of connections is not evaluated";
  return [
    { ...rule, maybe },
    { ...rule, action: "deny" },
  ];
}

function piecesOf(rule: AntreaRule, peers: readonly Peer[], around: RuleSurroundings): readonly Piece[] {
  const { toServices = [], ports = [], protocols = [] } = rule;
  if (toServices.length > 0) return toServices.flatMap((service) => servicePieces(service, around));
  const pieces = [...plainPieces(peers, around), ...namespacePieces(peers, around)];
  if (ports.length === 0) return protocols.length === 0 ? pieces : [];
  return pieces.flatMap((piece) => [
    ...withPorts(piece, ports.filter(({ sourcePort }) => sourcePort === undefined).map(portTerm), around),
    ...withPorts(
      { ...piece, maybe: piece.maybe ?? "sourcePort: the port that a connection comes from is not evaluated" },
      ports.filter(({ sourcePort }) => sourcePort !== undefined).map(portTerm),
      around,
    ),
  ]);
}

/** On egress a port's name is looked up only in the pods that are selected, not in those that an address hits (pod_reconciler.go). */
function withPorts(piece: Piece, ports: Exclude<Rule["ports"], "all">, { direction }: RuleSurroundings): Piece[] {
  if (ports.length === 0) return [];
  const numbers = ports.filter((port) => !("name" in port));
  if (piece.peers === "all" || direction === "ingress" || numbers.length === ports.length) return [{ ...piece, ports }];
  const selected = piece.peers.filter(({ pods }) => pods !== undefined);
  const others = piece.peers.filter(({ pods }) => pods === undefined);
  return [
    { ...piece, peers: selected, ports },
    { ...piece, peers: others, ports: numbers },
  ];
}

/** Absent or empty is every peer. */
function plainPieces(peers: readonly Peer[], around: RuleSurroundings): readonly Piece[] {
  const plain = peers.filter(({ namespaces }) => namespaces === undefined);
  const terms = plain.flatMap((peer) => termsOf(peer, around));
  return whereLabelled({ peers: peers.length === 0 ? "all" : terms, ports: "all" }, around);
}

/**
 * By the documentation, a policy with `sameLabels` does nothing at all in a namespace without those labels; by the
 * controller's code, its other rules still do. So there they match only perhaps.
 */
function whereLabelled(piece: Piece, { sameLabels }: RuleSurroundings): readonly Piece[] {
  if (sameLabels.length === 0) return [piece];
  const labelled = podsAcross({ matchExpressions: sameLabels.map((key) => ({ key, operator: "Exists" })) }, undefined);
  const maybe = "sameLabels: whether the policy counts in a namespace without the labels is not certain";
  return [
    { ...piece, subject: labelled },
    { ...piece, maybe },
  ];
}

function namespacePieces(peers: readonly Peer[], around: RuleSurroundings): readonly Piece[] {
  return peers.flatMap((peer) => {
    const { match, sameLabels = [] } = peer.namespaces ?? {};
    if (match === "Self")
      return around.namespaces.flatMap(({ name }) => {
        const pods = podsOf(name, peer.podSelector);
        const own = whereLabelled({ peers: relatedTerms(peer, pods), ports: "all" }, around);
        return own.map((piece) => ({ ...piece, ...within(podsOf(name, undefined), piece.subject) }));
      });
    return groupsByLabels(around.namespaces, sameLabels).map((matchLabels) => ({
      subject: podsAcross({ matchLabels }, undefined),
      peers: relatedTerms(peer, podsAcross({ matchLabels }, peer.podSelector)),
      ports: "all",
    }));
  });
}

function relatedTerms({ externalEntitySelector, scope }: Peer, pods: Matcher): readonly PeerTerm[] {
  if (externalEntitySelector !== undefined) return [externalEntities];
  return scope === "ClusterSet" ? [{ on: ["pod"], pods }, otherClusters] : [{ on: ["pod"], pods }];
}

/** The values that namespaces have for all of the keys together. */
function groupsByLabels(
  namespaces: readonly SimulatedNamespace[],
  keys: readonly string[],
): readonly Readonly<Record<string, string>>[] {
  const having = namespaces.filter(({ labels }) => keys.length > 0 && keys.every((key) => Object.hasOwn(labels, key)));
  const values = having.map(({ labels }) => keys.map((key) => [key, labels[key] ?? ""] as const));
  return [...new Map(values.map((pairs) => [JSON.stringify(pairs), Object.fromEntries(pairs)])).values()];
}

/** It matches what goes through the Service's ClusterIP, and not what goes to its pods directly (the documentation, toServices). */
function servicePieces({ name, namespace, scope }: ServiceName, around: RuleSurroundings): readonly Piece[] {
  if (scope === "ClusterSet")
    return [{ peers: "all", ports: "all", maybe: "toServices: Services of other clusters are not evaluated" }];
  const service = serviceNamed(around.services, namespace ?? around.namespace ?? "", name);
  if (service === undefined) return [];
  const maybe = `toServices: only for what goes through the address of Service ${service.namespace}/${service.name}`;
  if (Object.keys(service.selector).length === 0) return [{ peers: "all", ports: "all", maybe }];
  const ports = service.ports.map(({ protocol, targetPort }) =>
    typeof targetPort === "string" ? { protocol, name: targetPort } : { protocol, from: targetPort, to: targetPort },
  );
  return [{ peers: [{ on: ["pod"], pods: backendsOf(service) }], ports, maybe }];
}

function within(a: Matcher | undefined, b: Matcher | undefined): { readonly subject?: Matcher } {
  if (a === undefined || b === undefined) {
    const subject = a ?? b;
    return subject === undefined ? {} : { subject };
  }
  return { subject: bothOf(a, b) };
}
