import type { Freshness } from "../kubernetes/cluster.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { Pod } from "../policy/objects.ts";
import type { Operation } from "../policy/operation.ts";
import type { Choices, QuarantinePlan } from "../policy/plan.ts";
import { readView } from "./cluster-view.ts";
import { emptyEndpointsOf } from "./empty-endpoints.ts";
import { readImpactFacts } from "./impact-facts.ts";
import { pickEngine } from "./pick-engine.ts";
import { denialOf, planQuarantine } from "./quarantine-plan.ts";
import { clusterOf, type Services } from "./services.ts";

export type Drawing = {
  readonly choices: Choices;
  readonly from: Freshness;
  /**
   * The plan that is drawn again: its engine is kept, and what it says of the pod's surroundings, which is for people to
   * read and takes many calls.
   */
  readonly again?: QuarantinePlan;
};

/** Gathers facts and decides: the plan as it would be now. */
export async function drawQuarantine(
  services: Services,
  operation: Operation,
  pod: Pod,
  { choices, from, again }: Drawing,
): Promise<QuarantinePlan | Refusal> {
  const { settings } = services;
  const { cluster } = clusterOf(services, operation.target.cluster);
  const { namespace, nodeName } = pod;
  const nodes = nodeName === undefined ? [] : [nodeName];
  const facts = await cluster.facts(namespace, from);
  const [view, emptyEndpoints, around] = await Promise.all([
    readView(
      services,
      cluster.name,
      { namespace, facts },
      { nodes, principal: operation.principal, wide: again === undefined },
    ),
    emptyEndpointsOf(cluster, settings.endpoints, { facts, namespace }),
    again ?? readImpactFacts(cluster, namespace, [pod]),
  ]);
  const asked = again?.engine ?? choices.engine;
  const picked = await pickEngine(cluster, view.detection, denialOf({ operation, pod, settings }, []), asked);
  if (isRefusal(picked)) return picked;
  const given = { operation, cluster: cluster.name, pod, facts, view, settings, choices, around, emptyEndpoints };
  return planQuarantine({ ...given, ...picked });
}
