import { specProblems } from "./antrea-checks.ts";
import { type Groups, groupProblems, groupsOf } from "./antrea-groups.ts";
import { subjectOf } from "./antrea-peers.ts";
import { type RuleSurroundings, rulesOf, throughNodePort } from "./antrea-rules.ts";
import { type AntreaRule, type AntreaSpec, clusterPolicySpec, namespacedPolicySpec } from "./antrea-schema.ts";
import { type Tiers, tierProblems, tiersOf } from "./antrea-tiers.ts";
import { fields } from "./fields.ts";
import { anyOf } from "./matcher.ts";
import type { Direction, Policy, Problem, SimulatedNamespace, Stage, Translation, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Translator } from "./stages.ts";

const apiVersion = "crd.antrea.io/v1beta1";
const kinds = ["ClusterNetworkPolicy", "NetworkPolicy", "Tier", "ClusterGroup", "Group"];

const clusterSchema = fields({ spec: clusterPolicySpec });
const namespacedSchema = fields({ spec: namespacedPolicySpec });

type Known = {
  readonly tiers: Tiers;
  readonly groups: Groups;
  readonly services: Snapshot["services"];
  readonly namespaces: readonly SimulatedNamespace[];
};

/**
 * ClusterNetworkPolicy and NetworkPolicy of Antrea, with their tiers and groups: ordered by tier, priority and place, with
 * no implicit isolation (Antrea's documentation, Antrea Network Policy CRDs; facts: network-policy §2.5). Policies of one
 * tier and priority have no defined order.
 */
export function antreaTranslator(objects: readonly WireObject[], snapshot: Snapshot): Translator {
  const tiers = tiersOf(objects);
  const known: Known = {
    tiers,
    groups: groupsOf(objects, snapshot.services),
    services: snapshot.services,
    namespaces: populated(snapshot),
  };
  return {
    reads: ({ apiVersion: version, kind }) => version.startsWith("crd.antrea.io/") && kinds.includes(kind),
    translate: (object) => translateObject(object, known),
    arrangement: tiers.arrangement,
  };
}

function populated({ namespaces, pods }: Snapshot): readonly SimulatedNamespace[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const names = new Set(pods.map(({ namespace }) => namespace));
  return [...names].map((name) => byName.get(name) ?? { name, labels: { "kubernetes.io/metadata.name": name } });
}

function translateObject(object: WireObject, known: Known): Translation {
  if (object.apiVersion !== apiVersion)
    return { problems: [{ field: "apiVersion", message: `must be ${apiVersion}, the only version that is read` }] };
  if (object.kind === "Tier") return translated(tierProblems(object));
  if (object.kind === "ClusterGroup" || object.kind === "Group") return translated(groupProblems(object));
  return translatePolicy(object, known);
}

function translated(problems: readonly Problem[], policies: readonly Policy[] = []): Translation {
  return problems.length > 0 ? { problems } : { policies };
}

function translatePolicy(object: WireObject, known: Known): Translation {
  const cluster = object.kind === "ClusterNetworkPolicy";
  const parsed = (cluster ? clusterSchema : namespacedSchema).safeParse({ spec: object["spec"] });
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const spec: AntreaSpec = parsed.data.spec;
  const namespace = cluster ? undefined : (object.metadata.namespace ?? "default");
  const around = { ...known, namespace };
  const stage = known.tiers.stageOf(spec.tier);
  const problems = specProblems(spec, around);
  if (typeof stage === "string") return { problems: [{ field: "spec.tier", message: stage }, ...problems] };
  if (problems.length > 0) return { problems };
  const reference = { kind: `${object.kind} (crd.antrea.io)`, namespace, name: object.metadata.name };
  return { policies: [policyOf(spec, { ...around, sameLabels: sameLabelsOf(spec) }, { reference, stage })] };
}

function policyOf(
  spec: AntreaSpec,
  around: Omit<RuleSurroundings, "direction">,
  { reference, stage }: { reference: Policy["reference"]; stage: Stage },
): Policy {
  const { ingress = [], egress = [], appliedTo = [] } = spec;
  const nodePort = appliedTo.some(({ service }) => service !== undefined);
  const inEach = [...ingress, ...egress].map((rule) => subjectOf(rule.appliedTo ?? [], around));
  return {
    reference,
    stage,
    rank: [spec.priority],
    subject: appliedTo.length > 0 ? subjectOf(appliedTo, around) : anyOf(inEach),
    ingress: ingress.flatMap(({ from = [], ...rule }, index) =>
      rulesOf(rule, from, nameOf("ingress", index, rule), { ...around, direction: "ingress" }),
    ),
    egress: egress.flatMap(({ to = [], ...rule }, index) =>
      rulesOf(rule, to, nameOf("egress", index, rule), { ...around, direction: "egress" }),
    ),
    isolates: { ingress: false, egress: false },
    notEvaluated: notEvaluated(spec),
    ...(nodePort ? { maybe: throughNodePort } : {}),
  };
}

function nameOf(direction: Direction, index: number, { name = "" }: AntreaRule): string {
  return `${direction}[${index}]${name === "" ? "" : ` (${name})`}`;
}

function sameLabelsOf({ ingress = [], egress = [] }: AntreaSpec): readonly string[] {
  const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
  return [...new Set(peers.flatMap(({ namespaces }) => namespaces?.sameLabels ?? []))];
}

function notEvaluated({ appliedTo = [], ingress = [], egress = [] }: AntreaSpec): readonly string[] {
  const rules = [...ingress, ...egress];
  const subjects = [...appliedTo, ...rules.flatMap((rule) => rule.appliedTo ?? [])];
  return [
    ...(rules.some(({ protocols = [] }) => protocols.length > 0) ? ["protocols: ICMP and IGMP"] : []),
    ...(subjects.some(({ nodeSelector }) => nodeSelector !== undefined) ? ["appliedTo: rules for nodes"] : []),
  ];
}
