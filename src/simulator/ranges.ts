import { type AddressRange, type Family, whole } from "./addresses.ts";
import type { PodAddress } from "./classes.ts";
import type { Simulator } from "./compile.ts";
import type { Layers } from "./layers.ts";
import type { Direction } from "./model.ts";
import { samePorts } from "./ports.ts";
import { type End, isOpen, joinSides, type Openness, open, type Side, sideOf } from "./sides.ts";

/** A range of addresses outside the cluster, all of which are treated the same. */
export type RangeOpenness = { readonly range: AddressRange; readonly openness: Openness };

/**
 * How the policies of one pod treat the addresses outside, in the fewest ranges, ascending; those to which nothing may be
 * open are left out. Egress: to the range; ingress: from it.
 */
export function rangesFor(
  simulator: Simulator,
  direction: Direction,
  subject: End,
  family: Family,
): readonly RangeOpenness[] {
  return allRangesFor(simulator, direction, subject, family).filter(({ openness }) => isOpen(openness));
}

/** The same for the whole family, without a gap. */
export function allRangesFor(
  simulator: Simulator,
  direction: Direction,
  subject: End,
  family: Family,
): readonly RangeOpenness[] {
  const side = sideOf(simulator, direction, subject);
  return merge(
    pieces(simulator, direction, subject, family).map((range) => ({
      range,
      openness: opennessTo(side, { family, value: range.first }),
    })),
  );
}

/** Outside are no policies, so the pod's own side alone decides. */
function opennessTo(side: Side, address: PodAddress): Openness {
  return joinSides(side({ peer: { kind: "external", addresses: [address] }, podClass: undefined }), open);
}

/** The pieces into which the subject's own rules cut the family. */
function pieces(
  { layersOf }: Simulator,
  direction: Direction,
  { podClass }: End,
  family: Family,
): readonly AddressRange[] {
  return piecesOf(podClass === undefined ? [] : layersOf(direction, podClass), family);
}

/** The pieces into which rules cut a family, ascending and without a gap: none of them tells two addresses of one apart. */
export function piecesOf(layers: Layers, family: Family): readonly AddressRange[] {
  const terms = layers
    .flatMap(({ groups }) => groups.flat(2))
    .flatMap(({ peers }) => (peers === "all" ? [] : peers.map(({ term }) => term)));
  const ranges = terms.flatMap(({ addresses, notAddresses }) => [
    ...(addresses?.[family] ?? []),
    ...(notAddresses?.[family] ?? []),
  ]);
  const { first, last } = whole(family);
  const cuts = new Set([first, ...ranges.flatMap((range) => [range.first, range.last + 1n])]);
  const starts = [...cuts].filter((cut) => cut <= last).toSorted((a, b) => (a < b ? -1 : 1));
  return starts.map((start, index) => ({ first: start, last: (starts[index + 1] ?? last + 1n) - 1n }));
}

function merge(all: readonly RangeOpenness[]): readonly RangeOpenness[] {
  const merged: RangeOpenness[] = [];
  for (const each of all) {
    const before = merged.at(-1);
    if (before !== undefined && sameOpenness(before.openness, each.openness))
      merged[merged.length - 1] = { ...before, range: { first: before.range.first, last: each.range.last } };
    else merged.push(each);
  }
  return merged;
}

function sameOpenness(a: Openness, b: Openness): boolean {
  return samePorts(a.allow, b.allow) && samePorts(a.undecided, b.undecided);
}
