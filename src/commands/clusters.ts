import { decideAccess, type Place, type Verb } from "../policy/access.ts";
import { chooseCluster, type Sighting, soleHolder } from "../policy/choose-cluster.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { didYouMean } from "../policy/suggest.ts";
import { type Target, targetReference } from "../policy/target.ts";
import { sees } from "./sees.ts";
import type { Context, Services } from "./services.ts";

/** How long a cluster is waited for where others can be answered for without it. */
export const patienceMs = 3_000;

/** What was typed, as it is for people without its cluster, and whether a cluster holds what is meant: asked of each where nothing else says which one. */
export type Sought = {
  readonly verb: Verb;
  readonly reference: Pick<Target, "namespace" | "pod" | "workload"> & { readonly cluster: string | undefined };
  readonly isIn: (cluster: string) => Promise<boolean>;
};

/**
 * The cluster that a command about one pod means, or why that cannot be said; undefined where the caller may not do
 * this in any cluster, which is for decideAccess to refuse. Only clusters where the caller may are asked.
 */
export async function clusterFor(
  context: Context,
  { verb, reference, isIn }: Sought,
): Promise<string | undefined | Refusal> {
  const { services, request } = context;
  const { namespace } = reference;
  const names = [...services.clusters.keys()];
  const choice = chooseCluster(
    { ...services.settings.clusters, names },
    { named: reference.cluster, channel: request.channel },
  );
  if (choice.kind === "unknown") return unknownCluster(context, choice.name);
  if (choice.kind === "chosen") {
    if (isSeen(context, choice.cluster)) return choice.cluster;
    return reference.cluster === undefined ? unseenCluster(context, verb) : unknownCluster(context, choice.cluster);
  }
  const { access } = services.settings;
  const allowed = names.filter(
    (cluster) => decideAccess(access, request.principal, verb, { cluster, namespace }).allowed,
  );
  if (allowed.length === 0) return undefined;
  const sightings = await Promise.all(allowed.map((cluster) => look(cluster, isIn)));
  return soleHolder(sightings, targetReference(reference));
}

/**
 * The cluster that a command about a whole cluster means: named, the channel's, the default, the only one; else a refusal.
 */
export function wholeCluster(context: Context, verb: Verb, named: string | undefined): string | Refusal {
  const { services, request } = context;
  const names = [...services.clusters.keys()];
  const choice = chooseCluster({ ...services.settings.clusters, names }, { named, channel: request.channel });
  if (choice.kind === "unknown") return unknownCluster(context, choice.name);
  if (choice.kind === "search") {
    return refusal(
      "which cluster is meant is not guessed",
      `Name it, with a colon. Clusters are: ${seenClusters(context).join(", ")}.`,
    );
  }
  if (isSeen(context, choice.cluster)) return choice.cluster;
  return named === undefined ? unseenCluster(context, verb) : unknownCluster(context, choice.cluster);
}

/** The place as typed, or the refusal of a cluster that the person cannot know. What only reads may be about all clusters. */
export function placeFor(context: Context, place: Place): Place | Refusal {
  const { cluster } = place;
  return cluster === undefined || isSeen(context, cluster) ? place : unknownCluster(context, cluster);
}

/** A pod or a namespace, for people: with its cluster where several are configured. */
export function inCluster(services: Services, cluster: string | undefined, name: string): string {
  return cluster === undefined || services.clusters.size < 2 ? name : `${cluster}:${name}`;
}

/** The value, or a rejection after so many milliseconds; the work itself is not stopped, and its end is then ignored. */
export async function inTime<T>(work: Promise<T>, ms = patienceMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function look(cluster: string, isIn: Sought["isIn"]): Promise<Sighting> {
  try {
    return { cluster, holds: await inTime(isIn(cluster)) };
  } catch (error) {
    return { cluster, holds: "unknown", why: error instanceof Error ? error.message : String(error) };
  }
}

/** A cluster where one has no right is as one that is not there. */
function isSeen({ services, request }: Context, cluster: string): boolean {
  return services.clusters.has(cluster) && sees(services, request.principal, { cluster, namespace: undefined });
}

/** Names the clusters in which the person has some right. */
function unknownCluster(context: Context, name: string): Refusal {
  const seen = seenClusters(context);
  return refusal(`there is no cluster ${name}`, `Clusters are: ${seen.join(", ")}.${didYouMean(name, seen)}`);
}

/** Of the cluster that the channel or the configuration chose: the person did not name it, and is not told its name. */
function unseenCluster(context: Context, verb: Verb): Refusal {
  return refusal(
    `no rule of the access section lets you ${verb} in the cluster that is meant here where none is named`,
    `Name the cluster. Clusters are: ${seenClusters(context).join(", ")}.`,
  );
}

function seenClusters(context: Context): readonly string[] {
  return [...context.services.clusters.keys()].filter((cluster) => isSeen(context, cluster));
}
