import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { emptyHead } from "../../src/audit/chain.ts";
import type { ChainedEntry } from "../../src/audit/entry.ts";
import { type ChainStore, createAuditLog } from "../../src/audit/log.ts";
import { verifyChain } from "../../src/audit/verify.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { connectTestRedis, testRedisUrl } from "../redis.ts";
import { anEntry } from "./entries.ts";

const redis = await connectTestRedis();
const clients: Redis[] = [redis];
afterAll(() => clients.forEach((client) => client.disconnect()));

let printed: ChainedEntry[] = [];
let log: ChainStore;

beforeEach(async () => {
  await redis.flushdb();
  printed = [];
  log = logOn(redis);
});

function logOn(client: Redis): ChainStore {
  return createAuditLog(client, { onEntry: (entry) => void printed.push(entry) });
}

/** A log of another process: its own connection, and no memory shared. */
async function anotherLog(): Promise<ChainStore> {
  const client = connectRedis(testRedisUrl(), { onError: () => undefined });
  clients.push(client);
  await untilReady(client, 5_000);
  return logOn(client);
}

async function appendMany(to: ChainStore, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await to.append(anEntry(number));
}

const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);

describe("Appending", () => {
  test("An empty log has the empty head, and finds and reads nothing", async () => {
    expect(await log.head()).toEqual(emptyHead);
    expect(await log.find("q-1:intent")).toBeUndefined();
    expect(await log.read({})).toEqual([]);
  });

  test("The entry that is returned, found, read and printed is the same, linked to the one before", async () => {
    const first = await log.append(anEntry(1));
    const second = await log.append(anEntry(2));
    if (first.kind !== "chained" || second.kind !== "chained") throw new Error("not in the chain");
    expect(first.entry).toMatchObject({ v: 1, seq: 1, prev: emptyHead.hash, summary: "quarantine of one pod" });
    expect(second.entry).toMatchObject({ seq: 2, prev: first.entry.hash });
    expect(await log.find("q-2:intent")).toEqual(second.entry);
    expect(await log.read({})).toEqual([first.entry, second.entry]);
    expect(printed).toEqual([first.entry, second.entry]);
    expect(await log.head()).toEqual({ seq: 2, hash: second.entry.hash });
  });

  test("Any JSON comes back as it was written, and the chain verifies", async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), async (detail) => {
        const appended = await log.append(anEntry((number += 1), { detail, reason: Object.keys(detail).join() }));
        const found = await log.find(`q-${number}:intent`);
        expect(appended).toEqual({ kind: "chained", entry: found });
        expect(found?.detail).toEqual(JSON.parse(JSON.stringify(detail)));
      }),
    );
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: number });
  });

  test("The same id appended 50 times at once, by two writers, is one entry and one line", async () => {
    const other = await anotherLog();
    const appended = await Promise.all(
      upTo(50).map((n) => (n % 2 ? log : other).append(anEntry(1, { summary: `${n}` }))),
    );
    expect(new Set(appended.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await log.head()).toMatchObject({ seq: 1 });
    expect(printed).toHaveLength(1);
  });

  test("An id that is in the chain already is returned as it stands there, by a new process too", async () => {
    const first = await log.append(anEntry(1));
    await log.append(anEntry(2));
    const again = await (await anotherLog()).append(anEntry(1, { summary: "told differently" }));
    expect(again).toEqual(first);
    expect(await log.head()).toMatchObject({ seq: 2 });
  });

  test("Two writers with 500 entries each never fork the chain, and neither starves", async () => {
    const other = await anotherLog();
    await Promise.all([appendMany(log, upTo(500)), appendMany(other, upTo(500, 501))]);
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 1_000 });
    expect(new Set(printed.map(({ id }) => id)).size).toBe(1_000);
    expect(printed).toHaveLength(1_000);
  });

  test("Two writers with 500 entries each at once never fork the chain either", async () => {
    const other = await anotherLog();
    await Promise.all(upTo(1_000).map((number) => (number % 2 ? log : other).append(anEntry(number))));
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 1_000 });
    expect(printed).toHaveLength(1_000);
  });

  test("An entry without a JSON form is refused, and the next one is appended", async () => {
    const refused = log.append(anEntry(1, { detail: { count: Number.NaN } }));
    const next = log.append(anEntry(2));
    await expect(refused).rejects.toThrow();
    expect(await next).toMatchObject({ entry: { seq: 1 } });
  });

  test("Entries of one writer stand in the order of the calls", async () => {
    await Promise.all(upTo(100).map((number) => log.append(anEntry(number))));
    expect((await log.read({})).map(({ id }) => id)).toEqual(upTo(100).map((number) => `q-${number}:intent`));
  });
});

describe("Telling", () => {
  test("Entries of others are told by whoever asks first, and each only once", async () => {
    const terminal = createAuditLog(redis, { onEntry: () => undefined });
    await appendMany(terminal, upTo(250));
    await appendMany(log, upTo(3, 251));
    expect(await log.tellMissed()).toBe(250);
    expect(await log.tellMissed()).toBe(0);
    await appendMany(terminal, upTo(2, 254));
    expect(await log.tellMissed()).toBe(2);
    expect(printed.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(upTo(255));
    expect(await (await anotherLog()).tellMissed()).toBe(0);
  });

  test("A chain that begins anew, after its Redis was emptied, is told like the first", async () => {
    await appendMany(log, upTo(3));
    await redis.flushdb();
    await appendMany(log, upTo(3, 4));
    const anew = upTo(3).map((n) => `${n + 1} q-${n + 3}:intent`);
    const told = printed.map(({ id, seq }) => `${seq} ${id}`).slice(3);
    expect(told).toEqual([expect.stringMatching(/^1 chain:lost:3:/), ...anew]);
    expect(await verifyChain(log.all(), await log.head())).toMatchObject({ ok: true, entries: 4 });
  });

  test("Telling while entries are appended tells of each once", async () => {
    const appends = upTo(200).map((number) => log.append(anEntry(number)));
    for (let round = 0; round < 20; round += 1) await log.tellMissed();
    await Promise.all(appends);
    await log.tellMissed();
    expect(printed).toHaveLength(200);
    expect(new Set(printed.map(({ seq }) => seq)).size).toBe(200);
  });
});

describe("Reading", () => {
  const filtered = async (filter: Parameters<ChainStore["read"]>[0]): Promise<readonly number[]> =>
    (await log.read(filter)).map(({ seq }) => seq);

  test("Filters by time, namespace, actor and operation, oldest first, the newest so many", async () => {
    const jane = { kind: "terminal", user: "jane", source: "self-subject-review" } as const;
    for (const number of upTo(450)) {
      const third = number % 3 === 0 ? { namespace: "shop", actor: jane } : {};
      await log.append(anEntry(number, third));
    }
    const since = Date.parse(anEntry(440).at);
    expect(await filtered({ sinceMs: since })).toEqual(upTo(11, 440));
    expect(await filtered({ sinceMs: since, namespace: "shop" })).toEqual([441, 444, 447, 450]);
    expect(await filtered({ actor: "terminal:jane", limit: 2 })).toEqual([447, 450]);
    expect(await filtered({ actor: "slack:T1/U1", limit: 1 })).toEqual([449]);
    expect(await filtered({ operation: "q-7" })).toEqual([7]);
    expect(await filtered({ limit: 0 })).toEqual([]);
    expect(await filtered({})).toHaveLength(450);
    expect(await filtered({ namespace: "nobody" })).toEqual([]);
  });

  test("An old entry that came late does not hide newer ones before it", async () => {
    await appendMany(log, upTo(250, 1_000));
    await log.append(anEntry(1, { kind: "adopted", id: "q-1:adopted" }));
    await appendMany(log, upTo(50, 2_000));
    expect(await filtered({ sinceMs: Date.parse(anEntry(1_000).at) })).toEqual([...upTo(250), ...upTo(50, 252)]);
  });
});

describe("Damage", () => {
  const verified = async (): Promise<unknown> => verifyChain(log.all(), await log.head());

  test("An entry that was deleted from the stream is named", async () => {
    await appendMany(log, upTo(30));
    await redis.xdel("{bulkhead}:audit", "17-0");
    expect(await verified()).toMatchObject({ ok: false, seq: 17, problem: "missing" });
    await expect(log.find("q-17:intent")).rejects.toThrow("17");
  });

  test("A tail that was cut off the stream is named", async () => {
    await appendMany(log, upTo(30));
    await redis.xdel("{bulkhead}:audit", "29-0", "30-0");
    expect(await verified()).toMatchObject({ ok: false, seq: 29, problem: "cut-tail" });
  });

  test("A chain whose head was lost accepts nothing more", async () => {
    await appendMany(log, upTo(3));
    await redis.del("{bulkhead}:audit:head");
    await expect(log.append(anEntry(4))).rejects.toThrow();
    await expect((await anotherLog()).append(anEntry(5))).rejects.toThrow();
    expect(await redis.xlen("{bulkhead}:audit")).toBe(3);
  });

  test("An entry that is no JSON or of a newer format is named when it is read", async () => {
    await appendMany(log, upTo(2));
    await redis.xadd("{bulkhead}:audit", "3-0", "entry", "{");
    await expect(log.read({})).rejects.toThrow("entry 3 is no JSON");
    expect(await verified()).toMatchObject({ ok: false, seq: 3, problem: "unreadable" });
    await redis.xdel("{bulkhead}:audit", "3-0");
    await redis.xadd("{bulkhead}:audit", "4-0", "entry", '{"v":2}');
    await expect(log.read({})).rejects.toThrow("entry 4 has format version 2");
  });
});
