import type { LabelSelector, Namespace, NetworkPolicy, Pod, Workload } from "../policy/objects.ts";
import { selects } from "../policy/selector.ts";
import type { NamespaceFacts } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { parseNamespace, parsePod, parsePolicy, parseService } from "./parse.ts";
import { collectionPath, type Resource, resources } from "./resources.ts";
import type { Change } from "./store.ts";
import { type Watch, watchCollection } from "./watch.ts";
import type { WatchState } from "./watch-progress.ts";
import { parseWorkload, workloadResources } from "./workloads.ts";

/** How old an answer of the cache may be: confirmed by the server within so many milliseconds, or whatever was last known. */
export type Oldest = number | "any";

/**
 * The cluster as its watches last saw it, trimmed to what decisions need. Undefined is answered where a kind is not
 * complete or was not confirmed as lately as asked, and for `any` where it never was: then only the server knows.
 */
export type ClusterCache = {
  /** Of one namespace, or of all where none is given. */
  facts(namespace: string | undefined, oldest: Oldest): NamespaceFacts | undefined;
  namespaces(oldest: Oldest): readonly Namespace[] | undefined;
  /** Over all namespaces, those that the selector selects. */
  policies(selector: LabelSelector, oldest: Oldest): Cached<NetworkPolicy> | undefined;
  states(): readonly WatchState[];
  close(): Promise<void>;
};

export type Cached<T> = { readonly items: readonly T[]; readonly ageMs: number };

export type CacheOptions = {
  readonly now: () => number;
  readonly onPodChange: (change: Change<Pod>) => void;
  readonly onPolicyChange: (change: Change<NetworkPolicy>) => void;
  readonly onProblem: (error: unknown, path: string) => void;
};

/** Watches every kind in all namespaces, each over a connection of its own. */
export function createCache(connection: Connection, options: CacheOptions): ClusterCache {
  const { pods, services, policies, namespaces, workloads } = watchAll(connection, options);
  const namespaced: readonly Watch<unknown>[] = [pods, services, policies, ...workloads];
  const all = [...namespaced, namespaces];
  const age = (watches: readonly Watch<unknown>[], oldest: Oldest): number | undefined => {
    const states = watches.map((watch) => watch.state());
    return ageWithin(states, oldest, options.now());
  };

  return {
    facts(namespace, oldest) {
      const ageMs = age(namespaced, oldest);
      if (ageMs === undefined) return undefined;
      const of = <T>({ store }: Watch<T>): readonly T[] =>
        namespace === undefined ? store.all() : store.inNamespace(namespace);
      return {
        pods: of(pods),
        services: of(services),
        policies: of(policies),
        workloads: workloads.flatMap(of),
        ageMs,
      };
    },
    namespaces: (oldest) => (age([namespaces], oldest) === undefined ? undefined : namespaces.store.all()),
    policies(selector, oldest) {
      const ageMs = age([policies], oldest);
      if (ageMs === undefined) return undefined;
      return { items: policies.store.all().filter(({ metadata }) => selects(selector, metadata.labels ?? {})), ageMs };
    },
    states: () => all.map((watch) => watch.state()),
    async close() {
      await Promise.all(all.map((watch) => watch.close()));
    },
  };
}

function watchAll(connection: Connection, { now, onPodChange, onPolicyChange, onProblem }: CacheOptions) {
  const follow = <T>(
    resource: Resource,
    parse: (raw: unknown) => T,
    onChange: (change: Change<T>) => void = () => {},
  ) => watchCollection(connection, { path: collectionPath(resource), parse, now, onProblem, onChange });
  return {
    pods: follow(resources.pods, parsePod, onPodChange),
    services: follow(resources.services, parseService),
    policies: follow(resources.policies, parsePolicy, onPolicyChange),
    namespaces: follow(resources.namespaces, parseNamespace),
    workloads: workloadResources.map(([kind, resource]) =>
      follow<Workload>(resource, (raw) => parseWorkload(kind, raw)),
    ),
  };
}

/** The age of the oldest in milliseconds; undefined where that is too old. One that lost its place is good for `any` only. */
function ageWithin(states: readonly WatchState[], oldest: Oldest, now: number): number | undefined {
  const ages = states.map(({ synced, seenAtMs }) =>
    seenAtMs === undefined || (oldest !== "any" && !synced) ? undefined : now - seenAtMs,
  );
  const known = ages.filter((one) => one !== undefined);
  const ageMs = Math.max(0, ...known);
  return known.length < ages.length || (oldest !== "any" && ageMs > oldest) ? undefined : ageMs;
}
