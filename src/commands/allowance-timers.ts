import type { Cluster } from "../kubernetes/cluster.ts";
import type { Timer } from "../scheduler/timers.ts";
import type { Services } from "./services.ts";

/** An object that is to end. */
export type Ending = {
  readonly namespace: string;
  readonly name: string;
  readonly operation: string;
};

/** What wakes a replica up to look at the object; whether it is to be closed then is decided by the object alone. */
export function timerFor(cluster: Pick<Cluster, "name">, { namespace, name, operation }: Ending): Timer {
  return { id: `${cluster.name} ${namespace}/${name}`, payload: operation };
}

/** Sets a timer for each, due in so many milliseconds, from anew where it is there. Throws where the store is away. */
export async function setTimers(
  { timers }: Pick<Services, "timers">,
  cluster: Pick<Cluster, "name">,
  endings: readonly Ending[],
  inMs: number,
): Promise<void> {
  if (timers === undefined) throw new Error("no Redis is there to set timers in");
  await Promise.all(endings.map((ending) => timers.set(timerFor(cluster, ending), inMs)));
}

/** What a timer's id says; undefined where it is none of these. */
export function placeOf(id: string): (Omit<Ending, "operation"> & { readonly cluster: string }) | undefined {
  const [, cluster, namespace, name] = /^(\S+) ([^\s/]+)\/([^\s/]+)$/.exec(id) ?? [];
  return cluster === undefined || namespace === undefined || name === undefined
    ? undefined
    : { cluster, namespace, name };
}
