import type { BoundRule } from "./bound.ts";
import { decide, type Endpoint, type Reason } from "./decide.ts";
import type { Layers } from "./layers.ts";
import type { Leak, Subject } from "./leaks.ts";
import { type Encounter, familiesOf, matchPeers, matchPorts, readingOf } from "./match.ts";
import type { ContainerPort, Direction, PolicyReference } from "./model.ts";
import { type Cause, outcomeOf } from "./outcome.ts";
import { firstPort, intersectPorts, type PortSet } from "./ports.ts";
import type { End } from "./sides.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** Connections between some of the subject's pods and another end, of which more is open than was to be. */
export type Excess = {
  readonly subject: Subject;
  readonly pods: readonly SimulatedPod[];
  readonly direction: Direction;
  readonly other: End;
  /** The other end, or one of those that it stands for. */
  readonly endpoint: Endpoint;
  /** The ports, surely or perhaps open. */
  readonly sure: PortSet;
  readonly perhaps: PortSet;
};

/** By which rules of the subject's own side they are open: a leak each, without its end. `open`: with what was to stay so. */
export function explained(excess: Excess, sure: boolean, open: PortSet): readonly Omit<Leak, "end">[] {
  const ports = sure ? excess.sure : excess.perhaps;
  if (ports.length === 0) return [];
  const { subject, pods, direction, other } = excess;
  const encounter = encounterOf(subject, direction, other.peer, other.podClass?.ports ?? []);
  const { opening, maybe: elsewhere } = openingCauses(subject, direction, encounter, ports);
  const certain = opening.filter((each) => each.maybe === undefined);
  const why = sure ? undefined : (elsewhere ?? reasonElsewhere(excess, ports));
  return (sure && certain.length > 0 ? certain : opening).map(({ maybe, speaks, ...opened }) => ({
    subjects: pods,
    direction,
    ...opened,
    lets: intersectPorts(open, speaks),
    sure,
    maybe: sure ? undefined : (maybe ?? why),
  }));
}

/** `declared`: the other end's own ports, where it is the destination. */
export function encounterOf(
  { actual, end: { podClass } }: Subject,
  direction: Direction,
  peer: Encounter["peer"],
  declared: readonly ContainerPort[],
): Encounter {
  return {
    peer,
    ports: direction === "egress" ? declared : (podClass?.ports ?? []),
    families: familiesOf(podClass?.addresses ?? []),
    ...readingOf(actual),
  };
}

/** What lets some of the ports through. Policy undefined: the default, since no policy speaks of them. */
export type Opening = Pick<Leak, "policy" | "rule" | "ports" | "maybe"> & {
  /** All ports that it speaks of. */
  readonly speaks: PortSet;
};

/** `maybe`: the first policy for which any of it is a perhaps, and why. */
export function openingCauses(
  { actual, end: { podClass } }: Subject,
  direction: Direction,
  encounter: Encounter,
  ports: PortSet,
): { readonly opening: readonly Opening[]; readonly maybe: string | undefined } {
  const opening: Opening[] = [];
  let maybe: string | undefined;
  const layers = podClass === undefined ? [] : actual.layersOf(direction, podClass);
  const told = new Set<BoundRule>();
  outcomeOf(layers, encounter, ports, (cause, came) => {
    maybe ??= perhapsBy(cause);
    // Whoever was told as the like of another has told of all its like.
    const isTold = cause.kind === "rule" && told.has(cause.bound);
    for (const each of isTold ? [] : [cause, ...alike(cause, layers, encounter)]) {
      if (each.kind === "rule" && told.has(each.bound)) continue;
      if (each.kind === "rule") told.add(each.bound);
      opening.push(...openingOf(each, came, encounter, ports));
    }
  });
  return { opening, maybe };
}

/**
 * Rules of the same rank that let in the same: the first of them takes the ports, and each would without it. A stage of
 * NetworkPolicies is such a rank.
 */
function alike(cause: Cause, layers: Layers, encounter: Encounter): readonly Cause[] {
  if (cause.kind !== "rule" || cause.bound.rule.action !== "allow") return [];
  const lanes = layers.flatMap(({ groups }) => groups).filter((group) => group.length === 1);
  const lane = lanes.flat().find((rules) => rules.includes(cause.bound)) ?? [];
  if (lane.some(({ rule }) => rule.action !== "allow")) return [];
  return lane.flatMap((bound) => {
    const match = bound === cause.bound ? false : matchPeers(bound, encounter);
    if (match === false || matchPorts(bound, encounter).length === 0) return [];
    return [{ kind: "rule", bound, maybe: match === true ? undefined : match.maybe }];
  });
}

/** A rule is heard of once, though it may stand in several orders: so all that it says of the ports is taken. */
function openingOf(cause: Cause, came: PortSet, encounter: Encounter, ports: PortSet): readonly Opening[] {
  if (cause.kind === "end")
    return [{ policy: undefined, rule: undefined, ports: came, speaks: came, maybe: undefined }];
  if (cause.kind === "isolated" || cause.bound.rule.action !== "allow") return [];
  const { policy, rule } = cause.bound;
  const speaks = matchPorts(cause.bound, encounter);
  const opened = intersectPorts(ports, speaks);
  if (opened.length === 0) return [];
  return [{ policy: policy.reference, rule: rule.name, ports: opened, speaks, maybe: cause.maybe }];
}

function perhapsBy(cause: Cause): string | undefined {
  if (cause.kind === "end" || cause.maybe === undefined) return undefined;
  const by = cause.kind === "rule" ? cause.bound.policy : cause.policies[0];
  return because(by?.reference, cause.maybe);
}

function because(policy: PolicyReference | undefined, why: string): string {
  if (policy === undefined) return why;
  const { kind, namespace, name } = policy;
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}: ${why}`;
}

/** Why something is undecided that no rule makes a perhaps. */
export const tie = "policies of the same priority say different things of it, and which of them counts is not defined";

/** Why one of the ports is undecided, where the subject's own side names no reason. */
function reasonElsewhere({ subject: { actual }, pods, direction, endpoint }: Excess, ports: PortSet): string {
  const [pod] = pods;
  const port = firstPort(ports);
  if (pod === undefined || port === undefined) return tie;
  const own: Endpoint = { kind: "pod", pod };
  const [from, to] = direction === "egress" ? [own, endpoint] : [endpoint, own];
  const { egress, ingress } = decide(actual, { from, to, ...port });
  return [...egress.because, ...ingress.because].map(maybeOf).find((maybe) => maybe !== undefined) ?? tie;
}

function maybeOf(reason: Reason): string | undefined {
  if ((reason.kind !== "rule" && reason.kind !== "isolated") || reason.maybe === undefined) return undefined;
  return because(reason.kind === "rule" ? reason.policy : reason.policies[0], reason.maybe);
}
