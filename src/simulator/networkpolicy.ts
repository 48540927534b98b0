import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../policy/objects.ts";
import { type AddressSet, noAddresses, parseCidr, subtractAddresses, uniteAddresses } from "./addresses.ts";
import { fields } from "./fields.ts";
import { podsAcross, podsOf } from "./matcher.ts";
import type { PeerTerm, Place, Policy, PortTerm, Rule, Translation, WireObject } from "./model.ts";
import { networkPolicySpec } from "./networkpolicy-schema.ts";
import { problemsOf } from "./problems.ts";

const schema = fields({ spec: networkPolicySpec.exactOptional() });

/**
 * A networking.k8s.io/v1 NetworkPolicy: a union of allows, which isolates the pods it selects in the directions of its
 * policyTypes (facts: network-policy §1). Problems are those that the API server would refuse.
 */
export function translateNetworkPolicy(object: WireObject, place: Place): Translation {
  const parsed = schema.safeParse({ spec: object["spec"] });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const spec: NetworkPolicySpec = parsed.data.spec ?? {};
  const namespace = object.metadata.namespace ?? "default";
  const types = typesOf(spec);
  const isolates = { ingress: types.includes("Ingress"), egress: types.includes("Egress") };
  const policy: Policy = {
    reference: { kind: "NetworkPolicy", namespace, name: object.metadata.name },
    ...place,
    subject: podsOf(namespace, spec.podSelector),
    ingress: isolates.ingress
      ? (spec.ingress ?? []).map(({ from, ports }, index) => ruleOf(`ingress[${index}]`, namespace, from, ports))
      : [],
    egress: isolates.egress
      ? (spec.egress ?? []).map(({ to, ports }, index) => ruleOf(`egress[${index}]`, namespace, to, ports))
      : [],
    isolates,
    notEvaluated: [],
  };
  return { policies: [policy] };
}

/** Absent or empty is Ingress, and Egress only where there are egress rules (defaults.go of the API server). */
function typesOf({ policyTypes = [], egress = [] }: NetworkPolicySpec): readonly string[] {
  if (policyTypes.length > 0) return policyTypes;
  return egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

function ruleOf(
  name: string,
  namespace: string,
  peers: readonly NetworkPolicyPeer[] = [],
  ports: readonly NetworkPolicyPort[] = [],
): Rule {
  return {
    action: "allow",
    name,
    peers: peers.length === 0 ? "all" : peers.map((peer) => peerOf(peer, namespace)),
    ports: ports.length === 0 ? "all" : ports.map(portOf),
  };
}

function peerOf({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, namespace: string): PeerTerm {
  if (ipBlock !== undefined) {
    const holes = uniteAddresses((ipBlock.except ?? []).map(addressesOf));
    const addresses = subtractAddresses(addressesOf(ipBlock.cidr), holes);
    return { on: ["pod", "node", "external"], addresses, podsByAddress: "engine" };
  }
  const pods =
    namespaceSelector === undefined ? podsOf(namespace, podSelector) : podsAcross(namespaceSelector, podSelector);
  return { on: ["pod"], pods };
}

/** Of text that the schema has accepted. */
function addressesOf(cidr: string): AddressSet {
  return parseCidr(cidr) ?? noAddresses;
}

function portOf({ protocol = "TCP", port, endPort }: NetworkPolicyPort): PortTerm {
  if (port === undefined) return { protocol, from: 1, to: 65_535 };
  return typeof port === "string" ? { protocol, name: port } : { protocol, from: port, to: endPort ?? port };
}
