import { type Fields, fieldsOf, listIn, nameIn, wholeIn } from "./fields.ts";
import { dropReasonName } from "./hubble-drop-reasons.ts";
import type { DenyReason, FlowPolicy, FlowVerdict } from "./record.ts";

/** The fields of flow.Flow that count here. A field mask may have left out any of them. */
export type HubbleFlow = Fields<
  | "time"
  | "uuid"
  | "verdict"
  | "drop_reason"
  | "drop_reason_desc"
  | "IP"
  | "l4"
  | "l7"
  | "source"
  | "destination"
  | "source_names"
  | "destination_names"
  | "Type"
  | "node_name"
  | "event_type"
  | "traffic_direction"
  | "is_reply"
  | "egress_denied_by"
  | "ingress_denied_by"
  | "aggregate"
>;

/**
 * What became of it (facts: denied-flows §1, Verdict and DropReason). `passed` is what says nothing of that: a packet on its
 * way to a policy or a proxy, a translation, a verdict that nobody knows yet. `unsaid`: it has neither verdict nor reason.
 */
export function hubbleVerdict(flow: HubbleFlow): FlowVerdict | "passed" | "unsaid" {
  const verdict = verdictNamed(flow.verdict ?? 0);
  if (verdict === "DROPPED") return droppedOf(flow);
  if (verdict === "FORWARDED") return isDecided(flow) ? { kind: "forwarded" } : "passed";
  if (verdict === "AUDIT") return { kind: "audited", reason: denyReasons.get(reasonOf(flow) ?? "") ?? "unsaid" };
  if (verdict === "ERROR") return { kind: "dropped", reason: reasonOf(flow) ?? "ERROR" };
  if (verdict !== "VERDICT_UNKNOWN") return "passed";
  return reasonOf(flow) === undefined ? "unsaid" : droppedOf(flow);
}

function verdictNamed(verdict: unknown): unknown {
  return typeof verdict === "number" ? verdicts[verdict] : verdict;
}

/** By number. What comes after these is passed: redirected to a proxy, which decides; traced; translated. */
const verdicts: readonly string[] = ["VERDICT_UNKNOWN", "FORWARDED", "DROPPED", "ERROR", "AUDIT"];

/** MessageType of the monitor's API. */
const drop = 1;
const trace = 4;
const policyVerdict = 5;
const accessLog = 129;

function droppedOf(flow: HubbleFlow): FlowVerdict {
  const reason = reasonOf(flow);
  const isOfProxy = hubbleEventType(flow) === accessLog || (flow.event_type === undefined && isL7(flow));
  if (isOfProxy) return { kind: "denied", reason: "l7" };
  const denied = reason === undefined ? undefined : denyReasons.get(reason);
  if (denied !== undefined) return { kind: "denied", reason: denied };
  if (reason !== undefined) return { kind: "dropped", reason };
  return hubbleEventType(flow) === policyVerdict
    ? { kind: "denied", reason: "unsaid" }
    : { kind: "dropped", reason: "DROP_REASON_UNKNOWN" };
}

/** Reasons of policies, by name; every other reason is none of theirs. */
const denyReasons: ReadonlyMap<string, DenyReason> = new Map([
  ["POLICY_DENIED", "no-rule"],
  ["POLICY_DENY", "rule"],
  ["AUTH_REQUIRED", "authentication"],
]);

/** A relay that is old fills only the number; what an old Hubble leaves out of both is the drop event's own type. */
function reasonOf(flow: HubbleFlow): string | undefined {
  const { drop_reason_desc: named, drop_reason: number } = flow;
  const { sub_type } = fieldsOf<"sub_type">(flow.event_type);
  if (typeof named === "string" && named !== "" && named !== "DROP_REASON_UNKNOWN") return nameIn(named);
  const known = [named, number, hubbleEventType(flow) === drop ? sub_type : undefined].map(wholeIn).find(Boolean);
  return known === undefined ? undefined : dropReasonName(known);
}

/** A flow's event_type.type; undefined where it was left out. */
export function hubbleEventType(flow: HubbleFlow): number | undefined {
  return wholeIn(fieldsOf<"type">(flow.event_type).type);
}

function isL7(flow: HubbleFlow): boolean {
  return flow.Type === "L7" || flow.Type === 2;
}

/**
 * Whether a policy had its say on what was forwarded: a policy's verdict, or a packet seen on its way out of where policies
 * are (to an endpoint, the host, the stack, an overlay, the network). As it comes from an endpoint it is FORWARDED too, and
 * denied a moment later. Numbers are Cilium's trace observation points (bpf/lib/trace.h).
 */
function isDecided(flow: HubbleFlow): boolean {
  const type = hubbleEventType(flow);
  if (type !== trace) return type === policyVerdict;
  const { sub_type } = fieldsOf<"sub_type">(flow.event_type);
  return pointsBehindPolicy.has(wholeIn(sub_type) ?? 0);
}

const pointsBehindPolicy: ReadonlySet<number> = new Set([0, 2, 3, 4, 11]);

/**
 * Whether it opens a connection: TCP's first packet, or what a policy let in, which it is asked of new connections only.
 * Undefined where neither can be said.
 */
export function opensConnection(flow: HubbleFlow, flags: unknown): boolean | undefined {
  if (typeof flags === "object" && flags !== null) {
    const { SYN, ACK } = fieldsOf<"SYN" | "ACK">(flags);
    return SYN === true && ACK !== true;
  }
  const isVerdict = hubbleEventType(flow) === policyVerdict;
  return isVerdict && (flow.verdict === "FORWARDED" || flow.verdict === 1) ? true : undefined;
}

/** Of an explicit deny only: of a default deny there is none, and `*_allowed_by` may be filled on what another side dropped. */
export function hubblePolicies(flow: HubbleFlow, verdict: FlowVerdict): readonly FlowPolicy[] {
  if (verdict.kind !== "denied" || verdict.reason !== "rule") return [];
  const all = [...listIn(flow.egress_denied_by, mostPolicies), ...listIn(flow.ingress_denied_by, mostPolicies)];
  return all.flatMap((policy) => policyOf(policy) ?? []);
}

const mostPolicies = 8;
const mostLabels = 16;

function policyOf(policy: unknown): FlowPolicy | undefined {
  const { name, namespace, kind, labels } = fieldsOf<"name" | "namespace" | "kind" | "labels">(policy);
  const named = nameIn(name);
  if (named === undefined) return undefined;
  return { kind: nameIn(kind) ?? kindByLabel(labels), namespace: nameIn(namespace), name: named };
}

/** The field is newer than the label. */
function kindByLabel(labels: unknown): string | undefined {
  const all = listIn(labels, mostLabels).filter((label) => typeof label === "string");
  return nameIn(all.find((label) => label.startsWith(derivedFrom))?.slice(derivedFrom.length));
}

const derivedFrom = "k8s:io.cilium.k8s.policy.derived-from=";
