import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Copies, readCopies } from "../../src/audit/copies.ts";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import type { Confirmation, Retention } from "../../src/audit/retention.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectTestRedis } from "../redis.ts";
import { anEntry } from "./entries.ts";

const stamp = { at: "2026-11-21T10:00:00.000Z", replica: "bulkhead-1" };
const actor = { kind: "in-pod" } as const;
const everything: Retention = { olderThanMs: Number.POSITIVE_INFINITY, keeps: () => false };

let redis: Redis;
let log: ChainStore;

beforeEach(async () => {
  redis = await connectTestRedis();
  log = createAuditLog(redis, { onEntry: () => undefined });
});
afterEach(() => redis.disconnect());

async function appendMany(from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) await log.append(anEntry(number));
}

/** The lines of `audit export`. */
async function exported(): Promise<string[]> {
  const { base } = await log.bounds();
  const lines = base.seq > 0 ? [JSON.stringify({ base })] : [];
  for await (const entry of log.all()) lines.push(JSON.stringify(entry));
  return lines;
}

const copiesOf = (lines: readonly string[]): Promise<Copies> => readCopies([`${lines.join("\n")}\n`]);
const confirm = async (lines: readonly string[]): Promise<Confirmation> =>
  log.confirm(await copiesOf(lines), { stamp, actor });

async function trimAll(retention = everything): Promise<number> {
  let trimmed = 0;
  for (let more = 1; more > 0; trimmed += more) more = await log.trim(retention);
  return trimmed;
}

async function verified(): Promise<unknown> {
  const bounds = await log.bounds();
  return verifyChain(log.all(), bounds.head, bounds);
}

describe("Confirming an export", () => {
  test("is recorded in the chain, with who did it and the head that is confirmed", async () => {
    await appendMany(1, 5);
    const head = await log.head();
    expect(await confirm(await exported())).toMatchObject({ kind: "confirmed", head });
    expect(await log.read({ limit: 1 })).toMatchObject([{ kind: "chain", actor, detail: { confirmed: head } }]);
    expect(await log.bounds()).toMatchObject({ confirmed: head, head: { seq: 6 } });
    expect((await log.health()).confirmedSeq).toBe(5);
  });

  test("is refused where the file is not the chain: edited, incomplete, cut, of another chain, or confirmed already", async () => {
    await appendMany(1, 5);
    const lines = await exported();
    const edited = lines.map((line) => line.replace("checkout-3", "checkout-9"));
    expect(await confirm(edited)).toMatchObject({ kind: "refused", why: expect.stringMatching(/broken at entry 3/) });
    expect(await confirm(lines.toSpliced(1, 1))).toMatchObject({ why: expect.stringMatching(/broken at entry 2/) });
    expect(await confirm([])).toMatchObject({ kind: "refused" });
    const cut = await readCopies([lines.join("\n").slice(0, -10)]);
    expect(await log.confirm(cut, { stamp, actor })).toMatchObject({ why: expect.stringMatching(/line 5.*cut/) });
    expect(await confirm(lines.slice(0, 3))).toMatchObject({ kind: "confirmed", head: { seq: 3 } });
    expect(await confirm(lines.slice(0, 3))).toMatchObject({ kind: "refused", why: expect.stringMatching(/already/) });
    await redis.flushdb();
    await createAuditLog(redis, { onEntry: () => undefined }).append(anEntry(9));
    expect(await confirm(lines)).toMatchObject({ kind: "refused", why: "entry 1 is not the one that stands in Redis" });
    expect((await log.bounds()).confirmed.seq).toBe(0);
  });
});

describe("Trimming", () => {
  test("takes away nothing that was not confirmed, and nothing that is not old enough", async () => {
    await appendMany(1, 20);
    expect(await trimAll()).toBe(0);
    await confirm((await exported()).slice(0, 12));
    expect(await trimAll({ ...everything, olderThanMs: Date.parse(anEntry(8).at) })).toBe(7);
    expect(await log.bounds()).toMatchObject({ base: { seq: 7 }, confirmed: { seq: 12 } });
    expect(await trimAll()).toBe(5);
    expect(await trimAll()).toBe(0);
    expect(await redis.xlen("{bulkhead}:audit")).toBe(9);
    expect(await redis.hlen("{bulkhead}:audit:ids")).toBe(9);
  });

  test("leaves a log of which everything goes on working", async () => {
    await appendMany(1, 1_200);
    await confirm(await exported());
    expect(await trimAll()).toBe(1_200);
    await appendMany(2_001, 2_003);
    expect(await verified()).toMatchObject({ ok: true, entries: 4, base: { seq: 1_200 }, head: { seq: 1_204 } });
    expect(await log.find("q-1:intent")).toBeUndefined();
    expect(await log.find("q-2002:intent")).toMatchObject({ seq: 1_203 });
    expect((await log.read({})).map(({ seq }) => seq)).toEqual([1_201, 1_202, 1_203, 1_204]);
    const told: number[] = [];
    const other = createAuditLog(redis, { onEntry: ({ seq }) => void told.push(seq) });
    await other.tellMissed();
    expect(told).toEqual([1_201, 1_202, 1_203, 1_204]);
    await other.append(anEntry(3_000));
    expect(await log.witness(stamp)).toMatchObject({ seq: 1_205 });
    expect((await log.health()).entries).toBe(5);
    expect(await verified()).toMatchObject({ ok: true, entries: 5 });
  });

  test("stops before an entry of a live operation, whose intent stays to be found", async () => {
    await appendMany(1, 10);
    await confirm(await exported());
    const keeps = ({ operation }: ChainedEntry): boolean => operation === "q-4";
    expect(await trimAll({ ...everything, keeps })).toBe(3);
    expect(await log.find("q-4:intent")).toMatchObject({ seq: 4 });
    expect(await trimAll()).toBe(7);
  });

  test("takes nothing away from a chain that is damaged: somebody still has to look at it", async () => {
    await appendMany(1, 10);
    await confirm(await exported());
    await redis.xdel("{bulkhead}:audit", "6-0");
    await expect(log.trim(everything)).rejects.toThrow(/entry 6 is not in place/);
    expect(await redis.xlen("{bulkhead}:audit")).toBe(10);
  });

  test("by two replicas at once is trimming once", async () => {
    await appendMany(1, 30);
    await confirm(await exported());
    const other = createAuditLog(redis, { onEntry: () => undefined });
    const trimmed = await Promise.all([log.trim(everything), other.trim(everything)]);
    expect(trimmed.toSorted((a, b) => a - b)).toEqual([0, 30]);
    expect(await verified()).toMatchObject({ ok: true, entries: 1 });
  });
});

describe("What was taken away otherwise", () => {
  test("is found: a trim without a base, with a forged one, and beyond what was confirmed", async () => {
    await appendMany(1, 20);
    const [, , , , fifth] = await log.read({});
    await redis.xtrim("{bulkhead}:audit", "MINID", "6-0");
    expect(await verified()).toMatchObject({ ok: false, seq: 1, problem: "missing" });
    await redis.hset("{bulkhead}:audit:head", "baseSeq", 5, "baseHash", "0".repeat(64));
    expect(await verified()).toMatchObject({ ok: false, seq: 6, problem: "broken-link" });
    await redis.hset("{bulkhead}:audit:head", "baseSeq", 5, "baseHash", fifth?.hash ?? "");
    expect(await verified()).toMatchObject({ ok: false, seq: 1, problem: "unconfirmed-trim" });
  });

  test("is found where less was confirmed than is gone", async () => {
    await appendMany(1, 20);
    await confirm((await exported()).slice(0, 8));
    const tenth = (await log.read({})).find(({ seq }) => seq === 10);
    await redis.xtrim("{bulkhead}:audit", "MINID", "11-0");
    await redis.hset("{bulkhead}:audit:head", "baseSeq", 10, "baseHash", tenth?.hash ?? "");
    expect(await verified()).toMatchObject({ ok: false, seq: 1, problem: "unconfirmed-trim" });
  });
});

test("Exports before and after a trim verify, each alone and as one", async () => {
  await appendMany(1, 10);
  const first = await exported();
  await confirm(first);
  await trimAll();
  await appendMany(11, 13);
  const second = await exported();
  const both = await copiesOf([...second, ...first]);
  const alone = await copiesOf(second);
  expect(await verifyChain(alone.entries, await log.head(), alone)).toMatchObject({ ok: true, entries: 4 });
  expect(await verifyChain(both.entries, await log.head(), both)).toMatchObject({ ok: true, entries: 14 });
  expect(await confirm(second)).toMatchObject({ kind: "confirmed", head: { seq: 14 } });
  expect(await trimAll()).toBe(4);
  expect(await confirm(first)).toMatchObject({ kind: "refused", why: expect.stringMatching(/holds none so old/) });
  const headless = await copiesOf(second.slice(1));
  expect(await verifyChain(headless.entries, undefined, headless)).toMatchObject({ ok: false, problem: "missing" });
});
