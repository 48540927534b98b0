import { clusterNetworkPolicySpec, type V2DestinationPort, type V2Protocol } from "./cluster-network-policy-schema.ts";
import { fields } from "./fields.ts";
import { everyPod } from "./matcher.ts";
import type { Arrangement, Direction, PortTerm, Protocol, Rule, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import { namedPort, podsSelected, type TierRule, tierRules } from "./tier-rules.ts";
import type { TierPeer } from "./tier-schema.ts";

type V2Rule = {
  readonly name?: string;
  readonly action: "Accept" | "Deny" | "Pass";
  readonly from?: readonly TierPeer[];
  readonly to?: readonly TierPeer[];
  readonly protocols?: readonly V2Protocol[];
};

const schema = fields({ spec: clusterNetworkPolicySpec });
const actions = { Accept: "allow", Deny: "deny", Pass: "pass" } as const;

/** ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2 (facts: network-policy §2.2). Problems are those of its CRD. */
export function translateClusterNetworkPolicy(object: WireObject, arrangement: Arrangement): Translation {
  const parsed = schema.safeParse({ spec: object["spec"] });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const { tier, priority, subject, ingress, egress } = parsed.data.spec;
  const { stage, rank } = tier === "Admin" ? arrangement.admin : arrangement.baseline;
  const policy = {
    reference: { kind: object.kind, namespace: undefined, name: object.metadata.name },
    stage,
    rank: [...rank, priority],
    subject: podsSelected(subject) ?? everyPod,
    ingress: rulesOf("ingress", ingress),
    egress: rulesOf("egress", egress),
    // "There will not be any implicit isolation effects" (API overview).
    isolates: { ingress: false, egress: false },
    notEvaluated: [],
  };
  return { policies: [policy] };
}

function rulesOf(direction: Direction, rules: readonly V2Rule[]): readonly Rule[] {
  const written = rules.map(
    ({ name, action, from, to, protocols }): TierRule => ({
      ...(name === undefined ? {} : { name }),
      action: actions[action],
      peers: from ?? to ?? [],
      ports: protocols === undefined ? "all" : protocols.flatMap(portTerms),
    }),
  );
  return tierRules(direction, written);
}

function portTerms({ tcp, udp, sctp, destinationNamedPort }: V2Protocol): readonly PortTerm[] {
  if (destinationNamedPort !== undefined) return namedPort(destinationNamedPort);
  return [...portTerm("TCP", tcp), ...portTerm("UDP", udp), ...portTerm("SCTP", sctp)];
}

function portTerm(
  protocol: Protocol,
  match: { readonly destinationPort: V2DestinationPort } | undefined,
): readonly PortTerm[] {
  const { number, range } = match?.destinationPort ?? {};
  if (number !== undefined) return [{ protocol, from: number, to: number }];
  return range === undefined ? [] : [{ protocol, from: range.start, to: range.end }];
}
