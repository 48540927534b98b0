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
import { readTiers, type Tier } from "./calico-tiers.ts";
import type { Place, Policy, PolicyReference, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import type { Translator } from "./stages.ts";

const groups = ["projectcalico.org/v3", "crd.projectcalico.org/v1"];

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

type Context = { readonly tiers: ReadonlyMap<string, Tier>; readonly members: Surroundings["members"] };

/**
 * Calico's own policy: Tier, GlobalNetworkPolicy and NetworkPolicy, with the network sets that they refer to among
 * `objects`. Each tier is a stage; what passes the last one is allowed, as the profile of every Kubernetes namespace does
 * (Calico reference, Tier; facts: network-policy §2.4). Policies of Kubernetes stand in tier `default` at order 1000,
 * those of network-policy-api by their priority in the tiers `kube-admin` and `kube-baseline`.
 */
export function calicoTranslator(objects: readonly WireObject[]): Translator {
  const own = objects.filter(reads);
  const context: Context = { tiers: readTiers(own), members: readMembers(own) };
  const place = (tier: string, rank: Place["rank"]): Place => {
    const { stage } = context.tiers.get(tier) ?? { stage: { name: `tier ${tier}`, order: 0 } };
    return { stage, rank };
  };
  return {
    reads,
    translate: (object) => translate(object, context),
    arrangement: {
      admin: place("kube-admin", []),
      networkPolicy: place("default", [1_000]),
      baseline: place("kube-baseline", []),
    },
  };
}

function reads({ apiVersion, kind }: WireObject): boolean {
  return groups.includes(apiVersion) && kinds.includes(kind);
}

function translate(object: WireObject, context: Context): Translation {
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
  return { policies: [policyOf(object, spec, tier, { namespace, members: context.members })] };
}

function policyOf(object: WireObject, spec: CalicoPolicySpec, tier: Tier, surroundings: Surroundings): Policy {
  const { namespace } = surroundings;
  const types = typesOf(spec, object.apiVersion);
  const ingress = readRules(types.ingress ? (spec.ingress ?? []) : [], "ingress", surroundings);
  const egress = readRules(types.egress ? (spec.egress ?? []) : [], "egress", surroundings);
  return {
    reference: referenceTo(object, namespace),
    stage: tier.stage,
    rank: rankOf(object, spec),
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

/** By order, without one last, and then by name, namespace and kind (felix/calc/policy_sorter.go, PolKVLess). */
function rankOf(
  { metadata, kind }: WireObject,
  { order = Number.POSITIVE_INFINITY, tier }: CalicoPolicySpec,
): Policy["rank"] {
  const name = tier === undefined || tier === "default" ? metadata.name.replace(/^default\./, "") : metadata.name;
  return [order, `${name}/${metadata.namespace ?? ""}/${kind}`];
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
