import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { createSink } from "../../src/flows/sink.ts";
import { connectRedis } from "../../src/redis.ts";
import { anItem } from "../flows/flow.ts";

/**
 * A process that counts flows until it is killed: `node flow-process.ts REDIS NAME`. It writes how many it has taken in a line
 * for every batch of them, right after it took that.
 */
const [redisUrl = "", name = ""] = process.argv.slice(2);

const everyMs = 20;
const atOnce = 10;

const sink = createSink({
  ledger: createRedisLedger(connectRedis(redisUrl, { onError: () => undefined }), { keepMs: 3_600_000 }),
  replica: name,
  addresses: createPodAddresses(),
  settled: createSettled(),
  now: Date.now,
});

let taken = 0;
setInterval(() => {
  const nowMs = Date.now();
  const items = Array.from({ length: atOnce }, (_, index) =>
    anItem({ id: `${name} ${taken + index}`, fromMs: nowMs, toMs: nowMs }),
  );
  if (!sink.take("kind", items)) return;
  taken += atOnce;
  process.stdout.write(`${taken}\n`);
}, everyMs);
