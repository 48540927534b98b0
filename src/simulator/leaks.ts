import { families, formatAddress, formatRange } from "./addresses.ts";
import { change } from "./change.ts";
import type { Simulator } from "./compile.ts";
import type { Endpoint } from "./decide.ts";
import { type Excess, explained } from "./leak-causes.ts";
import type { Direction, PodIdentity, PolicyReference, WireObject } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import { isOwnNodeTraffic } from "./own-node.ts";
import { allPorts, noPorts, type PortSet, subtractPorts, unitePorts } from "./ports.ts";
import { piecesOf } from "./ranges.ts";
import { endsOf } from "./reach.ts";
import { type End, endOfPod, joinSides, type Openness, open, type Side, sideOf, viewOf } from "./sides.ts";
import type { SimulatedPod } from "./snapshot.ts";
import { absentLeaks } from "./strangers.ts";

/** Who is at the other end of a leak. */
export type LeakEnd =
  /** Pods that are all the same to policies. */
  | { readonly kind: "pods"; readonly pods: readonly SimulatedPod[] }
  /** Pods of the host network, which have their node's addresses. */
  | { readonly kind: "nodes"; readonly pods: readonly SimulatedPod[] }
  /** Addresses outside the cluster (`10.0.0.0-10.255.255.255`). */
  | { readonly kind: "range"; readonly range: string }
  /** A rule lets pods in that are like this one (undefined: of which no more is known), and none of them can connect now. */
  | { readonly kind: "absent pods"; readonly like: PodIdentity | undefined }
  /** The same of nodes. */
  | { readonly kind: "absent nodes" };

/** Connections that are open and were to be closed, all of them by the same rule. */
export type Leak = {
  readonly subjects: readonly SimulatedPod[];
  /** As the subjects see it: `ingress` is opened by the other end. */
  readonly direction: Direction;
  readonly end: LeakEnd;
  /** At least one. */
  readonly ports: PortSet;
  /** The same, and what was to stay open: all that the rule opens to this end. */
  readonly lets: PortSet;
  /** What lets it through on the subjects' own side; undefined: no policy speaks of it there. */
  readonly policy: PolicyReference | undefined;
  readonly rule: string | undefined;
  /** Surely open; else perhaps, and `maybe` says why. */
  readonly sure: boolean;
  readonly maybe: string | undefined;
};

/**
 * What the subjects can connect to, and be connected from, beyond what our own NetworkPolicy allows: `actual` is the
 * cluster with `ours` in force, of which one is that NetworkPolicy; all others among them only deny. Traffic with the
 * subjects' own nodes, which no policy stops, is not told. A pod that our NetworkPolicy does not select was to be closed
 * altogether. Rules that let in pods that are not there now are told too, where nothing else told of them.
 */
export function leaks(
  actual: Simulator,
  subjects: readonly SimulatedPod[],
  ours: readonly WireObject[],
): readonly Leak[] {
  const ideal = idealOf(actual, ours);
  const ends = bothEndsOf(actual, ideal);
  const groups = Map.groupBy(subjects, (pod) => (pod.hostNetwork ? pod : classesOf(actual, ideal, pod)));
  const all = [...groups.values()].flatMap((pods) => subjectOf(actual, ideal, pods));
  const found = all.flatMap((subject) => [...inside(subject, ends), ...outside(subject)]);
  return [...found, ...absentLeaks(all, ours, found)];
}

/** Pods that are the same to all policies, in both simulators. */
export type Subject = {
  readonly actual: Simulator;
  readonly ideal: Simulator;
  readonly pods: readonly SimulatedPod[];
  readonly end: End;
  readonly endInIdeal: End;
  /** What our NetworkPolicy says of another end. */
  readonly allowed: Readonly<Record<Direction, Side>>;
};

/** The same engine, of whose policies there may be none any more, and of all policies only our NetworkPolicy. */
function idealOf(actual: Simulator, ours: readonly WireObject[]): Simulator {
  const allow = ours.find(({ apiVersion, kind }) => apiVersion === "networking.k8s.io/v1" && kind === "NetworkPolicy");
  const settings = { ...actual.settings, engine: actual.engine };
  const removed = actual.snapshot.policies.filter((object) => object !== allow);
  const added = allow === undefined || actual.snapshot.policies.includes(allow) ? [] : [allow];
  return change({ ...actual, settings }, { removed, added });
}

function classesOf(actual: Simulator, ideal: Simulator, pod: SimulatedPod): string {
  return `${actual.classOf.get(pod)?.index} ${ideal.classOf.get(pod)?.index}`;
}

type BothEnds = { readonly actual: End; readonly ideal: End; readonly pods: readonly SimulatedPod[] };

function bothEndsOf(actual: Simulator, ideal: Simulator): readonly BothEnds[] {
  return endsOf(actual).flatMap(({ end, pods }) =>
    [...Map.groupBy(pods, (pod) => ideal.classOf.get(pod)).values()].flatMap((alike) =>
      alike.slice(0, 1).map((first) => ({ actual: end, ideal: endOfPod(ideal, first), pods: alike })),
    ),
  );
}

function subjectOf(actual: Simulator, ideal: Simulator, pods: readonly SimulatedPod[]): readonly Subject[] {
  return pods.slice(0, 1).map((first) => {
    const [end, endInIdeal] = [endOfPod(actual, first), endOfPod(ideal, first)];
    const allowed = {
      ingress: allowedBy(ideal, "ingress", endInIdeal),
      egress: allowedBy(ideal, "egress", endInIdeal),
    };
    return { actual, ideal, pods, end, endInIdeal, allowed };
  });
}

const nothing: Outcome = { allow: noPorts, deny: allPorts };

/** Where no policy selects the pod, nothing was to stay open. */
function allowedBy(ideal: Simulator, direction: Direction, end: End): Side {
  const { podClass } = end;
  if (podClass === undefined || ideal.layersOf(direction, podClass).length === 0) return () => nothing;
  return sideOf(ideal, direction, end);
}

const directions: readonly Direction[] = ["ingress", "egress"];

function inside(subject: Subject, ends: readonly BothEnds[]): readonly Leak[] {
  const view = viewOf(subject.actual, subject.end);
  return ends.flatMap((each) => {
    const others = othersOf(subject, each);
    const [first] = others;
    if (first === undefined) return [];
    return meetings(subject, each, first).flatMap(({ pods, direction, actual, ideal }) => {
      const openness = direction === "egress" ? view.to(actual) : view.from(actual);
      const [sure, perhaps] = beyond(openness, subject.allowed[direction](ideal));
      if (sure.length + perhaps.length === 0) return [];
      const endpoint: Endpoint = { kind: "pod", pod: first };
      const kind = first.hostNetwork ? "nodes" : "pods";
      return leaksOf(
        { subject, pods, direction, other: actual, endpoint, sure, perhaps },
        { kind, pods: others },
        openness,
      );
    });
  });
}

type Meeting = Omit<BothEnds, "pods"> & { readonly pods: readonly SimulatedPod[]; readonly direction: Direction };

/** The subject's pods to which the other end is the same, both ways; not where no policy can stop it. */
function meetings(subject: Subject, { actual, ideal }: BothEnds, other: SimulatedPod): readonly Meeting[] {
  const both = (pods: readonly SimulatedPod[], own?: boolean) =>
    directions.map((direction) => ({ pods, direction, actual: withOwn(actual, own), ideal: withOwn(ideal, own) }));
  if (!other.hostNetwork) return both(subject.pods);
  const parts = [...Map.groupBy(subject.pods, (pod) => isOwnNode(pod, other))].flatMap(([own, pods]) =>
    both(pods, own),
  );
  return parts.filter(({ pods: [pod], direction }) => {
    const [from, to] = direction === "egress" ? [pod, other] : [other, pod];
    return from !== undefined && to !== undefined && !isOwnNodeTraffic(subject.actual.engine, from, to);
  });
}

/** Undefined: not known. */
function isOwnNode({ node }: SimulatedPod, other: SimulatedPod): boolean | undefined {
  return node === undefined || other.node === undefined ? undefined : node === other.node;
}

function withOwn({ peer, podClass }: End, own: boolean | undefined): End {
  return { peer: peer.kind === "node" ? { ...peer, own } : peer, podClass };
}

/** A pod alone has no other of its class to talk to. */
function othersOf({ pods, end }: Subject, other: BothEnds): readonly SimulatedPod[] {
  const [only, ...more] = pods;
  return other.actual.podClass !== end.podClass || more.length > 0
    ? other.pods
    : other.pods.filter((pod) => pod !== only);
}

/** Surely open, and open perhaps, beyond what was to stay open. */
function beyond({ allow, undecided }: Openness, allowed: Outcome): readonly [sure: PortSet, perhaps: PortSet] {
  return [subtractPorts(allow, subtractPorts(allowed.allow, allowed.deny)), subtractPorts(undecided, allowed.allow)];
}

function outside(subject: Subject): readonly Leak[] {
  const { actual, ideal, end, endInIdeal, pods } = subject;
  return directions.flatMap((direction) => {
    const side = sideOf(actual, direction, end);
    const layers = [layersOf(actual, direction, end), layersOf(ideal, direction, endInIdeal)].flat();
    return families.flatMap((family) =>
      piecesOf(layers, family).flatMap((range) => {
        const address = { family, value: range.first };
        const other: End = { peer: { kind: "external", addresses: [address] }, podClass: undefined };
        const openness = joinSides(side(other), open);
        const [sure, perhaps] = beyond(openness, subject.allowed[direction](other));
        if (sure.length + perhaps.length === 0) return [];
        const endpoint: Endpoint = { kind: "external", address: formatAddress(family, range.first) };
        const excess = { subject, pods, direction, other, endpoint, sure, perhaps };
        return leaksOf(excess, { kind: "range", range: formatRange(family, range) }, openness);
      }),
    );
  });
}

function layersOf(simulator: Simulator, direction: Direction, { podClass }: End) {
  return podClass === undefined ? [] : simulator.layersOf(direction, podClass);
}

function leaksOf(excess: Excess, end: LeakEnd, { allow, undecided }: Openness): readonly Leak[] {
  const perhaps = unitePorts(undecided, subtractPorts(allow, excess.sure));
  return [...explained(excess, true, allow), ...explained(excess, false, perhaps)].map((cause) => ({ ...cause, end }));
}
