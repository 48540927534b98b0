import type { Ways } from "../policy/engine.ts";
import type { Manifest } from "../policy/manifest.ts";
import { marks, quarantinePolicyName } from "../policy/marks.ts";
import { allowRules } from "./calico-rules.ts";
import { allOf, calicoSelector } from "./calico-selector.ts";
import type { Denial, Denies } from "./denial.ts";

/** Our own tier, before every other. It belongs to the installation: no release deletes it. */
export const tierName = "bulkhead";

/** Calico puts it on policies by itself where its API server or an admission policy sees them. */
const tierLabel = "projectcalico.org/tier";

/**
 * A policy of Calico in a tier of our own: the endpoints are allowed, and everything else is denied, before any other tier is
 * asked (facts: network-policy §2.4). The tier is written too where it is not there yet. Releases without tiers have one
 * list of policies, in which NetworkPolicies stand at order 1000.
 */
export function denyByCalico(denial: Denial, ways: Ways): Denies {
  const place = placeOf(ways);
  const policy = policyFor(denial, place);
  if (!place.hasTiers) return { objects: [policy], notes: [untiered] };
  const own = ways.calicoTiers.find(({ name }) => name === tierName);
  if (own !== undefined) return { objects: [policy], notes: before(ways, own.order) };
  const notes = ways.calicoTiers.length === 0 ? [unknownTiers] : [];
  return { objects: [tierBefore(ways, place.apiVersion), policy], notes };
}

const untiered =
  "This release of Calico has no tiers: what another policy of Calico with an order of 0 or less allows stays open.";

/** Calico always has some. */
const unknownTiers = `Which tiers Calico has is not known: one with a lower order than 0 would be asked before tier ${tierName}.`;

type Place = { readonly apiVersion: string; readonly isGlobal: boolean; readonly hasTiers: boolean };

/** v3 wherever it is served; the namespaced kind wherever that is. */
function placeOf({ served, writesCalicoStorage }: Ways): Place {
  const has = (apiVersion: string, plural: string) => served.includes(`${apiVersion}/${plural}`);
  const hasPolicies = (apiVersion: string) =>
    has(apiVersion, "networkpolicies") || has(apiVersion, "globalnetworkpolicies");
  const [v3, storage] = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
  const apiVersion = writesCalicoStorage && !hasPolicies(v3) && hasPolicies(storage) ? storage : v3;
  const isServed = hasPolicies(apiVersion);
  return {
    apiVersion,
    isGlobal: isServed && !has(apiVersion, "networkpolicies"),
    hasTiers: !isServed || has(apiVersion, "tiers"),
  };
}

function policyFor(denial: Denial, { apiVersion, isGlobal, hasTiers }: Place): Manifest {
  const { operation, namespace, subject, endpoints, labels, annotations } = denial;
  const name = quarantinePolicyName(operation);
  return {
    apiVersion,
    kind: isGlobal ? "GlobalNetworkPolicy" : "NetworkPolicy",
    metadata: {
      name: hasTiers ? `${tierName}.${name}` : name,
      ...(isGlobal ? {} : { namespace }),
      labels: hasTiers ? { ...labels, [tierLabel]: tierName } : labels,
      annotations,
    },
    spec: {
      ...(hasTiers ? { tier: tierName } : {}),
      order: 0,
      ...(isGlobal ? selectorsOf(namespace, subject) : { selector: calicoSelector(subject) }),
      types: ["Ingress", "Egress"],
      ingress: [...allowRules(endpoints, "ingress", namespace), { action: "Deny" }],
      egress: [...allowRules(endpoints, "egress", namespace), { action: "Deny" }],
    },
  };
}

/** Host endpoints have labels too; only pods are of the orchestrator `k8s`. */
function selectorsOf(namespace: string, subject: Denial["subject"]): object {
  const ofPods = calicoSelector({ matchLabels: { "projectcalico.org/orchestrator": "k8s" } });
  return {
    namespaceSelector: calicoSelector({ matchLabels: { "projectcalico.org/name": namespace } }),
    selector: allOf(ofPods, calicoSelector(subject)),
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
