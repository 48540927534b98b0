import { type Refusal, refusal } from "./guard.ts";

/** The configured clusters, and which of them is meant where a command names none. */
export type KnownClusters = {
  readonly names: readonly string[];
  /** By channel id. */
  readonly channels: Readonly<Record<string, string>>;
  readonly defaultCluster: string | undefined;
};

/**
 * `chosen` without asking any cluster; `unknown`: the name that was typed is none of ours; `search`: nothing says which
 * one is meant, so the clusters have to be asked.
 */
export type ClusterChoice =
  | { readonly kind: "chosen"; readonly cluster: string }
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "search" };

/** A named cluster wins, then the channel's, then the default, then the only one. Never a guess. */
export function chooseCluster(
  { names, channels, defaultCluster }: KnownClusters,
  asked: { readonly named: string | undefined; readonly channel: string | undefined },
): ClusterChoice {
  const { named, channel } = asked;
  if (named !== undefined) return names.includes(named) ? chosen(named) : { kind: "unknown", name: named };
  const ofChannel = channel !== undefined && Object.hasOwn(channels, channel) ? channels[channel] : undefined;
  const [only, ...more] = names;
  const cluster = ofChannel ?? defaultCluster ?? (more.length === 0 ? only : undefined);
  return cluster === undefined ? { kind: "search" } : chosen(cluster);
}

/** What one cluster said when it was asked for a name; `why` it could not be asked, in words. */
export type Sighting =
  | { readonly cluster: string; readonly holds: boolean }
  | { readonly cluster: string; readonly holds: "unknown"; readonly why: string };

/**
 * The one cluster that holds `wanted` (`payments/checkout-7d9f`), where every cluster answered; else a refusal that says
 * what to type instead. A cluster that did not answer might hold it as well.
 */
export function soleHolder(sightings: readonly Sighting[], wanted: string): string | Refusal {
  const forms = (some: readonly Sighting[]): string => some.map(({ cluster }) => `${cluster}:${wanted}`).join(" or ");
  const holders = sightings.filter(({ holds }) => holds === true);
  if (holders.length > 1) {
    return refusal(
      `${listed(holders)} hold ${wanted}, and which one is meant is not guessed`,
      `Type ${forms(holders)}.`,
    );
  }
  const silent = sightings.flatMap((one) => (one.holds === "unknown" ? [one] : []));
  if (silent.length > 0) {
    const whys = silent.map(({ cluster, why }) => `cluster ${cluster} could not be asked for ${wanted} (${why})`);
    return refusal(whys.join("; "), `Name the cluster that you mean: ${forms([...holders, ...silent])}.`);
  }
  const [holder] = holders;
  if (holder !== undefined) return holder.cluster;
  return refusal(`${wanted} is in none of the clusters ${listed(sightings)}`, "Check the name and the namespace.");
}

function chosen(cluster: string): ClusterChoice {
  return { kind: "chosen", cluster };
}

function listed(sightings: readonly Sighting[]): string {
  return sightings.map(({ cluster }) => cluster).join(" and ");
}
