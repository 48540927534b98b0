import { decideAccess } from "../policy/access.ts";
import type { Principal } from "../policy/principal.ts";
import { mayUseHere, type Template } from "../policy/template.ts";
import { workloadText } from "../policy/template-values.ts";
import { type Allowing, isAllowing } from "./command.ts";
import { type Asked, type Candidate, type FilledForm, optionValue } from "./form.ts";
import { parse } from "./parse.ts";
import type { Services } from "./services.ts";

/** A template's parameter is asked for in the field of this and its name: no other field is called so. */
export const valuePrefix = "value:";

/** What the form of an allowance was asked for with; undefined where that is not known any more, or not there. */
export function askedFor(
  { templates }: Pick<Services, "templates">,
  typed: string | undefined,
): { readonly command: Allowing; readonly template: Template } | undefined {
  const command = typed === undefined ? undefined : parse(typed);
  if (command === undefined || command.kind === "usage" || !isAllowing(command)) return undefined;
  const template = templates.all().find(({ name }) => name === command.template);
  return template === undefined ? undefined : { command, template };
}

/**
 * Clusters, namespaces and workloads where this person may open something and the template may be used; nothing for who
 * may not. Workloads are those that nobody else controls. Throws where a cluster does not answer.
 */
export async function allowCandidates(services: Services, asked: Asked): Promise<readonly Candidate[]> {
  const found = askedFor(services, asked.command);
  if (found === undefined) return [];
  const { template } = found;
  if (asked.field === "cluster") return clustersFor(services, template, asked.principal).map(same);
  const parameter = asked.field.slice(valuePrefix.length);
  const type = Object.hasOwn(template.parameters, parameter) ? template.parameters[parameter]?.type : undefined;
  if (!asked.field.startsWith(valuePrefix) || (type !== "workload" && type !== "namespace")) return [];
  const cluster = clusterMeant(services, asked, found.command.cluster);
  if (cluster === undefined || !clustersFor(services, template, asked.principal).includes(cluster)) return [];
  return namesIn(services, { template, principal: asked.principal, cluster, type });
}

type Wanted = {
  readonly template: Template;
  readonly principal: Principal;
  readonly cluster: string;
  readonly type: "workload" | "namespace";
};

async function namesIn(
  services: Services,
  { template, principal, cluster, type }: Wanted,
): Promise<readonly Candidate[]> {
  const entry = services.clusters.get(cluster);
  const isOpen = (namespace: string): boolean =>
    mayUseHere(template, { cluster, namespace }) && mayAllow(services, principal, { cluster, namespace });
  if (type === "namespace") {
    const namespaces = (await entry?.cluster.namespaces()) ?? [];
    return namespaces.map(({ name }) => name).flatMap((name) => (isOpen(name) ? [same(name)] : []));
  }
  const facts = await entry?.cluster.facts(undefined, "cache");
  return (facts?.workloads ?? [])
    .filter(({ controller, namespace }) => controller === undefined && isOpen(namespace))
    .map((workload) => same(workloadText(workload)));
}

/** The clusters in which this person may use the template at all. */
export function clustersFor(services: Services, template: Template, principal: Principal): readonly string[] {
  return [...services.clusters.keys()].filter((cluster) => {
    const place = { cluster, namespace: undefined };
    return mayUseHere(template, place) && mayAllow(services, principal, place);
  });
}

function clusterMeant(services: Services, { fields }: FilledForm, typed: string | undefined): string | undefined {
  const [first, ...others] = services.clusters.keys();
  const { cluster = "" } = fields;
  return typed ?? (others.length === 0 ? first : cluster);
}

function mayAllow(
  { settings }: Services,
  principal: Principal,
  place: { readonly cluster: string; readonly namespace: string | undefined },
): boolean {
  return decideAccess(settings.access, principal, "allow", place).allowed;
}

function same(name: string): Candidate {
  return { name, value: optionValue(name) };
}
