import type { FlowKey } from "../flows/flow-key.ts";
import type { Place } from "../flows/place.ts";
import { type Family, families, formatAddress, parseCidr } from "../simulator/addresses.ts";
import type { Simulator } from "../simulator/compile.ts";
import type { Endpoint } from "../simulator/decide.ts";
import type { Protocol } from "../simulator/model.ts";
import { podsOfService, serviceNamed, targetOf } from "../simulator/services.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { type Member, memberOf, type Side } from "./explain-sides.ts";

/** Who stands for the ends of a flow where the simulator is asked. */
export type FlowEnds = {
  readonly from: Side;
  readonly to: Side;
  readonly protocol: Protocol;
  /**
   * Whether they are all that it may have been. Else somebody stands for who is not known (an address behind a name, a port of
   * a scan): that those are denied says by whom, and that they are allowed says nothing.
   */
  readonly exact: boolean;
};

/** The ends as the cluster has them now, or a clause that says why the simulator cannot be asked. */
export function endsOf(
  simulator: Simulator,
  { from, to, protocol, port }: FlowKey,
): FlowEnds | { readonly why: string } {
  if (protocol === "ICMP" || protocol === "ICMPv6") return { why: `of ${protocol} policies are not evaluated` };
  const asked = typeof port === "number" ? port : someHighPort;
  const [source, target] = [membersAt(simulator, from, 0), membersAt(simulator, to, asked)];
  if (source === undefined || target === undefined) return { why: "not all that the source calls its ends is known" };
  if (source.members.length === 0 || target.members.length === 0) return { why: "its pods are not there any more" };
  return {
    from: sideOf(source),
    to: sideOf(target),
    protocol: protocol === "unknown" ? "TCP" : protocol,
    exact: source.exact && target.exact && asked === port && protocol !== "unknown",
  };
}

/** Stands for a port that is not known. */
const someHighPort = 61_000;

type Found = { readonly members: readonly Member[]; readonly exact: boolean };

function sideOf({ members }: Found): Side {
  return { label: "", members, words: "" };
}

function membersAt(simulator: Simulator, place: Place, port: number): Found | undefined {
  switch (place.kind) {
    case "workload":
      return workloadMembers(simulator, place, port);
    case "node": {
      const members = nodes(simulator, port);
      return members.length === 0 ? undefined : { members, exact: true };
    }
    case "range": {
      const members = samples(simulator, place.cidr).map((address) => outside(address, port));
      return members.length === 0 ? undefined : { members, exact: true };
    }
    case "name":
      return { members: [outside(somewhere, port)], exact: false };
    case "entity":
      return place.name === "world" ? { members: [outside(somewhere, port)], exact: false } : undefined;
  }
}

/** An address that is set aside for documentation (RFC 5737), and so is nobody's. */
const somewhere = "192.0.2.1";

type WorkloadPlace = Extract<Place, { kind: "workload" }>;

/** A source may know no more than the namespace, or the Service that was asked for. */
function workloadMembers(simulator: Simulator, place: WorkloadPlace, port: number): Found {
  const here = simulator.snapshot.pods.filter((pod) => pod.namespace === place.namespace);
  if (place.of === "Namespace") return { members: here.map((pod) => memberOf(pod, port)), exact: false };
  if (place.of === "Service") return { members: behindService(simulator, place, port), exact: false };
  const isOwn = ({ workload }: SimulatedPod): boolean =>
    workload.name === place.name && (place.of === "Pods" || workload.kind === place.of);
  const owned = here.filter(isOwn);
  const pods = owned.length > 0 ? owned : here.filter((pod) => pod.name === place.name);
  return { members: pods.map((pod) => memberOf(pod, port)), exact: true };
}

/** Where its port leads on each pod: no policy is asked about the Service's own. */
function behindService({ snapshot }: Simulator, { namespace, name }: WorkloadPlace, port: number): readonly Member[] {
  const service = serviceNamed(snapshot, { namespace, kind: undefined, name });
  const asked = service?.ports.find((one) => one.port === port);
  if (service === undefined) return [];
  return podsOfService(snapshot, service).map((pod) =>
    memberOf(pod, (asked === undefined ? undefined : targetOf(pod, service, asked)) ?? port),
  );
}

/** As far as pods of the host's network tell where they are. */
function nodes({ snapshot }: Simulator, port: number): readonly Member[] {
  const onHost = snapshot.pods.filter(({ hostNetwork, node }) => hostNetwork && node !== undefined);
  const byName = new Map(onHost.map(({ node = "", addresses }) => [node, addresses]));
  return [...byName].map(([name, addresses]) => ({ name, endpoint: { kind: "node", name, addresses }, port }));
}

function outside(address: string, port: number): Member {
  const endpoint: Endpoint = { kind: "external", address };
  return { name: address, endpoint, port };
}

/** So many addresses stand for all of a range: no more parts of it are told apart by policies. */
const mostSamples = 32;

/** One address of each part of the range that rules may tell from the others. */
function samples(simulator: Simulator, cidr: string): readonly string[] {
  const set = parseCidr(cidr);
  if (set === undefined) return [];
  return families.flatMap((family) =>
    set[family].flatMap(({ first, last }) => {
      const cuts = cutsOf(simulator, family).filter((cut) => first < cut && cut <= last);
      return [...new Set([first, ...cuts])].slice(0, mostSamples).map((value) => formatAddress(family, value));
    }),
  );
}

function cutsOf({ policies }: Simulator, family: Family): readonly bigint[] {
  const rules = policies.flatMap(({ ingress, egress }) => [...ingress, ...egress]);
  const terms = rules.flatMap(({ peers }) => (peers === "all" ? [] : peers));
  const ranges = terms.flatMap(({ addresses, notAddresses }) => [
    ...(addresses?.[family] ?? []),
    ...(notAddresses?.[family] ?? []),
  ]);
  return ranges.flatMap(({ first, last }) => [first, last + 1n]);
}
