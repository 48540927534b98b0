import { z } from "zod";
import type { IpBlock } from "./antrea-schema.ts";
import { ipBlock } from "./antrea-schema.ts";
import { backendsOf, serviceNamed } from "./antrea-services.ts";
import { fields } from "./fields.ts";
import { podsAcross, podsOf } from "./matcher.ts";
import type { Matcher, Problem, WireObject } from "./model.ts";
import { problemsOf } from "./problems.ts";
import { labelSelector } from "./selector-schema.ts";
import type { SimulatedService } from "./snapshot.ts";

/** What a ClusterGroup or Group selects. */
export type Members = {
  readonly pods: readonly Matcher[];
  readonly ipBlocks: readonly IpBlock[];
  readonly nodes: boolean;
  readonly externalEntities: boolean;
  /** Pods of other namespaces than the group's own may be among them. */
  readonly acrossNamespaces: boolean;
};

/** Asks for a group by name: a ClusterGroup where `namespace` is undefined. A text says why it cannot be used. */
export type Groups = (name: string, namespace: string | undefined) => Members | string;

const name = z.string().min(1);
const kinds = [
  "podSelector",
  "externalEntitySelector",
  "nodeSelector",
  "ipBlocks",
  "serviceReference",
  "childGroups",
] as const;
const schema = fields({
  spec: fields({
    podSelector: labelSelector.exactOptional(),
    namespaceSelector: labelSelector.exactOptional(),
    nodeSelector: labelSelector.exactOptional(),
    externalEntitySelector: labelSelector.exactOptional(),
    ipBlocks: z.array(ipBlock).exactOptional(),
    serviceReference: fields({ name, namespace: name }).exactOptional(),
    childGroups: z.array(name).exactOptional(),
  }).superRefine((spec, context) => {
    const given = kinds.filter((kind) => spec[kind] !== undefined);
    const [only = "podSelector"] = given;
    const paired = only === "podSelector" || only === "externalEntitySelector";
    const some = given.length === 1 || (given.length === 0 && spec.namespaceSelector !== undefined);
    if (some && (paired || spec.namespaceSelector === undefined)) return;
    const message = `needs one of ${kinds.join(", ")}, or namespaceSelector, alone or with one of the first two`;
    context.addIssue({ code: "custom", message });
  }),
});

type GroupSpec = z.infer<typeof schema>["spec"];

const none: Members = { pods: [], ipBlocks: [], nodes: false, externalEntities: false, acrossNamespaces: false };

/** What is wrong in a ClusterGroup or Group by itself. */
export function groupProblems(object: WireObject): readonly Problem[] {
  const { error } = schema.safeParse({ spec: object["spec"] });
  return error === undefined ? [] : problemsOf(error);
}

/**
 * Groups by name (Antrea's documentation, ClusterGroup and Group). Of a group that does not exist Antrea selects nothing;
 * here it is a problem, as the objects that were read may not be all.
 */
export function groupsOf(objects: readonly WireObject[], services: readonly SimulatedService[]): Groups {
  const known = new Map(objects.filter(isGroup).map((object) => [keyOf(object), object["spec"]]));
  const ask = (group: string, namespace: string | undefined, nested: boolean): Members | string => {
    const key = `${namespace ?? ""}/${group}`;
    const kind = namespace === undefined ? "ClusterGroup" : "Group";
    if (!known.has(key)) return `names a ${kind} that is not here, ${group}`;
    const parsed = schema.safeParse({ spec: known.get(key) });
    if (!parsed.success) return `names a ${kind} that could not be read, ${group}`;
    const { childGroups, ...spec } = parsed.data.spec;
    if (childGroups === undefined) return membersOf(spec, namespace, services);
    if (nested) return `names a ${kind} that is nested more than once, in ${group}`;
    return together(childGroups.map((child) => ask(child, namespace, true)));
  };
  return (group, namespace) => ask(group, namespace, false);
}

function isGroup({ apiVersion, kind }: WireObject): boolean {
  return apiVersion === "crd.antrea.io/v1beta1" && (kind === "ClusterGroup" || kind === "Group");
}

function keyOf({ kind, metadata }: WireObject): string {
  return `${kind === "Group" ? (metadata.namespace ?? "default") : ""}/${metadata.name}`;
}

function membersOf(spec: GroupSpec, namespace: string | undefined, services: readonly SimulatedService[]): Members {
  if (spec.ipBlocks !== undefined) return { ...none, ipBlocks: spec.ipBlocks };
  if (spec.nodeSelector !== undefined) return { ...none, nodes: true };
  if (spec.externalEntitySelector !== undefined) return { ...none, externalEntities: true };
  if (spec.serviceReference !== undefined) {
    const { name: service, namespace: of } = spec.serviceReference;
    return { ...none, pods: [backendsOf(serviceNamed(services, of, service))], acrossNamespaces: of !== namespace };
  }
  const { podSelector, namespaceSelector } = spec;
  const inside = namespace !== undefined && namespaceSelector === undefined;
  const pods = inside ? podsOf(namespace, podSelector) : podsAcross(namespaceSelector, podSelector);
  return { ...none, pods: [pods], acrossNamespaces: !inside };
}

function together(children: readonly (Members | string)[]): Members | string {
  const wrong = children.find((child) => typeof child === "string");
  if (wrong !== undefined) return wrong;
  const members = children.filter((child) => typeof child !== "string");
  return {
    pods: members.flatMap(({ pods }) => pods),
    ipBlocks: members.flatMap(({ ipBlocks }) => ipBlocks),
    nodes: members.some(({ nodes }) => nodes),
    externalEntities: members.some(({ externalEntities }) => externalEntities),
    acrossNamespaces: members.some(({ acrossNamespaces }) => acrossNamespaces),
  };
}
