import type { Services } from "../../src/commands/services.ts";
import { createSpikeWatch } from "../../src/commands/spike-watch.ts";
import { createFlowStores } from "../../src/flow-stores.ts";
import { createMemoryLedger } from "../../src/flows/memory-ledger.ts";
import { createSpikeStore } from "../../src/flows/spike-store.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";

/**
 * A replica that is killed while it tells a spike that is stored: `node spike-process.ts REDIS NOW POSTS`. Slack, which is a list in
 * Redis, has so many messages of it by then, and it has heard of all of them but the last.
 */
const [redisUrl = "", nowMs = "", posts = ""] = process.argv.slice(2);

const redis = connectRedis(redisUrl, { onError: () => undefined });
await untilReady(redis, 5_000);
const meter = (): void => undefined;
const services: Partial<Services> = { now: () => Number(nowMs), meter };

await createSpikeWatch({
  services: services as Services,
  flows: { ...createFlowStores(redis), ledger: createMemoryLedger(), sources: () => [] },
  store: createSpikeStore(redis),
  channels: { channel: "C0ALL", channels: [{ namespaces: ["payments"], channel: "C0PAY" }] },
  outletIn: (channel) => ({
    async show() {
      const there = await redis.rpush("posts", channel);
      if (there === Number(posts)) process.kill(process.pid, "SIGKILL");
      return { card: { channel, ts: `${there}` }, reached: true };
    },
  }),
  alert: () => Promise.resolve(),
  runbookUrl: undefined,
  meter: { begun: meter, ended: () => undefined, judged: meter },
}).sweep("sandbox");
