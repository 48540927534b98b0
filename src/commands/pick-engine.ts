import { chooseEngine } from "../engines/choose.ts";
import type { Denial } from "../engines/denial.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { isUnanswered } from "../kubernetes/failure.ts";
import type { DenyEngine, Detection } from "../policy/engine.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import { objectsFor } from "./containment.ts";
import { mayWrite } from "./rights.ts";

/** The engine that denies, and what a person is to know of that choice. */
export type Picked = { readonly engine: DenyEngine; readonly remarks: readonly string[] };

/**
 * The engine that is asked for, else the strongest that is known to be enforced and that Kubernetes lets Bulkhead write
 * here: a weaker one now is better than a refusal, and the plan says which right a stronger one needs.
 */
export async function pickEngine(
  cluster: Cluster,
  detection: Detection,
  denial: Denial,
  asked: DenyEngine | undefined,
): Promise<Picked | Refusal> {
  const choice = chooseEngine(detection, asked);
  if (isRefusal(choice)) return choice;
  const { engine, warnings } = choice;
  if (asked !== undefined || engine === "networkpolicy" || (await mayDeny(cluster, detection, denial, engine))) {
    return { engine, remarks: warnings };
  }
  const others = detection.engines.filter((each) => each.engine !== engine);
  const next = await pickEngine(cluster, { ...detection, engines: others }, denial, undefined);
  if (isRefusal(next)) return next;
  const remark = `${engine} is enforced here and stronger, but Kubernetes does not let Bulkhead write it in ${denial.namespace}: see "What each right is for" in deploy/README.md.`;
  return { engine: next.engine, remarks: [remark, ...next.remarks] };
}

/** Where that cannot be asked, the first write tells. */
async function mayDeny(cluster: Cluster, detection: Detection, denial: Denial, engine: DenyEngine): Promise<boolean> {
  const { denies } = objectsFor(engine, denial, detection);
  try {
    return await mayWrite(cluster, denies);
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return true;
  }
}
