import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCopies } from "../../src/audit/copies.ts";
import type { ChainedEntry, ChainHead } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectTestRedis } from "../redis.ts";
import { anEntry } from "./entries.ts";

const keys = ["{bulkhead}:audit", "{bulkhead}:audit:head", "{bulkhead}:audit:ids"];
const stamp = { at: "2026-11-21T10:00:00.000Z", replica: "bulkhead-1" };

let redis: Redis;
let printed: ChainedEntry[] = [];

beforeEach(async () => {
  redis = await connectTestRedis();
  printed = [];
});
afterEach(() => redis.disconnect());

function replica(seen?: ChainHead): ChainStore {
  const onEntry = (entry: ChainedEntry) => void printed.push(entry);
  return createAuditLog(redis, { onEntry, ...(seen === undefined ? {} : { seen }) });
}

async function appendAll(log: ChainStore, ...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await log.append(anEntry(number));
}

/** Puts the store back to the state that it has now, as the promotion of a replica that lagged does. */
async function photograph(): Promise<() => Promise<void>> {
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return async () => {
    await redis.del(...keys);
    for (const [index, key] of keys.entries()) await redis.restore(key, 0, dumps[index] as Buffer);
  };
}

const order = async (): Promise<readonly string[]> =>
  (await replica().read({})).map(({ id }) => id.replace(/:[0-9a-f]{16}$/, ""));

async function intact(): Promise<void> {
  const log = replica();
  expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true });
}

test("A chain that went back to an older state says so before it goes on, once for all replicas that saw the same", async () => {
  const [one, other] = [replica(), replica()];
  await appendAll(one, 1, 2);
  const back = await photograph();
  await appendAll(one, 3, 4);
  await other.witness(stamp);
  await back();
  await appendAll(one, 5);
  await appendAll(other, 6);
  await other.witness(stamp);
  expect(await order()).toEqual(["q-1:intent", "q-2:intent", "chain:lost:4", "q-5:intent", "q-6:intent"]);
  const [, , loss] = await one.read({});
  expect(loss).toMatchObject({ kind: "chain", ok: false, replica: "bulkhead-0", detail: { found: { seq: 2 } } });
  expect(loss?.summary).toMatch(/does not hold entry 4 .*it ended at 2.*entries 3 and later were lost/);
  await intact();
});

test("It is noticed without an append, and also where others have gone on beyond what was seen", async () => {
  const one = replica();
  await appendAll(one, 1, 2);
  const back = await photograph();
  await appendAll(one, 3);
  await back();
  await appendAll(replica(), 7, 8, 9);
  expect(await one.witness(stamp)).toMatchObject({ seq: 6 });
  expect(await order()).toEqual([1, 2, 7, 8, 9].map((n) => `q-${n}:intent`).concat("chain:lost:3"));
  expect(await one.witness(stamp)).toMatchObject({ seq: 6 });
  await intact();
});

test("An emptied store is named by whoever saw more, also by a process that only remembers the head", async () => {
  const one = replica();
  await appendAll(one, 1, 2, 3);
  const head = await one.head();
  await redis.flushdb();
  const next = replica(head);
  await next.witness(stamp);
  await appendAll(one, 4);
  expect(await order()).toEqual(["chain:lost:3", "q-4:intent"]);
  expect((await one.read({}))[0]?.summary).toMatch(/^the store was empty: entries 1 to 3/);
  expect((await one.health()).warnings).toEqual([expect.stringMatching(/^REDIS LOST .*entry #1 of the chain/)]);
  await intact();
});

test("An empty store that nobody knew to be more is simply empty", async () => {
  expect(await replica().witness(stamp)).toMatchObject({ seq: 0 });
  expect((await replica().health()).warnings).toEqual([]);
});

test("Copies of a chain that was lost are set apart, since the chain names it; a forged second entry is not", async () => {
  const one = replica();
  await appendAll(one, 1, 2);
  const back = await photograph();
  await appendAll(one, 3, 4);
  await back();
  await appendAll(one, 5, 6);
  const lines = printed.map((audit) => JSON.stringify({ audit }));
  const copies = await readCopies([`${lines.toReversed().join("\n")}\n`]);
  expect(copies.lost.map((entry) => (entry as ChainedEntry).id)).toEqual(["q-3:intent", "q-4:intent"]);
  expect(await verifyChain(copies.entries, await one.head())).toMatchObject({ ok: true, entries: 5 });
  const forged = JSON.stringify({ audit: { ...printed[1], summary: "nothing happened" } });
  const suspect = await readCopies([`${[...lines, forged].join("\n")}\n`]);
  expect(await verifyChain(suspect.entries)).toMatchObject({ ok: false, seq: 2 });
});
