import type { Cluster, Freshness, NamespaceFacts } from "../kubernetes/cluster.ts";
import { type BoundTemplate, bindTemplate } from "../policy/bind-template.ts";
import { breakGlassTtl } from "../policy/break-glass.ts";
import { formatDuration } from "../policy/duration.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Labels } from "../policy/objects.ts";
import { type End, type Lookup, namespacesOf, type Opening, resolveOpenings } from "../policy/openings.ts";
import type { Operation } from "../policy/operation.ts";
import type { AllowPlan } from "../policy/plan.ts";
import { selects } from "../policy/selector.ts";
import { didYouMean } from "../policy/suggest.ts";
import type { NamespaceTarget } from "../policy/target.ts";
import { type Template, type Ttl, ttlFor } from "../policy/template.ts";
import type { SimulatedPod } from "../simulator/snapshot.ts";
import { withoutPods } from "./allow-contained.ts";
import { endWords } from "./allow-paths.ts";
import { planAllow } from "./allow-plan.ts";
import { clusterDns } from "./cluster-dns.ts";
import { readView } from "./cluster-view.ts";
import { findAnyWorkload } from "./find-workload.ts";
import { reaperState } from "./heartbeat.ts";
import { clusterOf, type Services } from "./services.ts";

/** What was asked for; the time is the person's, undefined for the template's own. */
export type AllowDrawing = {
  readonly template: string;
  readonly values: Labels;
  readonly ttlMs: number | undefined;
  readonly breakGlass: boolean;
  readonly from: Freshness;
};

/** Gathers facts and decides: the plan as it would be now, or why there is none. */
export async function drawAllow(
  services: Services,
  operation: Operation,
  target: NamespaceTarget,
  asked: AllowDrawing,
): Promise<AllowPlan | Refusal> {
  const bound = bindNamed(services, asked.template, asked.values);
  if (isRefusal(bound)) return bound;
  const ttl = ttlOf(services, bound.template, asked);
  if (isRefusal(ttl)) return ttl;
  const { cluster } = clusterOf(services, target.cluster);
  const unreaped = await refuseUnreaped(services, cluster.name);
  if (unreaped !== undefined) return unreaped;
  const [facts, dns] = await Promise.all([
    factsOf(cluster, bound, asked.from),
    clusterDns(cluster, services.settings.dns),
  ]);
  if (cluster.serverTime() === undefined) return noTime;
  const own = facts.get(target.namespace) ?? (await cluster.facts(target.namespace, asked.from));
  const found = resolveOpenings(bound, { workload: workloadIn(facts), dns: dns.endpoints });
  if ("refusals" in found) return joined(found.refusals);
  const { openings } = found;
  const { principal } = operation;
  const view = await readView(
    services,
    cluster.name,
    { namespace: target.namespace, facts: own },
    { nodes: [], principal },
  );
  const onHost = refuseHost(openings, view.snapshot.pods);
  if (onHost !== undefined) return onHost;
  const warnings = withoutPods(openings, view.snapshot.pods);
  const policies = [...facts.values(), ...(await otherFacts(cluster, openings, facts))].flatMap((one) => one.policies);
  const { breakGlass } = asked;
  return planAllow({ operation, target, bound, openings, ttl, breakGlass, policies, view, warnings });
}

function ttlOf({ settings }: Services, template: Template, { ttlMs, breakGlass }: AllowDrawing): Ttl | Refusal {
  const ttl = ttlFor(template, ttlMs);
  return isRefusal(ttl) || !breakGlass ? ttl : breakGlassTtl(ttl, ttlMs, settings.breakGlassMs);
}

const noTime = refusal(
  "the API server says no time (its answers have no Date), and what is opened closes by its clock",
  "Try again in a moment; where a proxy stands before the API server, let it pass the header Date.",
);

/** Nothing is opened where nobody would close it once every replica is gone. */
async function refuseUnreaped(services: Services, cluster: string): Promise<Refusal | undefined> {
  if (!services.settings.requiresReaper) return undefined;
  const { state, ageMs, problems } = await reaperState(services, cluster);
  if (state === "fresh") return undefined;
  const since =
    state === "never"
      ? "has never been here"
      : `was here last ${ageMs === undefined ? "nobody knows when" : `${formatDuration(ageMs)} ago`}`;
  const why = problems[0] === undefined ? "" : ` (${problems[0]})`;
  return refusal(
    `the reaper, which closes what is open where every replica is gone, ${since}${why}`,
    "Look at its CronJob: kubectl get cronjob -n bulkhead. allow.requireReaper in the configuration opens without it.",
  );
}

/** What such pods send and receive is the node's to every policy (facts: network-policy §1): their labels match nothing. */
function refuseHost(openings: readonly Opening[], pods: readonly SimulatedPod[]): Refusal | undefined {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  const end = ends.find((one) => isOnHost(one, pods));
  return end === undefined
    ? undefined
    : refusal(
        `the pods of ${endWords(end)} are on the host's network, and policies see their traffic as the node's`,
        "Use a template that takes the addresses of the nodes.",
      );
}

function isOnHost(end: End, pods: readonly SimulatedPod[]): boolean {
  if (end.kind !== "pods") return false;
  const selected = pods.filter(({ namespace, labels }) => namespace === end.namespace && selects(end.selector, labels));
  return selected.length > 0 && selected.every(({ hostNetwork }) => hostNetwork);
}

/** The template of that name with these values, or what is wrong with them. */
export function bindNamed(services: Services, name: string, values: Labels): BoundTemplate | Refusal {
  const template = templateNamed(services, name);
  if (isRefusal(template)) return template;
  const bound = bindTemplate(template, values);
  return "refusals" in bound ? joined(bound.refusals) : bound;
}

function templateNamed({ templates }: Services, name: string): Template | Refusal {
  const all = templates.all();
  const names = all.map((one) => one.name);
  return (
    all.find((one) => one.name === name) ??
    refusal(`there is no template ${name}`, `Type /np allow to see those that there are.${didYouMean(name, names)}`)
  );
}

/** All that is wrong, in one refusal. */
function joined(refusals: readonly Refusal[]): Refusal {
  const unique = (texts: readonly string[], between: string) => [...new Set(texts)].join(between);
  return refusal(
    unique(
      refusals.map(({ reason }) => reason),
      "; ",
    ),
    unique(
      refusals.map(({ next }) => next),
      " ",
    ),
  );
}

async function factsOf(
  cluster: Cluster,
  bound: BoundTemplate,
  from: Freshness,
): Promise<ReadonlyMap<string, NamespaceFacts>> {
  const namespaces = namespacesOf(bound);
  const facts = await Promise.all(namespaces.map((namespace) => cluster.facts(namespace, from)));
  return new Map(namespaces.map((namespace, index) => [namespace, facts[index] as NamespaceFacts]));
}

/** Of where the cluster's DNS is. What cannot be read is looked at once more after writing, across all namespaces. */
async function otherFacts(
  cluster: Cluster,
  openings: readonly Opening[],
  known: ReadonlyMap<string, NamespaceFacts>,
): Promise<readonly NamespaceFacts[]> {
  const ends = openings.flatMap(({ from, to }) => [from, to]);
  const namespaces = new Set(ends.flatMap((end) => (end.kind === "pods" ? [end.namespace] : [])));
  const others = [...namespaces].filter((namespace) => !known.has(namespace));
  const facts = await Promise.allSettled(others.map((namespace) => cluster.facts(namespace, "recent")));
  return facts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
}

function workloadIn(facts: ReadonlyMap<string, NamespaceFacts>): Lookup["workload"] {
  return (asked) => {
    const known = facts.get(asked.namespace);
    if (known === undefined) throw new Error(`namespace ${asked.namespace} was not read`);
    return findAnyWorkload(known, asked);
  };
}
