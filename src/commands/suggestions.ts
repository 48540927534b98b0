import { decideAccess } from "../policy/access.ts";
import { allowCandidates } from "./allow-suggestions.ts";
import type { Asked, Candidate, Suggestion } from "./form.ts";
import { podValue, readQuarantine } from "./quarantine-form.ts";
import type { Services } from "./services.ts";

/** Slack shows no more options, and no longer labels. */
const most = 100;
const longestLabel = 75;

/**
 * Names for a field, only of where this person may do it (invariant 7: every entrance asks decideAccess); nothing for who
 * may not. From the cache where it is current. Throws where a cluster does not answer.
 */
export async function suggest(services: Services, asked: Asked): Promise<readonly Suggestion[]> {
  const { kind } = asked;
  const names = await (kind === "allow" ? allowCandidates(services, asked) : quarantineCandidates(services, asked));
  const typed = asked.typed.trim().toLowerCase();
  const found = names.filter(({ name }) => name.includes(typed));
  const rank = (name: string): number => (name.startsWith(typed) ? 0 : 1);
  return found
    .toSorted((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name, value }) => ({ label: label(name), value }));
}

async function quarantineCandidates(services: Services, asked: Asked): Promise<readonly Candidate[]> {
  const { principal, field } = asked;
  const filled = readQuarantine(asked.fields);
  const namespace = filled.namespace === "" ? undefined : filled.namespace;
  const [first, ...others] = services.clusters.keys();
  const cluster = filled.cluster ?? (others.length === 0 ? first : undefined);
  const may = (name: string | undefined, namespace: string | undefined): boolean =>
    decideAccess(services.settings.access, principal, "quarantine", { cluster: name, namespace }).allowed;
  if (field === "cluster") return [...services.clusters.keys()].filter((name) => may(name, undefined)).map(same);
  const entry = services.clusters.get(cluster ?? "");
  if (entry === undefined || !may(cluster, undefined)) return [];
  if (field === "namespace") {
    const { protectedNamespaces, ownNamespace } = services.settings;
    const closed = new Set([...protectedNamespaces, ownNamespace]);
    const names = (await entry.cluster.namespaces()).map(({ name }) => name);
    return names.filter((name) => !closed.has(name) && may(cluster, name)).map(same);
  }
  if (field !== "pod" || namespace === undefined || !may(cluster, namespace)) return [];
  const { pods } = await entry.cluster.facts(namespace, "cache");
  return pods.map((pod) => ({ name: pod.name, value: podValue(pod) }));
}

function same(name: string): Candidate {
  return { name, value: name };
}

/** Pods of one controller differ at the end of their names. */
function label(name: string): string {
  return name.length <= longestLabel ? name : `${name.slice(0, 37)}…${name.slice(-37)}`;
}
