import type { Freshness } from "../kubernetes/cluster.ts";
import { groupOf } from "../policy/group.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, ContainPlan } from "../policy/plan.ts";
import type { NamespaceTarget, WorkloadTarget } from "../policy/target.ts";
import { clusterDns } from "./cluster-dns.ts";
import { readView } from "./cluster-view.ts";
import { denialOf, planContain } from "./contain-plan.ts";
import { emptyEndpointsOf } from "./empty-endpoints.ts";
import { findWorkload } from "./find-workload.ts";
import { readImpactFacts } from "./impact-facts.ts";
import { pickEngine } from "./pick-engine.ts";
import { clusterOf, type Services } from "./services.ts";

export type GroupDrawing = {
  readonly choices: Choices;
  readonly from: Freshness;
  /** The plan that is drawn again: its engine is kept, and what it says of the surroundings. */
  readonly again?: ContainPlan;
};

/** Gathers facts and decides: the plan as it would be now. */
export async function drawContain(
  services: Services,
  operation: Operation,
  target: WorkloadTarget | NamespaceTarget,
  { choices, from, again }: GroupDrawing,
): Promise<ContainPlan | Refusal> {
  const { settings } = services;
  const { cluster } = clusterOf(services, target.cluster);
  const { namespace } = target;
  const facts = await cluster.facts(namespace, from);
  const workload = target.workload === undefined ? undefined : findWorkload(facts, target);
  if (workload !== undefined && isRefusal(workload)) return workload;
  const { covered } = groupOf(facts.pods, workload?.selector);
  const nodes = [...new Set(covered.flatMap(({ nodeName }) => nodeName ?? []))];
  const [view, dns, around] = await Promise.all([
    readView(services, cluster.name, { namespace, facts }, { nodes, principal: operation.principal }),
    target.workload === undefined ? clusterDns(cluster, settings.dns) : noDns,
    again ?? readImpactFacts(cluster, namespace, covered),
  ]);
  const denied = { operation, target, workload, settings, dns, facts };
  const denial = denialOf(denied);
  const emptyEndpoints = await emptyEndpointsOf(cluster, denial.endpoints, { facts, namespace });
  const picked = await pickEngine(cluster, view.detection, denial, again?.engine ?? choices.engine);
  if (isRefusal(picked)) return picked;
  return planContain({ ...denied, ...picked, view, choices, around, emptyEndpoints });
}

const noDns = { endpoints: [], warnings: [] };
