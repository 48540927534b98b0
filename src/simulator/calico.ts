import type { z } from "zod";
import { and, inNamespace, isCertain, onNamespace, onServiceAccount, podsWhere } from "./calico-labels.ts";
import { readMembers } from "./calico-members.ts";
import { readRules } from "./calico-rules.ts";
import {
  type CalicoPolicySpec,
  globalNetworkPolicy,
  networkPolicy,
  networkSet,
  tier as tierSchema,
} from "./calico-schema.ts";
import type { Surroundings } from "./calico-sides.ts";
import { readTiers, stageNamed, type Tier } from "./calico-tiers.ts";
import type { Place, Policy, PolicyReference, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Translator } from "./stages.ts";

const orderOfNetworkPolicies = 1_000;
const ofNetworkPolicyApi = ["kube-admin", "kube-baseline", "adminnetworkpolicy", "baselineadminnetworkpolicy"];

const versions = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];
const groups = versions.map((version) => version.split("/")[0] ?? "");

const schemas: Readonly<Record<string, z.ZodType>> = {
  Tier: tierSchema,
  NetworkSet: networkSet,
  GlobalNetworkSet: networkSet,
};

/** Kinds that are never in force (staged ones), or only for the host's own traffic. */
const withoutPolicy = [
  "HostEndpoint",
  "StagedNetworkPolicy",
  "StagedGlobalNetworkPolicy",
  "StagedKubernetesNetworkPolicy",
];

const kinds = ["GlobalNetworkPolicy", "NetworkPolicy", ...Object.keys(schemas), ...withoutPolicy];

type Context = Pick<Surroundings, "members" | "snapshot"> & { readonly tiers: ReadonlyMap<string, Tier> };

/**
 * Calico's own policy: Tier, GlobalNetworkPolicy and NetworkPolicy, with the network sets that they refer to among
 * `objects`. Each tier is a stage; what passes the last one is allowed, as the profile of every Kubernetes namespace does
 * (Calico reference, Tier; facts: network-policy §2.4). Policies of Kubernetes stand in tier `default` at order 1000,
 * those of network-policy-api by their priority in the tiers `kube-admin` and `kube-baseline`.
 */
export function calicoTranslator(objects: readonly WireObject[], snapshot: Snapshot): Translator {
  const own = objects.filter((object) => reads(object) && isOfKnownVersion(object));
  const tiers = readTiers(own);
  const context: Context = { tiers, members: readMembers(own, snapshot.namespaces), snapshot };
  const place = (tier: string, rank: Place["rank"]): Place => ({ stage: stageNamed(tiers, tier), rank });
  return {
    reads,
    translate: (object) => translate(object, context),
    arrangement: {
      admin: place(hasOnly(own, "adminnetworkpolicy", "kube-admin") ? "adminnetworkpolicy" : "kube-admin", []),
      networkPolicy: place("default", [orderOfNetworkPolicies]),
      baseline: place(
        hasOnly(own, "baselineadminnetworkpolicy", "kube-baseline") ? "baselineadminnetworkpolicy" : "kube-baseline",
        [],
      ),
    },
  };
}

/** The tiers of network-policy-api had other names before Calico 3.32 (libcalico-go/lib/names). */
function hasOnly(objects: readonly WireObject[], before: string, now: string): boolean {
  const names = objects.filter(({ kind }) => kind === "Tier").map(({ metadata }) => metadata.name);
  return names.includes(before) && !names.includes(now);
}

function reads({ apiVersion, kind }: WireObject): boolean {
  return groups.some((group) => apiVersion.startsWith(`${group}/`)) && kinds.includes(kind);
}

function isOfKnownVersion({ apiVersion }: WireObject): boolean {
  return versions.includes(apiVersion);
}

/** One of a version that is not known is never passed over: it may say anything. */
function translate(object: WireObject, context: Context): Translation {
  if (!isOfKnownVersion(object))
    return { problems: [{ field: "apiVersion", message: `must be ${versions.join(" or ")}` }] };
  const schema = schemas[object.kind];
  if (schema !== undefined) {
    const parsed = schema.safeParse({ spec: object["spec"] });
    return parsed.success ? { policies: [] } : { problems: problemsOf(parsed.error) };
  }
  if (withoutPolicy.includes(object.kind)) return { policies: [] };
  const global = object.kind === "GlobalNetworkPolicy";
  const parsed = (global ? globalNetworkPolicy : networkPolicy).safeParse({ spec: object["spec"] });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const spec: CalicoPolicySpec = parsed.data.spec ?? {};
  const tier = context.tiers.get(spec.tier || "default");
  if (tier === undefined) {
    const message = `names the tier ${spec.tier}, which is not among the objects: its place is not known`;
    return { problems: [{ field: "spec.tier", message }] };
  }
  const namespace = global ? undefined : (object.metadata.namespace ?? "default");
  return { policies: [policyOf(object, spec, tier, { ...context, namespace })] };
}

function policyOf(object: WireObject, spec: CalicoPolicySpec, tier: Tier, surroundings: Surroundings): Policy {
  const { namespace } = surroundings;
  const types = typesOf(spec, object.apiVersion);
  const ingress = readRules(types.ingress ? (spec.ingress ?? []) : [], "ingress", surroundings);
  const egress = readRules(types.egress ? (spec.egress ?? []) : [], "egress", surroundings);
  return {
    reference: referenceTo(object, namespace),
    stage: tier.stage,
    ...rankOf(object, spec),
    ...subjectOf(spec, namespace),
    ingress: ingress.rules,
    egress: egress.rules,
    isolates: { ingress: types.ingress && tier.denies, egress: types.egress && tier.denies },
    notEvaluated: [...ingress.notEvaluated, ...egress.notEvaluated],
  };
}

/** NetworkPolicy is a kind of Kubernetes too. */
function referenceTo({ kind, apiVersion, metadata }: WireObject, namespace: string | undefined): PolicyReference {
  const shown = kind === "NetworkPolicy" ? `${kind} (${apiVersion.split("/")[0] ?? ""})` : kind;
  return { kind: shown, namespace, name: metadata.name };
}

/**
 * Absent or empty: egress where there are egress rules, ingress where there are ingress rules or no rules. What is stored
 * in the CRDs of group crd.projectcalico.org has had no defaults, and is then both (felix/calc/policy_sorter.go).
 */
function typesOf({ types = [], ingress = [], egress = [] }: CalicoPolicySpec, apiVersion: string): Policy["isolates"] {
  if (types.length > 0) return { ingress: types.includes("Ingress"), egress: types.includes("Egress") };
  if (apiVersion.startsWith("crd.")) return { ingress: true, egress: true };
  return { ingress: ingress.length > 0 || egress.length === 0, egress: egress.length > 0 };
}

/**
 * By order, without one last, and then by name (felix/calc/policy_sorter.go, PolKVLess): in newer versions by name,
 * namespace and kind, before that by the name under which the policy was stored, after its namespace (`shop/default.allow`;
 * updateprocessors of libcalico-go). Not where a policy of Kubernetes may have the same order: under which name it then
 * stands is not the same in all versions of Calico (`knp.default.allow` or `allow`), so that no order is defined.
 */
function rankOf(
  { metadata, kind }: WireObject,
  { order = Number.POSITIVE_INFINITY, tier }: CalicoPolicySpec,
): Pick<Policy, "rank" | "among"> {
  const inDefault = tier === undefined || tier === "" || tier === "default";
  if (inDefault ? order === orderOfNetworkPolicies : ofNetworkPolicyApi.includes(tier)) return { rank: [order] };
  const name = inDefault ? metadata.name.replace(/^default\./, "") : metadata.name;
  const namespace = kind === "NetworkPolicy" ? `${metadata.namespace ?? "default"}/` : "";
  const among = [`${name}/${metadata.namespace ?? ""}/${kind}`, `${namespace}${inDefault ? "default." : ""}${name}`];
  return { rank: [order], among };
}

function subjectOf(spec: CalicoPolicySpec, namespace: string | undefined): Pick<Policy, "subject" | "maybe"> {
  const { selector, namespaceSelector, serviceAccountSelector, doNotTrack, preDNAT } = spec;
  const asked = and([
    namespace === undefined ? undefined : inNamespace(namespace),
    namespaceSelector && onNamespace(namespaceSelector),
    serviceAccountSelector && onServiceAccount(serviceAccountSelector),
    selector,
  ]);
  const host = doNotTrack === true ? "doNotTrack" : preDNAT === true ? "preDNAT" : undefined;
  const reasons = [
    ...(isCertain(asked) ? [] : ["serviceAccountSelector: the labels of service accounts are not known"]),
    ...(host === undefined ? [] : [`${host} is meant for host endpoints: whether it bears on pods is not evaluated`]),
  ];
  const maybe = reasons.length === 0 ? {} : { maybe: reasons.join("; ") };
  return { subject: podsWhere(asked, "possible"), ...maybe };
}
