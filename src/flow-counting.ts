import { feedFlows } from "./flow-feed.ts";
import { createInterests, type Interests } from "./flows/interests.ts";
import type { Ledger } from "./flows/ledger.ts";
import { createPodAddresses } from "./flows/pod-addresses.ts";
import { createSettled } from "./flows/settled.ts";
import type { Sighting } from "./flows/sighting.ts";
import { createSink, type FlowSink } from "./flows/sink.ts";
import type { Cluster } from "./kubernetes/cluster.ts";
import { type SweepOptions, startSweep } from "./scheduler/sweep.ts";
import { createServiceBook } from "./service-book.ts";

/** Where flows are counted, with what is known of the clusters. */
export type Counting = {
  readonly sink: FlowSink;
  readonly interests: Interests;
  /** Tells one listener of every flow from now on. */
  onSighting(listener: (sighting: Sighting) => void): void;
  /** Takes nothing more, and writes what was taken. */
  stop(): Promise<void>;
};

export type CountingOptions = {
  readonly clusters: readonly Cluster[];
  readonly ledger: Ledger;
  /** This process, and no other that ever ran. */
  readonly holder: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told where the ledger did not take what was counted; it is written again. */
  readonly onProblem: (error: unknown) => void;
  readonly sweep: SweepOptions;
};

const servicesEveryMs = 30_000;

/** To be called before the clusters' first lists are there (feedFlows). */
export function startCounting({ clusters, ledger, holder, now, onProblem, sweep }: CountingOptions): Counting {
  const [addresses, settled, services] = [createPodAddresses(), createSettled(), createServiceBook()];
  let listen: (sighting: Sighting) => void = () => undefined;
  let isStopped = false;
  const onSighting = (sighting: Sighting): void => listen(sighting);
  const sink = createSink({ ledger, replica: holder, addresses, settled, services, now, onProblem, onSighting });
  const ends = clusters.map((cluster) => feedFlows(cluster, { addresses, settled, now }));
  const reading = startSweep(
    servicesEveryMs,
    async () => {
      for (const cluster of clusters) await services.refresh(cluster);
    },
    sweep,
  );
  return {
    // What comes after its last write would be lost: whoever brings it keeps it.
    sink: { take: (cluster, items) => !isStopped && sink.take(cluster, items) },
    interests: createInterests(),
    onSighting: (listener) => void (listen = listener),
    async stop() {
      isStopped = true;
      for (const end of ends) end();
      await Promise.all([reading.stop(), sink.stop()]);
    },
  };
}
