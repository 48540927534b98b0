import { classify, isEphemeral } from "./classify.ts";
import type { FlowClass, FlowKey } from "./flow-key.ts";
import { boundedName } from "./places.ts";
import type { FlowEnd, FlowPolicy, FlowRecord } from "./record.ts";
import { type Known, type Moment, type Resolved, resolveEnd } from "./resolve.ts";
import type { Settled } from "./settled.ts";
import type { SeenPod, Sighting } from "./sighting.ts";

const mostPolicies = 4;

/** All that is made of a record: between whom it was, and where it counts. `aheadMs`: see Sighting. */
export function sight(
  cluster: string,
  record: FlowRecord,
  known: Known & { readonly settled: Settled },
  aheadMs = 0,
): Sighting {
  const moment = { cluster, atMs: record.toMs };
  const from = resolveEnd(record.from, moment, known);
  const to = resolveEnd(record.to, moment, known);
  const of = classify({
    record,
    from,
    to,
    isServicePort: (port) => known.services?.hasPort(cluster, port) === true,
    isSettling: known.settled.isSettling(cluster, [namespaceOf(from), namespaceOf(to)], record.toMs),
  });
  return {
    cluster,
    record,
    from: from.place,
    to: to.place,
    fromPod: podOf(from, record.from, { moment, known }),
    toPod: podOf(to, record.to, { moment, known }),
    aheadMs,
    key: of === undefined ? undefined : keyOf(of, record, { cluster, from: from.place, to: to.place }),
  };
}

function namespaceOf({ place }: Resolved): string | undefined {
  return place.kind === "workload" ? place.namespace : undefined;
}

/**
 * A name alone may be another's by now: a StatefulSet's pod that was made anew is told of by its source before it is seen
 * here. Where the source tells an address as well, that has to be the same pod's.
 */
function podOf({ tenant }: Resolved, end: FlowEnd, { moment, known }: Where): SeenPod | undefined {
  if (tenant === undefined) return undefined;
  const { namespace, name, uid, hostNetwork } = tenant;
  const { pod, address } = end;
  const isSaidTwice = pod !== undefined && address !== undefined && !hostNetwork;
  const holder = isSaidTwice ? known.addresses.at(moment.cluster, address, moment.atMs) : tenant;
  return holder !== undefined && holder !== "ambiguous" && holder.uid === uid ? { namespace, name, uid } : undefined;
}

type Where = { readonly moment: Moment; readonly known: Known };

type Ends = Pick<FlowKey, "cluster" | "from" | "to">;

/** Of what is only told in total, nothing that would make many lines of it. */
function keyOf(of: FlowClass, { verdict, protocol, toPort, direction, policies }: FlowRecord, ends: Ends): FlowKey {
  const isListed = of === "denied" || of === "audited";
  return {
    ...ends,
    class: of,
    protocol,
    port: isListed ? portIn(toPort) : portOfTotal(portIn(toPort)),
    direction,
    reason: verdict.kind === "denied" || verdict.kind === "audited" ? verdict.reason : undefined,
    policies: isListed ? policies.slice(0, mostPolicies).map(bounded) : [],
  };
}

/** Whatever a source says is a port is one, or none. */
function portIn(port: number | undefined): number | undefined {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535 ? port : undefined;
}

function portOfTotal(port: number | undefined): number | undefined {
  return port === undefined || isEphemeral(port) ? undefined : port;
}

function bounded({ kind, namespace, name }: FlowPolicy): FlowPolicy {
  return {
    kind: kind === undefined ? undefined : boundedName(kind),
    namespace: namespace === undefined ? undefined : boundedName(namespace),
    name: boundedName(name),
  };
}
