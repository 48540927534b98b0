import type { FlowSourceState } from "../flows/flow-source.ts";
import type { Ledger } from "../flows/ledger.ts";
import type { Mutes } from "../flows/mutes.ts";
import type { SpikeStore } from "../flows/spike-store.ts";
import type { FlowWatches } from "../flows/watches.ts";
import type { Shelf } from "../scheduler/shelf.ts";

/** What /np flows needs beside what every command has. */
export type FlowServices = {
  readonly ledger: Ledger;
  readonly mutes: Mutes;
  /** What is told in channels by itself. */
  readonly watches: FlowWatches;
  /** Keeps what the buttons beside lines are about. */
  readonly shelf: Pick<Shelf, "put" | "get">;
  /** What spikes, as some replica judged it. */
  readonly spikes: Pick<SpikeStore, "all">;
  /** As all replicas last told of them, one of each source; those that are posted are there before anything came. */
  sources(): readonly FlowSourceState[];
};
