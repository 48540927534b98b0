import type { Workload } from "../policy/objects.ts";
import type { NamespaceFacts } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { listAll } from "./list.ts";
import { parsePod, parsePolicy, parseService } from "./parse.ts";
import { collectionPath, type Resource, resources } from "./resources.ts";
import { parseWorkload, workloadResources } from "./workloads.ts";

/** Direct lists of one namespace, or of all where none is given, all at once. A kind that may not be listed makes it throw: it never reads as empty. */
export async function listFacts(
  connection: Connection,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<NamespaceFacts> {
  const list = async <T>(resource: Resource, parse: (raw: unknown) => T): Promise<readonly T[]> =>
    (await listAll(connection, collectionPath(resource, namespace), parse, { signal })).items;
  const [pods, services, policies, ...workloads] = await Promise.all([
    list(resources.pods, parsePod),
    list(resources.services, parseService),
    list(resources.policies, parsePolicy),
    ...workloadResources.map(([kind, resource]) => list<Workload>(resource, (raw) => parseWorkload(kind, raw))),
  ]);
  return { pods, services, policies, workloads: workloads.flat(), ageMs: 0 };
}
