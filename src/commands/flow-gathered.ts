import { decideAccess } from "../policy/access.ts";
import { scopeOf } from "./flow-asked.ts";
import { type GatheredFlows, gatherFlows } from "./flow-gather.ts";
import type { FlowServices } from "./flow-services.ts";
import { lastWindow } from "./flow-window.ts";
import type { Context } from "./services.ts";

type Asked = {
  readonly cluster: string | undefined;
  readonly namespace: string | undefined;
  readonly workload: Parameters<typeof scopeOf>[2]["workload"];
  /** Undefined: as long as usual. */
  readonly sinceMs: number | undefined;
};

/** What was denied lately of what is asked for, in every cluster where the person may look. Throws where a store is away. */
export async function gatherAsked(
  context: Context,
  known: FlowServices,
  { cluster, namespace, workload, sinceMs }: Asked,
): Promise<GatheredFlows> {
  const { services, request } = context;
  const window = lastWindow(services.now(), sinceMs);
  const may = (name: string): boolean =>
    (cluster === undefined || name === cluster) &&
    decideAccess(services.settings.access, request.principal, "status", { cluster: name, namespace }).allowed;
  const names = [...services.clusters.keys()].filter(may);
  const found = await Promise.all(
    names.map(async (name) => {
      const scope = await scopeOf(services, name, { namespace, workload });
      return { scope, flows: await gatherFlows(context, known, { cluster: name, window, scope }) };
    }),
  );
  const [first] = found;
  const scope = first?.scope ?? { namespace, workloads: undefined, words: namespace };
  return { scope, window, clusters: found.map((one) => one.flows) };
}
