import type { Ways } from "../policy/engine.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import { allowRules } from "./calico-rules.ts";
import { allOf, calicoSelector } from "./calico-selector.ts";
import type { Denial, Denies } from "./denial.ts";

/** Our own tier, before every other. It belongs to the installation: no release deletes it. */
const tierName = "bulkhead";

/** Calico puts it on policies by itself where its API server or an admission policy sees them. */
const tierLabel = "projectcalico.org/tier";

/**
 * A policy of Calico in a tier of our own: the endpoints are allowed, and everything else is denied, before any other tier is
 * asked (facts: network-policy §2.4). The tier is written too where it is not there yet.
 */
export function denyByCalico(denial: Denial, ways: Ways): Denies {
  const { apiVersion, isGlobal } = placeOf(ways);
  const own = ways.calicoTiers.find(({ name }) => name === tierName);
  const policy = policyFor(denial, apiVersion, isGlobal);
  if (own !== undefined) return { objects: [policy], notes: before(ways, own.order) };
  return { objects: [tierBefore(ways, apiVersion), policy], notes: [] };
}

/** v3 wherever it is served; the namespaced kind wherever that is. */
function placeOf({ served, writesCalicoStorage }: Ways): { readonly apiVersion: string; readonly isGlobal: boolean } {
  const has = (apiVersion: string, plural: string) => served.includes(`${apiVersion}/${plural}`);
  const kinds = ["networkpolicies", "globalnetworkpolicies"];
  const [v3, storage] = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
  const stored =
    writesCalicoStorage && !kinds.some((plural) => has(v3, plural)) && kinds.some((plural) => has(storage, plural));
  const apiVersion = stored ? storage : v3;
  return { apiVersion, isGlobal: !has(apiVersion, "networkpolicies") && has(apiVersion, "globalnetworkpolicies") };
}

function policyFor(denial: Denial, apiVersion: string, isGlobal: boolean): Manifest {
  const { operation, namespace, subject, endpoints, labels, annotations } = denial;
  const selector = calicoSelector(subject);
  const ofPods = allOf(calicoSelector({ matchLabels: { "projectcalico.org/orchestrator": "k8s" } }), selector);
  const selectors = isGlobal ? { namespaceSelector: named(namespace), selector: ofPods } : { selector };
  return {
    apiVersion,
    kind: isGlobal ? "GlobalNetworkPolicy" : "NetworkPolicy",
    metadata: {
      name: `${tierName}.${quarantinePolicyName(operation)}`,
      ...(isGlobal ? {} : { namespace }),
      labels: { ...labels, [tierLabel]: tierName },
      annotations,
    },
    spec: {
      tier: tierName,
      order: 0,
      ...selectors,
      types: ["Ingress", "Egress"],
      ingress: [...allowRules(endpoints, "ingress", namespace), { action: "Deny" }],
      egress: [...allowRules(endpoints, "egress", namespace), { action: "Deny" }],
    },
  };
}

/** Before every tier that is there, and 0 or less, so that one that comes later is behind it too. */
function tierBefore({ calicoTiers }: Ways, apiVersion: string): Manifest {
  const orders = calicoTiers.flatMap(({ order }) => order ?? []);
  return {
    apiVersion,
    kind: "Tier",
    metadata: { name: tierName, labels: { [marks.managedBy]: "bulkhead" } },
    spec: { order: Math.min(0, ...orders.map((order) => order - 1)), defaultAction: "Pass" },
  };
}

/** Lower first, ties by name, without an order last (Calico reference, Tier). */
function before({ calicoTiers }: Ways, order = Number.POSITIVE_INFINITY): readonly string[] {
  const names = calicoTiers
    .filter(
      ({ name, order: other = Number.POSITIVE_INFINITY }) => other < order || (other === order && name < tierName),
    )
    .map(({ name }) => name);
  if (names.length === 0) return [];
  return [
    `Calico asks its tiers ${names.join(", ")} before tier ${tierName}: what they allow stays open. Give tier ${tierName} a lower order than theirs.`,
  ];
}

function named(namespace: string): string {
  return calicoSelector({ matchLabels: { "projectcalico.org/name": namespace } });
}
