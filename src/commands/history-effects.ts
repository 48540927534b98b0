import type { Principal } from "../policy/principal.ts";
import type { Revision } from "../policy/revision.ts";
import { compile, type Simulator } from "../simulator/compile.ts";
import { effectIn } from "./change-effect.ts";
import { type ClusterView, readView } from "./cluster-view.ts";
import { inTime } from "./clusters.ts";
import { judgedBy } from "./detection.ts";
import type { Worked } from "./history-lines.ts";
import type { Services } from "./services.ts";

/** The whole cluster as the person may see it, from the cache. Throws where it does not answer. */
export function wholeView(services: Services, cluster: string, principal: Principal): Promise<ClusterView> {
  const facts = { pods: [], services: [], workloads: [], policies: [], ageMs: 0 };
  return readView(services, cluster, { namespace: "", facts }, { nodes: [], principal });
}

/** For all of them together. */
const effectsMs = 1_000;

/** More pods than this take longer to compile than an answer may keep everything else waiting. */
const mostPods = 2_000;

/**
 * What each change does in its cluster as it is now, in their order, as far as the time goes; undefined for what is not worked
 * out.
 */
export async function effectsOf(
  services: Services,
  principal: Principal,
  revisions: readonly Revision[],
): Promise<readonly Worked[]> {
  const until = services.now() + effectsMs;
  const names = [...new Set(revisions.map(({ cluster }) => cluster))].filter((name) => services.clusters.has(name));
  const compiled = new Map(
    await Promise.all(names.map(async (name) => [name, await simulatorOf(services, principal, name)] as const)),
  );
  const effects: Worked[] = [];
  for (const { cluster, before, after } of revisions) {
    // Others get their turn: Slack waits 3 s for an acknowledgement.
    await services.wait(0);
    const simulator = services.now() > until ? undefined : compiled.get(cluster);
    effects.push(simulator && effectIn(simulator, [{ from: before, to: after }], { most: Infinity }));
  }
  return effects;
}

async function simulatorOf(services: Services, principal: Principal, cluster: string): Promise<Simulator | undefined> {
  try {
    const { snapshot, detection } = await inTime(wholeView(services, cluster, principal), effectsMs);
    return snapshot.pods.length > mostPods ? undefined : compile(snapshot, judgedBy(detection));
  } catch (error) {
    services.meter({ kind: "error", where: "history", message: String(error) });
    return undefined;
  }
}
