import { adminNetworkPolicySpec, baselineAdminNetworkPolicySpec, type V1Port } from "./admin-network-policy-schema.ts";
import { fields } from "./fields.ts";
import { everyPod } from "./matcher.ts";
import type { Arrangement, Direction, Place, Policy, PortTerm, Rule, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import { namedPort, podsSelected, type TierRule, tierRules } from "./tier-rules.ts";
import type { TierPeer } from "./tier-schema.ts";

type V1Rule = {
  readonly name?: string;
  readonly action: "Allow" | "Deny" | "Pass";
  readonly from?: readonly TierPeer[];
  readonly to?: readonly TierPeer[];
  readonly ports?: readonly V1Port[];
};

type V1Spec = { readonly subject: TierPeer; readonly ingress: readonly V1Rule[]; readonly egress: readonly V1Rule[] };

const admin = fields({ spec: adminNetworkPolicySpec });
const baseline = fields({ spec: baselineAdminNetworkPolicySpec });
const actions = { Allow: "allow", Deny: "deny", Pass: "pass" } as const;

/** AdminNetworkPolicy of policy.networking.k8s.io/v1alpha1 (facts: network-policy §2.1). Problems are those of its CRD. */
export function translateAdminNetworkPolicy(object: WireObject, arrangement: Arrangement): Translation {
  const place = arrangement.adminNetworkPolicy ?? arrangement.admin;
  const parsed = admin.safeParse({ spec: object["spec"] });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const { spec } = parsed.data;
  return { policies: [policyOf(object, spec, { ...place, rank: [...place.rank, spec.priority] })] };
}

/**
 * BaselineAdminNetworkPolicy of policy.networking.k8s.io/v1alpha1, of which a cluster has one, named `default`. It has no
 * priority: beside ClusterNetworkPolicies of the Baseline tier, which no specification orders, it is asked first.
 */
export function translateBaselineAdminNetworkPolicy(object: WireObject, { baseline: place }: Arrangement): Translation {
  const parsed = baseline.safeParse({ spec: object["spec"] });
  const misnamed = object.metadata.name === "default" ? [] : [{ field: "metadata.name", message: 'must be "default"' }];
  if (!parsed.success) return { problems: [...misnamed, ...problemsOf(parsed.error)] };
  if (misnamed.length > 0) return { problems: misnamed };
  return { policies: [policyOf(object, parsed.data.spec, place)] };
}

function policyOf({ kind, metadata }: WireObject, spec: V1Spec, place: Place): Policy {
  return {
    reference: { kind, namespace: undefined, name: metadata.name },
    ...place,
    subject: podsSelected(spec.subject) ?? everyPod,
    ingress: rulesOf("ingress", spec.ingress),
    egress: rulesOf("egress", spec.egress),
    // "ANP rules do not isolate implicitly" (facts: network-policy §1, Upper tiers).
    isolates: { ingress: false, egress: false },
    notEvaluated: missingSelectors(spec),
  };
}

/** The CRD asks for both selectors of `pods`. */
function missingSelectors({ subject, ingress, egress }: V1Spec): readonly string[] {
  const peers = [subject, ...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  const pods = peers.flatMap((peer) => peer.pods ?? []);
  return (["namespaceSelector", "podSelector"] as const)
    .filter((selector) => pods.some((each) => each[selector] === undefined))
    .map(
      (selector) =>
        `pods without ${selector}, which the API server asks for: taken for an empty one, which selects all`,
    );
}

function rulesOf(direction: Direction, rules: readonly V1Rule[]): readonly Rule[] {
  const written = rules.map(
    ({ name, action, from, to, ports }): TierRule => ({
      ...(name === undefined ? {} : { name }),
      action: actions[action],
      peers: from ?? to ?? [],
      ports: ports === undefined ? "all" : ports.flatMap(portTerms),
    }),
  );
  return tierRules(direction, written);
}

function portTerms({ portNumber, portRange, namedPort: name }: V1Port): readonly PortTerm[] {
  if (name !== undefined) return namedPort(name);
  if (portNumber !== undefined) {
    return [{ protocol: portNumber.protocol, from: portNumber.port, to: portNumber.port }];
  }
  return portRange === undefined ? [] : [{ protocol: portRange.protocol, from: portRange.start, to: portRange.end }];
}
