import type { Namespace, Pod, Workload } from "../policy/objects.ts";
import type { NamespaceFacts } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { parseNamespace, parsePod, parsePolicy, parseService } from "./parse.ts";
import { collectionPath, type Resource, resources } from "./resources.ts";
import type { Change } from "./store.ts";
import { type Watch, watchCollection } from "./watch.ts";
import type { WatchState } from "./watch-progress.ts";
import { parseWorkload, workloadResources } from "./workloads.ts";

/** The cluster as its watches last saw it, trimmed to what decisions need. */
export type ClusterCache = {
  /** Undefined where any kind is not synced or was not confirmed within the last 30 s: then only the server knows. */
  facts(namespace: string): NamespaceFacts | undefined;
  namespaces(): readonly Namespace[] | undefined;
  states(): readonly WatchState[];
  close(): Promise<void>;
};

export type CacheOptions = {
  readonly now: () => number;
  readonly onPodChange: (change: Change<Pod>) => void;
  readonly onProblem: (error: unknown, path: string) => void;
};

const currentForMs = 30_000;

/** Watches every kind in all namespaces, each over a connection of its own. */
export function createCache(connection: Connection, { now, onPodChange, onProblem }: CacheOptions): ClusterCache {
  const follow = <T>(
    resource: Resource,
    parse: (raw: unknown) => T,
    onChange: (change: Change<T>) => void = () => {},
  ) => watchCollection(connection, { path: collectionPath(resource), parse, now, onProblem, onChange });
  const pods = follow(resources.pods, parsePod, onPodChange);
  const services = follow(resources.services, parseService);
  const policies = follow(resources.policies, parsePolicy);
  const namespaces = follow(resources.namespaces, parseNamespace);
  const workloads = workloadResources.map(([kind, resource]) =>
    follow<Workload>(resource, (raw) => parseWorkload(kind, raw)),
  );
  const namespaced: readonly Watch<unknown>[] = [pods, services, policies, ...workloads];
  const all = [...namespaced, namespaces];

  return {
    facts(namespace) {
      const ageMs = Math.max(...namespaced.map((watch) => ageOf(watch.state(), now())));
      if (ageMs > currentForMs) return undefined;
      return {
        pods: pods.store.inNamespace(namespace),
        services: services.store.inNamespace(namespace),
        policies: policies.store.inNamespace(namespace),
        workloads: workloads.flatMap((watch) => watch.store.inNamespace(namespace)),
        ageMs,
      };
    },
    namespaces: () => (ageOf(namespaces.state(), now()) > currentForMs ? undefined : namespaces.store.all()),
    states: () => all.map((watch) => watch.state()),
    async close() {
      await Promise.all(all.map((watch) => watch.close()));
    },
  };
}

/** Milliseconds since it was known to be current; infinite where it is not known to be complete. */
function ageOf({ synced, seenAtMs }: WatchState, now: number): number {
  return synced && seenAtMs !== undefined ? now - seenAtMs : Number.POSITIVE_INFINITY;
}
