import { addressIn } from "./address.ts";
import { endOf, podNamed } from "./ends.ts";
import { eventOf } from "./events.ts";
import { countIn, nameIn, portIn, timeIn } from "./fields.ts";
import { protocolNamed } from "./protocol.ts";
import type { Carried, FlowItem, FlowPolicy, FlowRecord } from "./record.ts";

/** Whether a line begins as one of Antrea's does: `2026/07/15 01:30:02.801442 `, as Go's log writes the time. */
export function isAntreaLine(line: string): boolean {
  return beginning.test(line);
}

const beginning = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(\.\d{1,9})? /;

/**
 * A line of Antrea's np.log (facts: denied-flows §4): which policy, and the pod that it applies to; the other end is an address.
 * What is not allowed is gathered for a second and told at its end. Its time is taken for UTC, which containers have.
 */
export function itemOfAntrea(line: string, carried: Carried): FlowItem {
  const [date, time, , policy, , direction, disposition, , appliedTo, from, fromPort, to, toPort, protocol] =
    line.split(" ", 16);
  const side = direction === "Ingress" ? "ingress" : direction === "Egress" ? "egress" : undefined;
  const [source, destination] = [addressIn(from), addressIn(to)];
  if (side === undefined || source === undefined || destination === undefined) return unreadable;
  const verdict = verdictOf(disposition, policy);
  if (verdict === undefined) return { kind: "passed" };
  const pod = podNamed(appliedTo);
  const record = eventOf({
    format: "antrea",
    verdict,
    from: endOf({ address: source, ...(side === "egress" ? pod : {}) }),
    to: endOf({ address: destination, ...(side === "ingress" ? pod : {}) }),
    protocol: protocolNamed(protocol),
    fromPort: portIn(fromPort),
    toPort: portIn(toPort),
    direction: side,
    unit: "packets",
    atMs: carried.atMs,
    policies: verdict.kind === "denied" ? policiesOf(policy) : [],
    node: carried.node,
    ...windowOf(timeIn(`${date?.replaceAll("/", "-")}T${time}Z`) ?? carried.atMs, line),
  });
  return { kind: "flow", record };
}

const unreadable: FlowItem = { kind: "unreadable", why: "A line of Antrea's np.log that is not whole." };

/** A redirected packet goes on to a proxy, which decides. */
function verdictOf(disposition: string | undefined, policy: string | undefined): FlowRecord["verdict"] | undefined {
  if (disposition === "Allow") return { kind: "forwarded" };
  if (disposition !== "Drop" && disposition !== "Reject") return undefined;
  return { kind: "denied", reason: policiesOf(policy).length === 0 ? "no-rule" : "rule" };
}

/** `Kind:namespace/name` or `Kind:name`; a default deny is `K8sNetworkPolicy` and no name. */
function policiesOf(reference: string | undefined): readonly FlowPolicy[] {
  const [kind, path = ""] = reference?.split(":", 2) ?? [];
  const [first, second] = path.split("/", 2);
  const name = nameIn(second ?? first);
  if (name === undefined) return [];
  return [{ kind: nameIn(kind), namespace: second === undefined ? undefined : nameIn(first), name }];
}

/** `[3 packets in 1.000855539s]` at its end, else one packet. */
function windowOf(atMs: number, line: string): Pick<FlowRecord, "fromMs" | "toMs" | "count"> {
  const [, packets, seconds] = gathered.exec(line) ?? [];
  const count = countIn(packets) ?? 1;
  const lasted = Math.min(Number(seconds ?? 0), longestGathering) * 1000;
  return { fromMs: Math.trunc(atMs - lasted), toMs: atMs, count: Math.max(count, 1) };
}

const gathered = / \[(\d{1,9}) packets in (\d{1,6}(?:\.\d{1,9})?)s\]$/;
const longestGathering = 3600;
