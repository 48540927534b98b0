import type { Interest } from "./interests.ts";
import type { FlowItem, FlowRecord } from "./record.ts";

/** The monitor's kinds of events (Cilium, pkg/monitor/api: MessageType). */
const drop = 1;
const trace = 4;
const policyVerdict = 5;
const accessLog = 129;

/** Where a packet has the policies behind it: at an endpoint, the host, the stack, an overlay, the network (bpf/lib/trace.h). */
const pointsBehindPolicy = [0, 2, 3, 4, 11];

/** Of these nobody's rule is to blame, and the drop says as much as the verdict. */
const reasonsWithoutRule = ["POLICY_DENIED", "AUTH_REQUIRED"];

/** More pods are not asked for: filters are compared with every flow of every node. */
const mostPods = 200;

/**
 * The body of GetFlows. Of each packet one kind of event: a denied one is told as a drop and as a verdict, an audited one as a
 * verdict alone (facts: denied-flows §0.1). Agents name the policy of an explicit deny on its verdict only (Cilium, pkg/hubble:
 * CorrelatePolicy), so that is asked for there. `sinceMs` undefined: from now.
 */
export function hubbleRequest(
  sinceMs: number | undefined,
  interests: readonly Interest[],
  otherDrops: boolean,
): object {
  const since = sinceMs === undefined ? {} : { since: timestampOf(sinceMs) };
  const reasons = otherDrops ? {} : { drop_reason_desc: reasonsWithoutRule };
  const denied = [
    { verdict: ["DROPPED"], event_type: [{ type: drop }], ...reasons },
    { verdict: ["DROPPED"], event_type: [{ type: policyVerdict }], drop_reason_desc: ["POLICY_DENY"] },
    { verdict: ["DROPPED"], event_type: [{ type: accessLog }] },
    { verdict: ["AUDIT"], event_type: [{ type: policyVerdict }] },
  ];
  return { follow: true, whitelist: [...denied, ...forwardedOf(interests)], ...since };
}

/** At the side of the pod alone: what leaves another pod for this one may still be denied as it comes. */
function forwardedOf(interests: readonly Interest[]): readonly object[] {
  if (interests.length === 0) return [];
  const pods = interests.slice(0, mostPods).map(({ namespace, pod }) => `${namespace}/${pod}`);
  const points = pointsBehindPolicy.map((sub_type) => ({ type: trace, match_sub_type: true, sub_type }));
  const forwarded = { verdict: ["FORWARDED"], event_type: points, reply: [false] };
  return [
    { ...forwarded, source_pod: pods, traffic_direction: ["EGRESS"] },
    { ...forwarded, destination_pod: pods, traffic_direction: ["INGRESS"] },
  ];
}

function timestampOf(ms: number): object {
  return { seconds: String(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 };
}

/** What of a flow decides whether it was asked for. */
export type WantedFlow = { readonly event_type?: { readonly type?: number } };

export type Wanted = {
  readonly otherDrops: boolean;
  /** A pod's whole name: the server's filter takes it for the beginning of one. */
  readonly hasInterest: (namespace: string, pod: string) => boolean;
};

/** Whether it was asked for: a server that does not know a filter passes it over, and sends everything (facts: denied-flows §1). */
export function isWanted({ event_type: { type } = {} }: WantedFlow, item: FlowItem, wanted: Wanted): boolean {
  if (item.kind !== "flow") return item.kind === "unreadable";
  const { verdict } = item.record;
  if (verdict.kind === "forwarded") return type === trace && isOfInterest(item.record, wanted.hasInterest);
  if (verdict.kind === "audited") return type === policyVerdict;
  if (verdict.kind === "denied" && verdict.reason === "rule") return type === policyVerdict;
  if (verdict.kind === "denied") return type === drop || type === accessLog;
  return type === drop && wanted.otherDrops;
}

function isOfInterest({ from, to, direction }: FlowRecord, hasInterest: Wanted["hasInterest"]): boolean {
  const end = direction === "egress" ? from : direction === "ingress" ? to : undefined;
  return end?.namespace !== undefined && end.pod !== undefined && hasInterest(end.namespace, end.pod);
}
