import type { Endpoint } from "./decide.ts";
import type { Protocol } from "./model.ts";

/** What a name stands for as the source of a connection: any of these endpoints. */
export type Source = {
  /** As it was understood: `pod db/postgres-0`, `db/postgres[StatefulSet]`, `pods of Service db/postgres`, `10.0.0.1`. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** What a reader should know of how it was understood. */
  readonly notes: readonly string[];
};

/** Between two ends outside of the cluster no policy decides anything. */
export function areOutside(from: Pick<Source, "endpoints">, to: Pick<Destination, "endpoints">): boolean {
  const ends = [...from.endpoints, ...to.endpoints.map(({ endpoint }) => endpoint)];
  return ends.every(({ kind }) => kind === "external");
}

export const bothOutside =
  "Both ends are outside of the cluster: policies act on pods, so one end has to be a pod, a workload or a Service.";

/** What a name stands for as a destination: any of these endpoints, each at a port of its own. At least one. */
export type Destination = Omit<Source, "endpoints"> & { readonly endpoints: readonly Arrival[] };

export type Arrival = { readonly endpoint: Endpoint; readonly port: number };

/** Why a name stands for nothing: a sentence; `typed` is the part of it that is probably misspelt, among `known`. */
export type Unresolved = { readonly problem: string; readonly typed: string; readonly known: readonly string[] };

/** The port that was asked for: a Service's own where the destination is a Service. */
export type Asked = { readonly protocol: Protocol; readonly port: number };
