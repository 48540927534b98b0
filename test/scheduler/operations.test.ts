import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Operation, OperationState } from "../../src/policy/operation.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { createOperations, type Operations } from "../../src/scheduler/operations.ts";
import { connectTestRedis, startOwnRedis, testRedisUrl } from "../redis.ts";
import { anOperation } from "./operation.ts";

const redis = await connectTestRedis();
const second = connectRedis(testRedisUrl(), { onError: () => undefined });
await untilReady(second, 5_000);
afterAll(() => [redis, second].forEach((client) => client.disconnect()));

const day = 86_400_000;
let now = 0;
let operations: Operations;
/** The same store, as another replica sees it. */
let elsewhere: Operations;

beforeEach(async () => {
  await redis.flushdb();
  now = Date.UTC(2026, 10, 21);
  operations = createOperations(redis, { now: () => now });
  elsewhere = createOperations(second, { now: () => now });
});

/** An operation accepted at this minute, then brought to the state. */
async function stored(minute: number, more: Partial<Operation> = {}): Promise<Operation> {
  const operation = anOperation(`delivery ${minute}`, more);
  const accepted = await operations.accept({ ...operation, origin: { ...operation.origin, at: minute * 60_000 } });
  if (accepted.kind !== "accepted") throw new Error(accepted.kind);
  return accepted.operation;
}

async function inState(operation: Operation, state: OperationState): Promise<Operation> {
  const next = await operations.replace({ ...operation, state });
  if (next === undefined) throw new Error("lost a race");
  return next;
}

const idsOf = (found: readonly Operation[]): readonly string[] => found.map(({ id }) => id);

/** What comes back of a value that went through JSON: without members that are undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("Accepting", () => {
  test("What is accepted is stored as it was given", async () => {
    const operation = anOperation("one");
    const accepted = await operations.accept(operation);
    expect(accepted).toMatchObject({ kind: "accepted", operation: plain(operation) });
    expect(await elsewhere.get(operation.id)).toEqual(plain(operation));
  });

  test("Any strings survive", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), async (delivery, reason) => {
        const { id } = anOperation(delivery);
        const accepted = await operations.accept(anOperation(delivery, { reason }));
        if (accepted.kind === "accepted") expect((await operations.get(id))?.reason).toBe(reason);
        else expect(accepted.kind).toBe("duplicate");
      }),
    );
  });

  test("The same delivery three times is one operation, as it stands by then", async () => {
    const first = await stored(1);
    const planned = await inState(first, "planned");
    for (const replica of [operations, elsewhere, operations]) {
      expect(await replica.accept(anOperation("delivery 1"))).toEqual({ kind: "duplicate", operation: planned });
    }
    expect(await operations.list({})).toHaveLength(1);
  });

  test("The same delivery 50 times at once, on two replicas, is accepted once", async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? operations : elsewhere).accept(anOperation("one"))),
    );
    expect(all.filter(({ kind }) => kind === "accepted")).toHaveLength(1);
    expect(all.filter(({ kind }) => kind === "duplicate")).toHaveLength(49);
    expect(await operations.list({})).toHaveLength(1);
  });

  test("An id that belongs to another delivery is a collision, and changes nothing", async () => {
    const first = await stored(1);
    const other = anOperation("another", { id: first.id, reason: "mine" });
    expect(await operations.accept(other)).toEqual({ kind: "collision" });
    expect(await operations.get(first.id)).toEqual(first);
    expect(await operations.accept(anOperation("another"))).toMatchObject({ kind: "accepted" });
  });

  test("A delivery that was recorded as one operation is not recorded as another", async () => {
    const first = await stored(1);
    const other = anOperation("delivery 1", { id: "r-0000000", kind: "release" });
    expect(await operations.accept(other)).toEqual({ kind: "duplicate", operation: first });
    expect(await operations.get("r-0000000")).toBeUndefined();
  });

  test("A delivery that comes again after the delivery's own memory has passed is still a duplicate", async () => {
    const first = await stored(1);
    await redis.del("{bulkhead}:delivery:delivery 1");
    expect(await operations.accept(anOperation("delivery 1"))).toMatchObject({ kind: "duplicate", operation: first });
  });

  test("Deliveries are remembered for a day, those of reads for an hour", async () => {
    await stored(1);
    expect(await operations.firstDelivery("read")).toBe(true);
    expect(await elsewhere.firstDelivery("read")).toBe(false);
    expect(await redis.pttl("{bulkhead}:delivery:delivery 1")).toBeGreaterThan(day - 60_000);
    const seen = await redis.pttl("{bulkhead}:seen:read");
    expect(seen).toBeGreaterThan(3_540_000);
    expect(seen).toBeLessThanOrEqual(3_600_000);
  });
});

describe("Changing", () => {
  test("A change has the next revision, and is what is read from then on", async () => {
    const next = await operations.replace({ ...(await stored(1)), state: "planned", reason: "another" });
    expect(next).toMatchObject({ revision: 1, state: "planned" });
    expect(await elsewhere.get(next?.id ?? "")).toEqual(next);
  });

  test("Of 50 changes to the same revision at once, one wins", async () => {
    const operation = await stored(1);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 ? operations : elsewhere).replace({ ...operation, reason: `${index}` }),
      ),
    );
    const won = all.filter((one) => one !== undefined);
    expect(won).toHaveLength(1);
    expect(await operations.get(operation.id)).toEqual(won[0]);
  });

  test("A change to what is not stored is no change", async () => {
    expect(await operations.replace(anOperation("never"))).toBeUndefined();
    expect(await operations.get(anOperation("never").id)).toBeUndefined();
    expect(await operations.list({})).toEqual([]);
  });

  test("Readers, adders and 20 competing changes end in exactly 20 revisions", async () => {
    const { id } = await stored(1);
    const raise = async (replica: Operations): Promise<void> => {
      const current = await replica.get(id);
      const changed = await replica.replace({ ...current!, steps: [...current!.steps, { step: "tick", at: now }] });
      return changed === undefined ? raise(replica) : undefined;
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => raise(index % 2 ? operations : elsewhere)));
    const last = await operations.get(id);
    expect(last).toMatchObject({ revision: 20 });
    expect(last?.steps).toHaveLength(20);
  });
});

describe("Listing", () => {
  test("Newest first, by namespace, and only live ones where asked", async () => {
    const quarantined = await inState(await stored(1), "in-force");
    const planned = await inState(await stored(2), "planned");
    const shop = { cluster: "local", namespace: "shop", pod: "cart" };
    const running = await inState(await stored(3, { target: shop }), "running");
    const over = await inState(await inState(await stored(4, { target: shop }), "in-force"), "done");
    expect(idsOf(await elsewhere.list({}))).toEqual(idsOf([over, running, planned, quarantined]));
    expect(idsOf(await elsewhere.list({ namespace: "shop" }))).toEqual(idsOf([over, running]));
    expect(await elsewhere.list({ live: true })).toEqual([running, quarantined]);
    expect(await elsewhere.list({ live: true, namespace: "shop" })).toEqual([running]);
    expect(await elsewhere.list({ namespace: "nobody" })).toEqual([]);
    expect(await redis.zcard("{bulkhead}:operations:live")).toBe(2);
  });

  test("An operation that is accepted in force is live at once", async () => {
    const adopted = await stored(1, { state: "in-force" });
    expect(await operations.list({ live: true })).toEqual([adopted]);
  });

  test("An operation whose namespace changes is found in the new one only", async () => {
    const operation = await stored(1);
    const target = { ...operation.target, namespace: "shop" };
    const moved = await operations.replace({ ...operation, target });
    expect(await operations.list({ namespace: "payments" })).toEqual([]);
    expect(await operations.list({ namespace: "shop" })).toEqual([moved]);
    expect(await redis.exists("{bulkhead}:operations:in:payments")).toBe(0);
  });

  test("Ids are found by how they begin, at most 10", async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, async (_, minute) => (await stored(minute)).id));
    for (const id of ids) {
      for (let length = 2; length <= id.length; length += 1) {
        const expected = ids.filter((other) => other.startsWith(id.slice(0, length))).toSorted();
        expect(await operations.startingWith(id.slice(0, length))).toEqual(expected.slice(0, 10));
      }
    }
    const [, second = "", ...more] = await operations.startingWith("q-");
    expect((await operations.startingWith("q-", second)).slice(0, more.length)).toEqual(more);
    expect(await operations.startingWith("q-zzzzzzzz")).toEqual([]);
    expect(await operations.startingWith("r-")).toEqual([]);
  });
});

describe("What an operation is about", () => {
  test.each([
    ["a workload", { workload: { kind: "Deployment", name: "checkout" } } as const],
    ["a namespace", {}],
  ])("may be %s", async (_, what) => {
    const target = { cluster: "local", namespace: "payments", ...what };
    const { id } = await stored(1, { kind: "lockdown", target });
    expect(await elsewhere.get(id)).toMatchObject({ kind: "lockdown", target });
    expect(idsOf(await elsewhere.list({ namespace: "payments" }))).toEqual([id]);
  });
});

describe("Forgetting", () => {
  test("What is not live is forgotten 90 days after its last change, with all that pointed to it", async () => {
    const planned = await stored(1);
    const done = await inState(await stored(2), "done");
    const held = await inState(await stored(3), "in-force");
    now += 89 * day;
    const changed = await inState(planned, "cancelled");
    await stored(4);
    expect(idsOf(await operations.list({}))).toHaveLength(4);
    now += 2 * day;
    const newer = await stored(5);
    expect(await operations.get(done.id)).toBeUndefined();
    expect(idsOf(await operations.list({ namespace: "payments" }))).not.toContain(done.id);
    expect(await operations.startingWith(done.id)).toEqual([]);
    expect(await operations.get(changed.id)).toEqual(changed);
    now += 1_000 * day;
    const last = await stored(6);
    expect(idsOf(await operations.list({}))).toEqual(idsOf([last, held]));
    expect(await operations.get(newer.id)).toBeUndefined();
    expect(await operations.list({ live: true })).toEqual([held]);
    expect((await redis.keys("{bulkhead}:operation:*")).toSorted()).toEqual(
      [held, last].map(({ id }) => `{bulkhead}:operation:${id}`).toSorted(),
    );
  });
});

test("A quarantine that failed after its confirmation is live until it was released; no other failure is", async () => {
  const confirmed = { by: anOperation("x").principal, at: 1_000, attempt: 1 };
  const failed = await inState(await stored(1, { confirmed }), "failed");
  const early = await inState(await stored(2, { steps: [{ step: "confirmed", at: 1_000 }] }), "failed");
  await inState(await stored(3), "failed");
  await inState(await stored(4, { confirmed, kind: "release" }), "failed");
  expect(idsOf(await operations.list({ live: true }))).toEqual(idsOf([early, failed]));
  now += 1_000 * day;
  const newest = await stored(5);
  expect(idsOf(await operations.list({}))).toEqual(idsOf([newest, early, failed]));
  await inState(failed, "done");
  expect(await operations.list({ live: true })).toEqual([early]);
});

describe("What cannot be read", () => {
  const forge = (id: string, json: string) => redis.hset(`{bulkhead}:operation:${id}`, "json", json);

  test("is not guessed at where it is of a newer format: getting it throws, and names it", async () => {
    const { id } = await stored(1);
    await forge(id, JSON.stringify({ ...anOperation("delivery 1"), version: 5 }));
    await expect(operations.get(id)).rejects.toThrow(`operation ${id} has format version 5`);
    await expect(operations.accept(anOperation("delivery 1"))).rejects.toThrow(id);
  });

  test.each<[string, (whole: Operation) => unknown]>([
    ["a newer format", (whole) => ({ ...whole, version: 5 })],
    ["no JSON", () => undefined],
    ["null", () => null],
    ["a text", () => "q-1"],
    ["nothing but a version", () => ({ version: 1 })],
    ["no target", ({ target: _target, ...rest }) => rest],
    ["an unknown state", (whole) => ({ ...whole, state: "open" })],
    ["steps that are none", (whole) => ({ ...whole, steps: [null] })],
    ["another's id", (whole) => ({ ...whole, id: "q-0000000" })],
  ])("is left out of lists and told of, and hides no other: %s", async (_what, forged) => {
    const problems: string[] = [];
    const own = createOperations(redis, { now: () => now, onProblem: (id) => problems.push(id) });
    const bad = await inState(await stored(1), "in-force");
    const good = await inState(await stored(2), "in-force");
    await forge(bad.id, JSON.stringify(forged(bad)) ?? "{");
    for (const filter of [{}, { live: true }, { namespace: "payments" }])
      expect(await own.list(filter)).toEqual([good]);
    const told: string[] = [];
    await own.list({ live: true, onProblem: (id) => told.push(id) });
    expect({ problems, told }).toEqual({ problems: [bad.id], told: [bad.id] });
    expect((await own.liveIds()).toSorted()).toEqual([bad.id, good.id].toSorted());
    await expect(own.get(bad.id)).rejects.toThrow(bad.id);
  });
});

describe("With a Redis of its own", () => {
  test("Everything that was accepted survives a crash of Redis, and nothing is accepted while it is away", async () => {
    const server = await startOwnRedis();
    const client: Redis = connectRedis(server.url, { onError: () => undefined });
    await untilReady(client, 5_000);
    const own = createOperations(client, { now: () => now });
    for (let number = 0; number < 40; number += 1) await own.accept(anOperation(`${number}`));
    const first = await own.get(anOperation("0").id);
    const held = await own.replace({ ...first!, state: "in-force" });
    await server.kill();
    const asked = performance.now();
    await expect(own.accept(anOperation("away"))).rejects.toThrow();
    await expect(own.list({ live: true })).rejects.toThrow();
    expect(performance.now() - asked).toBeLessThan(2_000);
    await server.restart();
    await untilReady(client, 5_000);
    expect(await own.list({})).toHaveLength(40);
    expect(await own.list({ live: true })).toEqual([held]);
    expect(await own.accept(anOperation("7"))).toMatchObject({ kind: "duplicate" });
    expect(await own.accept(anOperation("away"))).toMatchObject({ kind: "accepted" });
    client.disconnect();
    await server.stop();
  });
});
