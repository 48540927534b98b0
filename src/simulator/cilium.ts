import { type CidrGroups, cidrGroupsOf, isCidrGroup } from "./cilium-groups.ts";
import { type RuleList, rulesOf } from "./cilium-rules.ts";
import { type CiliumRule, type CiliumSpec, ciliumCidrGroup, ciliumPolicy } from "./cilium-schema.ts";
import { subjectOf } from "./cilium-selector.ts";
import type { Arrangement, Direction, Policy, PolicyReference, Rule, Stage, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import { plainArrangement, type Translator } from "./stages.ts";

const stage: Stage = { name: "Cilium policies", order: plainArrangement.networkPolicy.stage.order };

/** In one stage: a deny before any allow (documentation: Deny Policies), and what L7 may stop after all of them. */
const ranks = { deny: [0], allow: [1], gate: [2] };

/** All policies that act on pods are of one tier, between Admin and Baseline (facts: network-policy §2.2). */
const arrangement: Arrangement = { ...plainArrangement, networkPolicy: { stage, rank: ranks.allow } };

/**
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, cilium.io/v2: what they allow and deny at L3 and L4, in the
 * agent's default configuration (`enable-policy: default`), as of version 1.17. `objects` is where CiliumCIDRGroups are looked up.
 */
export function ciliumTranslator(objects: readonly WireObject[]): Translator {
  const groups = cidrGroupsOf(objects);
  return {
    reads: (object) => isPolicy(object) || isCidrGroup(object),
    translate: (object) => (isPolicy(object) ? translatePolicy(object, groups) : translateGroup(object)),
    arrangement,
  };
}

function isPolicy({ apiVersion, kind }: WireObject): boolean {
  const kinds = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];
  return apiVersion.startsWith("cilium.io/") && kinds.includes(kind);
}

function translateGroup({ apiVersion, ["spec"]: spec }: WireObject): Translation {
  const { error } = ciliumCidrGroup.safeParse({ apiVersion, spec });
  return error === undefined ? { policies: [] } : { problems: problemsOf(error) };
}

function translatePolicy({ kind, metadata, ...rest }: WireObject, groups: CidrGroups): Translation {
  const namespace = kind === "CiliumNetworkPolicy" ? (metadata.namespace ?? "default") : undefined;
  const { data, error } = ciliumPolicy.safeParse(rest);
  if (error !== undefined) return { problems: problemsOf(error) };
  const { spec, specs = [] } = data;
  const named = [
    ...(spec === undefined ? [] : [{ spec, path: "spec", prefix: "" }]),
    ...specs.map((each, index) => ({ spec: each, path: `specs[${index}]`, prefix: `specs[${index}].` })),
  ];
  const onNodes = named.filter((each) => each.spec.nodeSelector !== undefined);
  if (namespace !== undefined && onNodes.length > 0) {
    const message = "is for CiliumClusterwideNetworkPolicy only";
    return { problems: onNodes.map(({ path }) => ({ field: `${path}.nodeSelector`, message })) };
  }
  const reference = { kind, namespace, name: metadata.name };
  return {
    policies: named.flatMap((each) => translateSpec(each.spec, { reference, prefix: each.prefix, groups })),
  };
}

type Origin = { readonly reference: PolicyReference; readonly prefix: string; readonly groups: CidrGroups };

function translateSpec(spec: CiliumSpec, origin: Origin): readonly Policy[] {
  // A host policy selects nodes, and says nothing of pods.
  if (spec.endpointSelector === undefined) return [];
  const { reference, prefix, groups } = origin;
  const context = { namespace: reference.namespace, groups };
  const translate = (action: RuleList["action"], direction: Direction) => {
    const list = action === "allow" ? direction : (`${direction}Deny` as const);
    return rulesOf({ action, name: `${prefix}${list}`, rules: spec[list] ?? [] }, { ...context, direction });
  };
  const allow = { ingress: translate("allow", "ingress"), egress: translate("allow", "egress") };
  const deny = { ingress: translate("deny", "ingress"), egress: translate("deny", "egress") };
  const isolates = { ingress: isDefaultDeny("ingress", spec), egress: isDefaultDeny("egress", spec) };
  const { matcher: subject, maybe } = subjectOf(spec.endpointSelector, reference.namespace);
  const common = { reference, stage, subject, notEvaluated: [], ...(maybe === undefined ? {} : { maybe }) };
  const never = { ingress: false, egress: false };
  const parts: readonly Policy[] = [
    { ...common, rank: ranks.deny, ingress: deny.ingress.rules, egress: deny.egress.rules, isolates: never },
    {
      ...common,
      rank: ranks.allow,
      ingress: allow.ingress.rules,
      egress: allow.egress.rules,
      isolates,
      notEvaluated: [allow, deny].flatMap(({ ingress, egress }) => [...ingress.notEvaluated, ...egress.notEvaluated]),
    },
    {
      ...common,
      rank: ranks.gate,
      ingress: isolates.ingress ? [] : gatesOf(allow.ingress.rules),
      egress: isolates.egress ? [] : gatesOf(allow.egress.rules),
      isolates: never,
    },
  ];
  return parts.filter((part) => part.rank === ranks.allow || part.ingress.length + part.egress.length > 0);
}

/**
 * Denied by default is what no rule allows, in each direction in which the policy has a rule of either action, unless it
 * says otherwise; without a rule there it cannot ask for it (documentation: Policy Enforcement Modes; cilium: issue 35558).
 */
function isDefaultDeny(direction: Direction, spec: CiliumSpec): boolean {
  const rules: readonly CiliumRule[] = [...(spec[direction] ?? []), ...(spec[`${direction}Deny`] ?? [])];
  return rules.length > 0 && spec.enableDefaultDeny?.[direction] !== false;
}

/**
 * Where a policy leaves the rest allowed, its L7 rules may still stop what they do not let through (documentation: Policy
 * Enforcement Modes, the warning at EnableDefaultDeny; newer versions let it through: pull request 38841).
 */
function gatesOf(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ maybe }) => maybe !== undefined).map((rule) => ({ ...rule, action: "deny" }));
}
