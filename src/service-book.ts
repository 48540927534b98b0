import type { ServiceBook } from "./flows/resolve.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import type { Service } from "./policy/objects.ts";

type Book = { readonly byAddress: ReadonlyMap<string, Service>; readonly ports: ReadonlySet<number> };

/**
 * The Services of each cluster as its cache last knew them: flows to a Service's own address are told by its name. `refresh`
 * reads them again; of a cluster whose cache is not complete what was known stays.
 */
export function createServiceBook(): ServiceBook & { refresh(cluster: Watched): Promise<void> } {
  const books = new Map<string, Book>();
  return {
    at(cluster, address) {
      const service = books.get(cluster)?.byAddress.get(address);
      return service === undefined ? undefined : { namespace: service.namespace, name: service.name };
    },
    hasPort: (cluster, port) => books.get(cluster)?.ports.has(port) ?? false,
    async refresh(cluster) {
      const watches = cluster.watches();
      if (watches.length === 0 || !watches.every(({ synced }) => synced)) return;
      const { services } = await cluster.facts(undefined, "cache");
      books.set(cluster.name, bookOf(services));
    },
  };
}

type Watched = Pick<Cluster, "name" | "watches" | "facts">;

function bookOf(services: readonly Service[]): Book {
  const addresses = services.flatMap((service) => service.clusterIPs.map((address) => [address, service] as const));
  const ports = services.flatMap((service) => service.ports.flatMap(numbersOf));
  return { byAddress: new Map(addresses), ports: new Set(ports) };
}

/** Of a port and of what it leads to, where that is a number. */
function numbersOf({ port, targetPort }: Service["ports"][number]): readonly number[] {
  return typeof targetPort === "number" ? [port, targetPort] : [port];
}
