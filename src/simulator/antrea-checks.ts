import type { Surroundings } from "./antrea-peers.ts";
import type { AntreaRule, AntreaSpec, AppliedTo, Peer } from "./antrea-schema.ts";
import type { Direction, Problem } from "./model.ts";

type Listed = {
  readonly rule: AntreaRule;
  readonly peers: readonly Peer[];
  readonly direction: Direction;
  /** `spec.ingress[0]`. */
  readonly path: string;
  /** `spec.ingress[0].from`. */
  readonly peersPath: string;
};

/** What Antrea's webhook refuses where several fields play together, and what a policy refers to and is not there. */
export function specProblems(spec: AntreaSpec, around: Surroundings): readonly Problem[] {
  const rules = listRules(spec);
  return [
    ...placementProblems(spec, rules),
    ...nameProblems(rules),
    ...appliedProblems(spec.appliedTo ?? [], "spec.appliedTo", around),
    ...serviceProblems(spec.appliedTo ?? [], "spec.appliedTo", rules),
    ...rules.flatMap((each) => ruleProblems(each, spec, around)),
  ];
}

function listRules({ ingress = [], egress = [] }: AntreaSpec): readonly Listed[] {
  return [
    ...ingress.map(({ from = [], ...rule }, index): Listed => {
      const path = `spec.ingress[${index}]`;
      return { rule, peers: from, direction: "ingress", path, peersPath: `${path}.from` };
    }),
    ...egress.map(({ to = [], ...rule }, index): Listed => {
      const path = `spec.egress[${index}]`;
      return { rule, peers: to, direction: "egress", path, peersPath: `${path}.to` };
    }),
  ];
}

/** In the spec, or in each of the rules. */
function placementProblems({ appliedTo = [] }: AntreaSpec, rules: readonly Listed[]): readonly Problem[] {
  const having = rules.filter(({ rule }) => (rule.appliedTo ?? []).length > 0);
  if (appliedTo.length > 0)
    return having.map(({ path }) => ({ field: `${path}.appliedTo`, message: "must be absent, as the spec has one" }));
  if (having.length === 0) return [{ field: "spec.appliedTo", message: "is missing, and no rule has one" }];
  return rules
    .filter((each) => !having.includes(each))
    .map(({ path }) => ({ field: `${path}.appliedTo`, message: "is missing, and other rules have one" }));
}

function nameProblems(rules: readonly Listed[]): readonly Problem[] {
  const names = rules.map(({ rule }) => rule.name ?? "");
  return rules.flatMap(({ path }, index) => {
    const name = names[index] ?? "";
    const first = names.indexOf(name);
    if (name === "" || first === index) return [];
    return [{ field: `${path}.name`, message: `must not be that of ${rules[first]?.path ?? "another"}` }];
  });
}

function ruleProblems(listed: Listed, spec: AntreaSpec, around: Surroundings): readonly Problem[] {
  const { rule, peers, path, peersPath } = listed;
  const { appliedTo = [] } = rule;
  return [
    ...(rule.action === "Pass" && spec.tier?.toLowerCase() === "baseline"
      ? [{ field: `${path}.action`, message: "must not be Pass in the baseline tier" }]
      : []),
    ...contentProblems(listed),
    ...toServicesProblems(listed, around),
    ...appliedProblems(appliedTo, `${path}.appliedTo`, around),
    ...serviceProblems(appliedTo, `${path}.appliedTo`, [listed]),
    ...peers.flatMap(({ group }, index) => {
      const found = group === undefined ? {} : around.groups(group, around.namespace);
      const field = `${peersPath}[${index}].group`;
      return typeof found === "string" ? [{ field, message: found }] : [];
    }),
  ];
}

function contentProblems({ rule, path }: Listed): readonly Problem[] {
  if ((rule.l7Protocols ?? []).length === 0) return [];
  const field = `${path}.l7Protocols`;
  if (rule.action !== "Allow") return [{ field, message: "needs the action Allow" }];
  return (rule.toServices ?? []).length > 0 ? [{ field, message: "must not be beside toServices" }] : [];
}

function toServicesProblems({ rule, peers, path }: Listed, { namespace }: Surroundings): readonly Problem[] {
  const { toServices = [], ports = [], protocols = [] } = rule;
  if (toServices.length === 0) return [];
  const beside = peers.length + ports.length + protocols.length > 0;
  return [
    ...(beside ? [{ field: `${path}.toServices`, message: "must not be beside to, ports or protocols" }] : []),
    ...toServices.flatMap((service, index) => {
      if (service.namespace !== undefined || namespace !== undefined) return [];
      return [{ field: `${path}.toServices[${index}].namespace`, message: "is missing; it must be text" }];
    }),
  ];
}

function appliedProblems(appliedTo: readonly AppliedTo[], path: string, around: Surroundings): readonly Problem[] {
  return appliedTo.flatMap(({ group }, index) => {
    const found = group === undefined ? undefined : around.groups(group, around.namespace);
    const field = `${path}[${index}].group`;
    if (typeof found === "string") return [{ field, message: found }];
    const outside = around.namespace !== undefined && found?.acrossNamespaces === true;
    return outside ? [{ field, message: `names a Group that selects pods of other namespaces, ${group}` }] : [];
  });
}

/** A NodePort Service: no other entries beside it, no egress, and none but ipBlocks as peers. */
function serviceProblems(appliedTo: readonly AppliedTo[], path: string, rules: readonly Listed[]): readonly Problem[] {
  const services = appliedTo.filter(({ service }) => service !== undefined).length;
  if (services === 0) return [];
  const egress = rules.some(({ direction }) => direction === "egress");
  const others = rules.some(({ peers }) => peers.some(({ ipBlock }) => ipBlock === undefined));
  return [
    ...(services < appliedTo.length ? [{ field: path, message: "must not name Services and others together" }] : []),
    ...(egress ? [{ field: path, message: "must not name a Service where there is an egress rule" }] : []),
    ...(others ? [{ field: path, message: "must not name a Service where a peer is no ipBlock" }] : []),
  ];
}
