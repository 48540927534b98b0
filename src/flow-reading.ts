import type { Redis } from "ioredis";
import type { Services } from "./commands/services.ts";
import type { FlowsConfig } from "./config-flows.ts";
import { createFlowStores } from "./flow-stores.ts";
import { createRedisLedger } from "./flows/redis-ledger.ts";
import { createSourceStates } from "./flows/source-states.ts";

/**
 * What the bot's replicas counted, for a terminal, which counts nothing itself. FLOWS_TOKEN may be known to the bot alone, so flows
 * are there also where a replica says so. Empty where they are not.
 */
export async function readFlows(
  redis: Redis,
  config: FlowsConfig | undefined,
  now: () => number,
): Promise<Pick<Services, "flows">> {
  // Nothing else that a terminal does may wait for this.
  const states = await createSourceStates(redis, "terminal")
    .all(now())
    .catch(() => []);
  if (config === undefined && states.length === 0) return {};
  const ledger = createRedisLedger(redis, { keepMs: config?.keepMs ?? 0 });
  return { flows: { ledger, ...createFlowStores(redis), sources: () => states } };
}
