import { type AddressRange, families, formatRange } from "./addresses.ts";
import type { PodClass } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import type { Direction } from "./model.ts";
import { isOwnNodeTraffic } from "./own-node.ts";
import { allPorts, noPorts, type PortSet, subtractPorts, unitePorts } from "./ports.ts";
import { allRangesFor, type RangeOpenness } from "./ranges.ts";
import { endsOf, type ReachedEnd } from "./reach.ts";
import { type End, endOfPod, type Openness, viewOf } from "./sides.ts";
import type { SimulatedPod } from "./snapshot.ts";

/** What a change does to the connections from one end to another: at least one of the three has ports. */
export type DeltaRow = {
  readonly from: ReachedEnd;
  readonly to: ReachedEnd;
  /** Surely allowed now, and was not. */
  readonly opened: PortSet;
  /** Surely denied now, and was not. */
  readonly closed: PortSet;
  /** Undecided now, and was not. */
  readonly unsure: PortSet;
};

/**
 * All that changes between a simulator and what `change` made of it. Pods are those of after; for one whose labels change
 * `moved` gives its form before by its form after. Pods that came or went are not compared.
 */
export function delta(
  before: Simulator,
  after: Simulator,
  moved: ReadonlyMap<SimulatedPod, SimulatedPod>,
): readonly DeltaRow[] {
  const ends = bothEnds(before, after, moved);
  const concerned = new Set(ends.filter((end) => isConcerned(end, before, after)));
  return [...concerned].flatMap((end) => [
    ...inside(
      { before, after, end },
      ends.filter((other) => isPair(end, other)),
      concerned,
    ),
    ...outside(before, after, end),
  ]);
}

/** One end in both simulators; pods that are alike in both. */
type BothEnds = { readonly before: End; readonly after: End; readonly pods: readonly SimulatedPod[] };

function bothEnds(
  before: Simulator,
  after: Simulator,
  moved: ReadonlyMap<SimulatedPod, SimulatedPod>,
): readonly BothEnds[] {
  return endsOf(after).flatMap(({ end, pods }) => {
    const byBefore = Map.groupBy(pods, (pod) => before.classOf.get(moved.get(pod) ?? pod));
    return [...byBefore.values()].flatMap((alike) => {
      const [first] = alike;
      const was = first && (moved.get(first) ?? first);
      const isKnown = was !== undefined && (was.hostNetwork || before.classOf.has(was));
      return isKnown ? [{ before: endOfPod(before, was), after: end, pods: alike }] : [];
    });
  });
}

/** Whether anything can have changed for it by its own policies, or by what others' policies see in it. */
function isConcerned({ before: was, after: is }: BothEnds, before: Simulator, after: Simulator): boolean {
  if (was.podClass === undefined || is.podClass === undefined) return false;
  if (was.podClass !== is.podClass) return true;
  const directions: readonly Direction[] = ["ingress", "egress"];
  const podClass: PodClass = is.podClass;
  return directions.some((direction) => before.layersOf(direction, podClass) !== after.layersOf(direction, podClass));
}

/** A pod alone has no other of its class to talk to. */
function isPair(end: BothEnds, other: BothEnds): boolean {
  return end !== other || end.pods.length > 1;
}

/** To all others; from another only where it is not concerned itself, since its own rows to this one say it. */
function inside(
  { before, after, end }: { before: Simulator; after: Simulator; end: BothEnds },
  others: readonly BothEnds[],
  concerned: ReadonlySet<BothEnds>,
): readonly DeltaRow[] {
  const [was, is] = [viewOf(before, end.before), viewOf(after, end.after)];
  return others.flatMap((other) => {
    const them = podsOf(other);
    const sending = partsOf(end, other, (pod, host) => ownNode(pod, host));
    const receiving = concerned.has(other) ? [] : partsOf(end, other, (pod, host) => ownNode(host, pod));
    return [
      ...sending.flatMap(({ pods, always }) =>
        rowOf(pods, them, always.was ? anything : was.to(other.before), always.is ? anything : is.to(other.after)),
      ),
      ...receiving.flatMap(({ pods, always }) =>
        rowOf(them, pods, always.was ? anything : was.from(other.before), always.is ? anything : is.from(other.after)),
      ),
    ];
  });

  /** The engine may change with the policies that tell it. */
  function ownNode(from: SimulatedPod, to: SimulatedPod): Always {
    return { was: isOwnNodeTraffic(before.engine, from, to), is: isOwnNodeTraffic(after.engine, from, to) };
  }
}

/** Whether nothing was ever denied, and whether nothing is. */
type Always = { readonly was: boolean; readonly is: boolean };

const anything: Openness = { allow: allPorts, undecided: noPorts };

/** The end's pods, apart where what they exchange with a host is their own node's. */
function partsOf(
  { pods }: BothEnds,
  { after: { podClass }, pods: [host] }: BothEnds,
  alwaysOf: (pod: SimulatedPod, host: SimulatedPod) => Always,
): readonly { readonly pods: Pods; readonly always: Always }[] {
  if (podClass !== undefined || host === undefined)
    return [{ pods: { kind: "pods", pods }, always: { was: false, is: false } }];
  const parts = Map.groupBy(pods, (pod) => JSON.stringify(alwaysOf(pod, host)));
  return [...parts.values()].flatMap((some) =>
    some.slice(0, 1).map((first) => ({ pods: { kind: "pods", pods: some }, always: alwaysOf(first, host) })),
  );
}

function rowOf(from: ReachedEnd, to: ReachedEnd, was: Openness, is: Openness): readonly DeltaRow[] {
  if ([from, to].some((end) => end.kind === "pods" && end.pods.length === 0)) return [];
  const opened = subtractPorts(is.allow, was.allow);
  const closed = subtractPorts(may(was), may(is));
  const unsure = subtractPorts(is.undecided, was.undecided);
  return [opened, closed, unsure].every(({ length }) => length === 0) ? [] : [{ from, to, opened, closed, unsure }];
}

function may({ allow, undecided }: Openness): PortSet {
  return undecided === noPorts ? allow : unitePorts(allow, undecided);
}

type Pods = Extract<ReachedEnd, { kind: "pods" }>;

function podsOf({ pods }: BothEnds): Pods {
  return { kind: "pods", pods };
}

function outside(before: Simulator, after: Simulator, end: BothEnds): readonly DeltaRow[] {
  const directions: readonly Direction[] = ["egress", "ingress"];
  return directions.flatMap((direction) =>
    families.flatMap((family) => {
      const was = allRangesFor(before, direction, end.before, family);
      const is = allRangesFor(after, direction, end.after, family);
      return refine(was, is).flatMap(({ range, openness }) => {
        const other: ReachedEnd = { kind: "range", range: formatRange(family, range) };
        const [from, to] = direction === "egress" ? [podsOf(end), other] : [other, podsOf(end)];
        return rowOf(from, to, openness.was, openness.is);
      });
    }),
  );
}

type Refined = { readonly range: AddressRange; readonly openness: { readonly was: Openness; readonly is: Openness } };

/** Both cover the whole family: the pieces in which neither changes. */
function refine(was: readonly RangeOpenness[], is: readonly RangeOpenness[]): readonly Refined[] {
  return was.flatMap((old) =>
    is
      .filter(({ range }) => range.first <= old.range.last && old.range.first <= range.last)
      .map(({ range, openness }) => ({
        range: {
          first: range.first > old.range.first ? range.first : old.range.first,
          last: range.last < old.range.last ? range.last : old.range.last,
        },
        openness: { was: old.openness, is: openness },
      })),
  );
}
