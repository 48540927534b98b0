import { parseAddress } from "./addresses.ts";
import { type PodClass, parseAddresses } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import type { Layers } from "./layers.ts";
import { type Encounter, familiesOf, type Peer, readingOf } from "./match.ts";
import type { Direction, PolicyReference, Protocol } from "./model.ts";
import { type Cause, outcomeOf } from "./outcome.ts";
import { deniesToOwnNode } from "./own-node.ts";
import { portRange } from "./ports.ts";
import { endOfPod } from "./sides.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** One end of a connection. */
export type Endpoint =
  | { readonly kind: "pod"; readonly pod: SimulatedPod }
  | { readonly kind: "external"; readonly address: string }
  | { readonly kind: "node"; readonly name: string | undefined; readonly addresses: readonly string[] };

/** A new connection; replies are implied. `port` is the destination's own (a Service's is resolved before). */
export type Traffic = {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly protocol: Protocol;
  readonly port: number;
};

export type Verdict = "allowed" | "denied" | "undecided";

export type Reason =
  /** `maybe`: why it matches only perhaps. */
  | {
      readonly kind: "rule";
      readonly policy: PolicyReference;
      readonly rule: string;
      readonly action: "allow" | "deny" | "pass";
      readonly maybe: string | undefined;
    }
  /** These select the pod, and no rule allows the traffic. */
  | { readonly kind: "isolated"; readonly policies: readonly PolicyReference[]; readonly maybe: string | undefined }
  /** No policy speaks of it in this direction: allowed by default. */
  | { readonly kind: "no-policy" }
  /** A node or an address outside: policies act on pods, and nothing was asked. */
  | { readonly kind: "not-a-pod" }
  | { readonly kind: "itself" }
  /** "Traffic to and from the node where a Pod is running is always allowed" (Kubernetes' documentation of NetworkPolicy). */
  | { readonly kind: "own-node" };

export type NotEvaluated = { readonly policy: PolicyReference; readonly what: string };

export type DirectionAnswer = {
  readonly verdict: Verdict;
  /** What decided; where undecided, all that might. Rules that passed the traffic on come before. */
  readonly because: readonly Reason[];
  /** What policies that select the pod use beyond what is evaluated. */
  readonly notEvaluated: readonly NotEvaluated[];
};

export type Answer = {
  readonly verdict: Verdict;
  readonly egress: DirectionAnswer;
  readonly ingress: DirectionAnswer;
};

/** Whether the source's egress and the destination's ingress both let the connection be made, and why. */
export function decide(simulator: Simulator, traffic: Traffic): Answer {
  const { from, to } = traffic;
  if (from.kind === "pod" && to.kind === "pod" && from.pod === to.pod) {
    const answer = always("itself");
    return { verdict: "allowed", egress: answer, ingress: answer };
  }
  const egress = decideDirection(simulator, "egress", traffic);
  const ingress = decideDirection(simulator, "ingress", traffic);
  return { verdict: both(egress.verdict, ingress.verdict), egress, ingress };
}

/** A connection needs both: one certain no is a no. */
function both(egress: Verdict, ingress: Verdict): Verdict {
  if (egress === "denied" || ingress === "denied") return "denied";
  return egress === "allowed" && ingress === "allowed" ? "allowed" : "undecided";
}

function always(kind: "itself" | "own-node" | "not-a-pod"): DirectionAnswer {
  return { verdict: "allowed", because: [{ kind }], notEvaluated: [] };
}

function isOwnNode(traffic: Traffic): boolean {
  return (isNode(traffic.from) || isNode(traffic.to)) && isSameNode(traffic) === true;
}

/** Undefined: not known. */
function isSameNode({ from, to }: Traffic): boolean | undefined {
  const [a, b] = [nodeOf(from), nodeOf(to)];
  return a === undefined || b === undefined ? undefined : a === b;
}

/** A pod of the host network has the node's addresses, and its traffic is the node's. */
function isNode(endpoint: Endpoint): boolean {
  return endpoint.kind === "node" || (endpoint.kind === "pod" && endpoint.pod.hostNetwork);
}

function nodeOf(endpoint: Endpoint): string | undefined {
  if (endpoint.kind === "external") return undefined;
  return endpoint.kind === "node" ? endpoint.name : endpoint.pod.node;
}

function decideDirection(simulator: Simulator, direction: Direction, traffic: Traffic): DirectionAnswer {
  const [subject, other] = direction === "egress" ? [traffic.from, traffic.to] : [traffic.to, traffic.from];
  const subjectClass = classOfEndpoint(simulator, subject);
  if (subjectClass === undefined) return always("not-a-pod");
  if (isOwnNode(traffic) && (direction === "ingress" || !deniesToOwnNode(simulator.engine))) return always("own-node");
  const layers = simulator.layersOf(direction, subjectClass);
  const because: Reason[] = [];
  const encounter = encounterOf(simulator, subjectClass, other, traffic);
  const asked = portRange(traffic.protocol, traffic.port, traffic.port);
  const { allow, deny } = outcomeOf(layers, encounter, asked, (cause) => because.push(reasonOf(cause)));
  const verdict = allow.length > 0 && deny.length > 0 ? "undecided" : allow.length > 0 ? "allowed" : "denied";
  return { verdict, because, notEvaluated: notEvaluatedBy(layers, because) };
}

function classOfEndpoint(simulator: Simulator, endpoint: Endpoint): PodClass | undefined {
  if (endpoint.kind !== "pod" || endpoint.pod.hostNetwork) return undefined;
  const known = simulator.classOf.get(endpoint.pod);
  if (known === undefined) throw new Error(`pod ${endpoint.pod.namespace}/${endpoint.pod.name} is not in the snapshot`);
  return known;
}

/** What the subject's rules are held against. Named ports are those of the destination. */
function encounterOf(simulator: Simulator, subject: PodClass, other: Endpoint, traffic: Traffic): Encounter {
  const { to } = traffic;
  const peer = peerOf(simulator, other);
  return {
    peer: peer.kind === "node" ? { ...peer, own: isSameNode(traffic) } : peer,
    ports: to.kind === "pod" && !to.pod.hostNetwork ? to.pod.ports : [],
    families: familiesOf(subject.addresses),
    ...readingOf(simulator),
  };
}

function peerOf(simulator: Simulator, endpoint: Endpoint): Peer {
  if (endpoint.kind === "pod") return endOfPod(simulator, endpoint.pod).peer;
  if (endpoint.kind === "node") return { kind: "node", addresses: parseAddresses(endpoint.addresses) };
  const address = parseAddress(endpoint.address);
  if (address === undefined) throw new Error(`${JSON.stringify(endpoint.address)} is no IP address`);
  return { kind: "external", addresses: [address] };
}

function reasonOf(cause: Cause): Reason {
  switch (cause.kind) {
    case "rule": {
      const { policy, rule } = cause.bound;
      return { kind: "rule", policy: policy.reference, rule: rule.name, action: rule.action, maybe: cause.maybe };
    }
    case "isolated": {
      const policies = cause.policies.map(({ reference }) => reference);
      return { kind: "isolated", policies, maybe: cause.maybe };
    }
    case "end":
      return { kind: "no-policy" };
  }
}

function notEvaluatedBy(layers: Layers, because: readonly Reason[]): readonly NotEvaluated[] {
  const noted = layers
    .flatMap(({ policies }) => policies)
    .flatMap(({ reference, notEvaluated }) => notEvaluated.map((what) => ({ policy: reference, what })));
  const perhaps = because.flatMap((reason) =>
    reason.kind === "rule" && reason.maybe !== undefined
      ? [{ policy: reason.policy, what: `${reason.rule}: ${reason.maybe}` }]
      : [],
  );
  return [...perhaps, ...noted];
}
