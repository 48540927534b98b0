import {
  type AddressRange,
  addressesOf,
  type Family,
  families,
  formatAddress,
  formatRange,
  parseAddress,
  subtractAddresses,
  whole,
} from "../simulator/addresses.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Leak, LeakEnd } from "../simulator/leaks.ts";
import type { PodIdentity } from "../simulator/model.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { compare } from "./connection-rows.ts";
import { oneLine } from "./markdown.ts";
import { nameUnlessUnseen } from "./unseen.ts";

/** The other ends of leaks, as few as will do: addresses outside, then pods by their workloads, then nodes. */
export function endsInWords(leaks: readonly Leak[], actual: Simulator): readonly string[] {
  const ends = leaks.map(({ end }) => end);
  const ranges = ends.flatMap((end) => (end.kind === "range" ? [end.range] : []));
  const subjects = new Set(leaks.flatMap(({ subjects: pods }) => pods));
  const pods = [...new Set(ends.flatMap((end) => (end.kind === "pods" ? end.pods : [])))];
  const words = [
    ...rangesInWords(ranges),
    ...podsInWords(
      pods,
      actual.snapshot.pods.filter((pod) => !subjects.has(pod)),
    ),
    ...(ends.some(({ kind }) => kind === "nodes") ? ["nodes"] : []),
    ...absentInWords(ends),
  ];
  return words.map(oneLine);
}

/** All of them or all of a namespace in one word, where they are many. */
function podsInWords(pods: readonly SimulatedPod[], others: readonly SimulatedPod[]): readonly string[] {
  const known = others.filter(({ hostNetwork }) => !hostNetwork);
  const told = new Set(pods);
  const isAll = (some: readonly SimulatedPod[]): boolean => some.every((pod) => told.has(pod));
  const workloads = (some: readonly SimulatedPod[]) => [...new Set(some.map(workloadOf))].toSorted(compare);
  if (workloads(pods).length > 3 && isAll(known)) return ["every pod"];
  return [...Map.groupBy(pods, ({ workload }) => workload.namespace)]
    .toSorted(([a], [b]) => compare(a, b))
    .flatMap(([namespace, some]) => {
      const names = workloads(some);
      const here = known.filter((pod) => pod.workload.namespace === namespace);
      return names.length > 3 && isAll(here) ? [`every pod of ${namespace}`] : names;
    });
}

function workloadOf({ workload }: SimulatedPod): string {
  return nameUnlessUnseen(workload);
}

function absentInWords(ends: readonly LeakEnd[]): readonly string[] {
  const pods = ends.flatMap((end) => (end.kind === "absent pods" ? [likeInWords(end.like)] : []));
  const nodes = ends.some(({ kind }) => kind === "absent nodes");
  return [...new Set(pods), ...(nodes ? ["nodes (none can now)"] : [])];
}

function likeInWords(like: PodIdentity | undefined): string {
  if (like === undefined) return "pods that its rules describe (none can now)";
  const labels = Object.entries(like.labels).map(([key, value]) => `${key}=${value}`);
  const which = labels.length === 0 ? "pods" : `pods like ${labels.join(",")}`;
  return `${which} in ${like.namespace.name} (none can now)`;
}

/** Ranges of addresses: `anywhere outside the cluster`, `10.0.0.0/8`, or what is left out where that is less. */
export function rangesInWords(ranges: readonly string[]): readonly string[] {
  if (ranges.length === 0) return [];
  const sets = families.map((family) => {
    const set = addressesOf(
      family,
      ranges.flatMap((range) => parseRange(range, family)),
    );
    const rest = subtractAddresses(addressesOf(family, [whole(family)]), set);
    return { family, within: set[family], without: rest[family] };
  });
  if (sets.every(({ without }) => without.length === 0)) return ["anywhere outside the cluster"];
  return sets.flatMap(({ family, within, without }) => familyInWords(family, within, without));
}

function familyInWords(family: Family, within: readonly AddressRange[], without: readonly AddressRange[]) {
  const any = family === "ipv4" ? "any external IPv4 address" : "any external IPv6 address";
  if (within.length === 0) return [];
  if (without.length === 0) return [any];
  const isMost = sizeOf(within) > sizeOf(without) && without.length <= within.length;
  if (!isMost) return within.map((range) => blockOf(family, range));
  return [`${any} but ${without.map((range) => blockOf(family, range)).join(" and ")}`];
}

function sizeOf(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
}

/** As a CIDR where it is one. */
function blockOf(family: Family, range: AddressRange): string {
  const size = range.last - range.first + 1n;
  const isBlock = (size & (size - 1n)) === 0n && range.first % size === 0n;
  if (!isBlock) return formatRange(family, range);
  const width = family === "ipv4" ? 32 : 128;
  return `${formatAddress(family, range.first)}/${width - (size.toString(2).length - 1)}`;
}

function parseRange(text: string, family: Family): readonly AddressRange[] {
  const [first, last] = text.split("-").map(parseAddress);
  return first?.family === family && last !== undefined ? [{ first: first.value, last: last.value }] : [];
}
