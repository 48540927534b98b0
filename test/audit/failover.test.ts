import type { Redis } from "ioredis";
import { afterEach, expect, test } from "vitest";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { freePort, startSentinels } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { anEntry } from "./entries.ts";

type Sentinels = Awaited<ReturnType<typeof startSentinels>>;

const open: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.stop();
});

async function world(): Promise<{ sentinels: Sentinels; redis: Redis; log: ChainStore; errors: Error[] }> {
  const sentinels = await startSentinels();
  open.push(sentinels);
  const errors: Error[] = [];
  const redis = connectRedis(sentinels.url, { onError: (error) => void errors.push(error) });
  open.push({ stop: () => redis.disconnect() });
  expect(await untilReady(redis, 20_000)).toBe(true);
  return { sentinels, redis, log: createAuditLog(redis, { onEntry: () => undefined }), errors };
}

const patience = { timeoutMs: 30_000, everyMs: 100 };

async function replicated(sentinels: Sentinels): Promise<void> {
  const redis = connectRedis(sentinels.master.url, { onError: () => undefined });
  await untilReady(redis, 5_000);
  await waitFor(async () => Number(await redis.wait(1, 500)) >= 1, patience);
  redis.disconnect();
}

test("The master dies: the log goes on at the replica that Sentinel promotes, with all that was replicated", async () => {
  const { sentinels, log } = await world();
  for (const number of [1, 2, 3]) await log.append(anEntry(number));
  await replicated(sentinels);
  await sentinels.master.kill();
  await expect(log.append(anEntry(4))).rejects.toThrow();
  const appended = await waitFor(() => log.append(anEntry(5)).catch(() => undefined), patience);
  expect(appended).toMatchObject({ kind: "chained", entry: { seq: 4 } });
  expect(await sentinels.masterPort()).toBe(sentinels.replica.port);
  // Sentinel may cut connections once more while it settles.
  const read = await waitFor(() => log.read({}).catch(() => undefined), patience);
  expect(read?.map(({ id }) => id)).toEqual([1, 2, 3, 5].map((number) => `q-${number}:intent`));
  const health = await waitFor(() => log.health().catch(() => undefined), patience);
  expect(health?.warnings).toEqual([]);
}, 60_000);

test("Entries that were acknowledged and not replicated are lost: the chain says so, loudly, and goes on", async () => {
  const { sentinels, log } = await world();
  for (const number of [1, 2]) await log.append(anEntry(number));
  await replicated(sentinels);
  // The replica's link to its master breaks just before the master dies.
  const replica = connectRedis(sentinels.replica.url, { onError: () => undefined });
  await untilReady(replica, 5_000);
  await replica.replicaof("127.0.0.1", await freePort());
  replica.disconnect();
  expect(await log.append(anEntry(3))).toMatchObject({ entry: { seq: 3 } });
  await sentinels.master.kill();
  await waitFor(() => log.append(anEntry(4)).catch(() => undefined), patience);
  const ids = (await log.read({})).map(({ id }) => id.replace(/:[0-9a-f]{16}$/, ""));
  expect(ids).toEqual(["q-1:intent", "q-2:intent", "chain:lost:3", "q-4:intent"]);
  expect((await log.health()).warnings).toEqual([expect.stringMatching(/^REDIS LOST/)]);
  expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 4 });
}, 60_000);
