import type { Manifest } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";

/** What a stored object's own status says: in force, not yet, that it never will be, or nothing at all. */
export type Realisation = "realised" | "pending" | "no status" | { readonly failed: string };

export type Where = {
  /** Of the pods that are denied, where they are known. */
  readonly nodes: readonly string[];
  /** Whether there are such pods at all. */
  readonly hasPods: boolean;
  /** Nothing will be asked after this: what is only likely counts. */
  readonly last: boolean;
};

/** What the engine says of a policy that it was given (facts: network-policy §2.1 to §2.5). */
export function realisedBy(stored: Manifest, where: Where): Realisation {
  switch (stored.apiVersion) {
    case "crd.antrea.io/v1beta1":
      return byAntrea(stored, where);
    case "cilium.io/v2":
      return byCilium(conditionsOf(stored));
    case "policy.networking.k8s.io/v1alpha1":
    case "policy.networking.k8s.io/v1alpha2":
      return byConditions(conditionsOf(stored), where);
    default:
      return "no status";
  }
}

type Condition = { readonly type: string; readonly status: string; readonly message: string };

function conditionsOf({ status }: Manifest): readonly Condition[] {
  const { conditions } = asRecord(status);
  return (Array.isArray(conditions) ? conditions : []).map((each: unknown) => {
    const { type, status: is, message } = asRecord(each);
    return { type: textOf(type), status: textOf(is), message: textOf(message) };
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/**
 * Antrea counts the nodes that a policy spans: none at all while the status is older than the label on the pod, although
 * the phase is Realized then.
 */
function byAntrea(stored: Manifest, { nodes, hasPods }: Where): Realisation {
  const { phase, observedGeneration, currentNodesRealized, desiredNodesRealized } = asRecord(stored.status);
  if (phase === "Failed") {
    const why = conditionsOf(stored).find(({ message }) => message !== "")?.message;
    return { failed: why ?? "Antrea gives no reason" };
  }
  const isCurrent = Number(observedGeneration) === (stored.metadata.generation ?? 0);
  const desired = Number(desiredNodesRealized ?? 0);
  const atLeast = Math.max(new Set(nodes).size, hasPods ? 1 : 0);
  const isEverywhere = Number(currentNodesRealized ?? 0) === desired && desired >= atLeast;
  return phase === "Realized" && isCurrent && isEverywhere ? "realised" : "pending";
}

/** Valid says that the operator understood it, and never that it is in force: that is for the endpoints to say. */
function byCilium(conditions: readonly Condition[]): Realisation {
  const invalid = conditions.find(({ type, status }) => type === "Valid" && status === "False");
  return invalid === undefined ? "no status" : { failed: invalid.message || "Cilium gives no reason" };
}

const zone = "Ready-In-Zone-";

/**
 * OVN-Kubernetes has a condition for each of its zones, which are nodes, or one that is called global, or groups that an
 * administrator named; newer versions one for all, Ready. Other engines write what they like, which says nothing.
 */
function byConditions(conditions: readonly Condition[], { nodes, last }: Where): Realisation {
  const told = conditions.filter(({ type }) => type.startsWith(zone) || /^(Ready|Accepted|Valid)$/.test(type));
  const failed = told.find(({ status }) => status === "False");
  if (failed !== undefined) return { failed: `${failed.type}: ${failed.message || "no reason is given"}` };
  const ready = new Set(told.filter(({ status }) => status === "True").map(({ type }) => type));
  const zones = told.filter(({ type }) => type.startsWith(zone));
  if (zones.length === 0) return ready.has("Ready") ? "realised" : "no status";
  if (ready.has(`${zone}global`) || (nodes.length > 0 && nodes.every((node) => ready.has(`${zone}${node}`)))) {
    return "realised";
  }
  // Zones of other names: those that report are all that is known, and one may be missing for a moment.
  return last && zones.every(({ type }) => ready.has(type)) ? "realised" : "pending";
}

/**
 * What Cilium says of a pod, by its CiliumEndpoint: that it enforces in both directions on an identity that bears the
 * quarantine label of this operation, where one was set. By default it keeps the policy's state to itself.
 */
export function endpointRealised(endpoint: Manifest | undefined, quarantine: string | undefined): Realisation {
  if (endpoint === undefined) return "pending";
  const { state, policy, identity } = asRecord(endpoint.status);
  const { labels } = asRecord(identity);
  const bears = quarantine === undefined || (Array.isArray(labels) && labels.includes(identityLabel(quarantine)));
  if (state !== "ready" || !bears) return "pending";
  if (policy === undefined) return "no status";
  const { ingress, egress } = asRecord(policy);
  const enforces = [ingress, egress].map((each) => asRecord(each));
  return enforces.every((each) => each["enforcing"] === true && (each["state"] ?? "enforcing") === "enforcing")
    ? "realised"
    : "pending";
}

function identityLabel(quarantine: string): string {
  return `k8s:${marks.quarantine}=${quarantine}`;
}
