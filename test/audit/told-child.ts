import { createAuditLog } from "../../src/audit/log.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { anEntry } from "./entries.ts";

/** Appends entries of its own without end, and prints each as the bot does; it is to be killed. */
const [url = "", first = "1"] = process.argv.slice(2);
const redis = connectRedis(url, { onError: () => undefined });
await untilReady(redis, 10_000);
const log = createAuditLog(redis, {
  onEntry: (audit) => void process.stdout.write(`${JSON.stringify({ audit })}\n`),
});
for (let number = Number(first); ; number += 1) await log.append(anEntry(number));
