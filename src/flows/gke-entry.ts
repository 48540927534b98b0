import { addressIn } from "./address.ts";
import { endOf } from "./ends.ts";
import { eventOf } from "./events.ts";
import { countIn, type Fields, fieldsOf, nameIn, portIn, timeIn } from "./fields.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, FlowEnd, FlowItem, FlowRecord } from "./record.ts";

/** A line of GKE's policy_action log, and the LogEntry of Cloud Logging that carries one. */
export type GkeEntry = Fields<
  | "connection"
  | "disposition"
  | "src"
  | "dest"
  | "count"
  | "timestamp"
  | "node_name"
  | "jsonPayload"
  | "insertId"
  | "resource"
>;

/**
 * What GKE's Dataplane V2 logs (facts: denied-flows §4). It names policies of what is allowed only. What is denied is gathered for
 * some seconds, and `count` is how often.
 */
export function itemOfGke(entry: GkeEntry, carried: Carried): FlowItem {
  if (entry.jsonPayload === undefined) return itemOf(entry, carried);
  const line: GkeEntry = fieldsOf(entry.jsonPayload);
  const { node_name } = fieldsOf<"node_name">(fieldsOf<"labels">(entry.resource).labels);
  const atMs = timeIn(entry.timestamp) ?? carried.atMs;
  return itemOf({ ...line, insertId: entry.insertId }, { atMs, node: nameIn(node_name) ?? carried.node });
}

function itemOf(line: GkeEntry, carried: Carried): FlowItem {
  const connection = fieldsOf<ConnectionField>(line.connection);
  const verdict = verdictOf(line.disposition);
  const node = nameIn(line.node_name) ?? carried.node;
  const [from, to] = [endIn(line.src, connection.src_ip, node), endIn(line.dest, connection.dest_ip, node)];
  if (verdict === undefined || isUnknown(from) || isUnknown(to)) return unreadable;
  const { direction } = connection;
  const record = eventOf({
    format: "gke",
    id: nameIn(line.insertId),
    verdict,
    from,
    to,
    protocol: protocolNamed(connection.protocol),
    fromPort: portIn(connection.src_port),
    toPort: portIn(connection.dest_port),
    direction: direction === "ingress" || direction === "egress" ? direction : undefined,
    count: Math.max(countIn(line.count) ?? 1, 1),
    unit: "connections",
    atMs: timeIn(line.timestamp) ?? carried.atMs,
    node,
  });
  return { kind: "flow", record };
}

type ConnectionField = "src_ip" | "dest_ip" | "src_port" | "dest_port" | "protocol" | "direction";

const unreadable: FlowItem = { kind: "unreadable", why: "A line of GKE's policy action log that is not whole." };

function verdictOf(disposition: unknown): FlowRecord["verdict"] | undefined {
  if (disposition === "allow") return { kind: "forwarded" };
  return disposition === "deny" ? { kind: "denied", reason: "unsaid" } : undefined;
}

/** A pod, a node (the one on which it was seen, or another), or an `instance`, which is an address. A workload may be the ReplicaSet. */
function endIn(end: unknown, address: unknown, node: string | undefined): FlowEnd {
  const { pod_name, pod_namespace, namespace, workload_kind, workload_name, node_name, instance } =
    fieldsOf<EndField>(end);
  const ip = addressIn(address) ?? addressIn(instance);
  const named = nameIn(node_name);
  if (named !== undefined) return endOf({ address: ip, entity: named === (node ?? named) ? "host" : "remote-node" });
  const name = nameIn(workload_name);
  return endOf({
    address: ip,
    namespace: nameIn(pod_namespace) ?? nameIn(namespace),
    pod: nameIn(pod_name),
    workload: name === undefined ? undefined : { kind: nameIn(workload_kind), name },
  });
}

type EndField =
  | "pod_name"
  | "pod_namespace"
  | "namespace"
  | "workload_kind"
  | "workload_name"
  | "node_name"
  | "instance";

function isUnknown({ address, pod, entity }: FlowEnd): boolean {
  return address === undefined && pod === undefined && entity === undefined;
}
