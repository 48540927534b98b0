import type { Redis } from "ioredis";
import type { FlowServices } from "./commands/flow-services.ts";
import { createMutes } from "./flows/mutes.ts";
import { createSpikeStore } from "./flows/spike-store.ts";
import { createFlowWatches } from "./flows/watches.ts";
import { createShelf } from "./scheduler/shelf.ts";

/** What is kept in Redis beside the counts, for the bot and for a terminal alike. */
export function createFlowStores(redis: Redis): Pick<FlowServices, "mutes" | "watches" | "shelf" | "spikes"> {
  return {
    mutes: createMutes(redis),
    watches: createFlowWatches(redis),
    shelf: createShelf(redis),
    spikes: createSpikeStore(redis),
  };
}
