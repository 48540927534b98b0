import { classify, isEphemeral } from "./classify.ts";
import type { FlowClass, FlowKey } from "./flow-key.ts";
import { boundedName } from "./places.ts";
import type { FlowPolicy, FlowRecord } from "./record.ts";
import { type Known, type Resolved, resolveEnd } from "./resolve.ts";
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
    fromPod: podOf(from),
    toPod: podOf(to),
    aheadMs,
    key: of === undefined ? undefined : keyOf(of, record, { cluster, from: from.place, to: to.place }),
  };
}

function namespaceOf({ place }: Resolved): string | undefined {
  return place.kind === "workload" ? place.namespace : undefined;
}

function podOf({ tenant }: Resolved): SeenPod | undefined {
  return tenant === undefined ? undefined : { namespace: tenant.namespace, name: tenant.name, uid: tenant.uid };
}

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
