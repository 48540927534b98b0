import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createHistory, type History } from "../src/history/history.ts";
import type { ListedPolicies, PolicyFollower } from "../src/kubernetes/policy-kind-watch.ts";
import { imageOf, lineageOf, type RawPolicy } from "../src/policy/revision.ts";
import type { Sight } from "../src/policy/sight.ts";
import { type RecorderOptions, startRecorder } from "../src/recorder.ts";
import { connectTestRedis } from "./redis.ts";
import { waitFor } from "./wait.ts";

let redis: Redis;
let history: History;

beforeAll(async () => {
  redis = await connectTestRedis();
});
beforeEach(async () => {
  await redis.flushdb();
  history = createHistory(redis, { keepMs: 1_000_000, perPolicy: 50 });
});
afterAll(() => redis.disconnect());

function policy(version: number, name = "allow-dns", uid = `uid of ${name}`): RawPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "payments", uid, resourceVersion: `${version}` },
    spec: { podSelector: { matchLabels: { version: `${version}` } } },
  };
}

const keyOf = (name = "allow-dns") => {
  const { apiVersion, kind } = policy(1);
  return { cluster: "main", apiVersion, kind, namespace: "payments", name };
};

/** A watch of a cluster, by hand. */
function createWatch(objects: readonly RawPolicy[], resourceVersion: string) {
  const store = new Map(objects.map((object) => [object.metadata.name, object]));
  const followers = new Set<PolicyFollower>();
  let position = resourceVersion;
  const listed = (): ListedPolicies => {
    const present = new Map([...store].map(([name, { metadata }]) => [lineageOf(keyOf(name)), metadata.uid]));
    return { ...keyOf(), resourceVersion: position, present, at: 1 };
  };
  const tell = (sight: Sight): void => {
    for (const follower of followers) follower.onSights([sight]);
  };
  return {
    name: "main",
    followPolicies(follower: PolicyFollower) {
      const known = [...store.values()];
      follower.onSights(
        known.map((object) => ({
          kind: "there",
          cluster: "main",
          object,
          previous: undefined,
          continuous: false,
          at: 1,
        })),
      );
      follower.onListed?.(listed());
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    put(object: RawPolicy) {
      const previous = store.get(object.metadata.name);
      store.set(object.metadata.name, object);
      position = object.metadata.resourceVersion;
      tell({ kind: "there", cluster: "main", object, previous, continuous: true, at: Number(position) });
    },
  };
}

function record(watch: ReturnType<typeof createWatch>, options: Partial<RecorderOptions> = {}) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  return { ...startRecorder(watch, { history, now: Date.now, onError, ...options }), errors };
}

const settled = (recorder: ReturnType<typeof record>) => waitFor(() => recorder.isIdle());
const versionsOf = async () => (await history.list({ limit: 100 })).map(({ resourceVersion }) => resourceVersion);

test("What is there first is known and no revision, and what becomes of it is one", async () => {
  const watch = createWatch([policy(5), policy(6, "other")], "9");
  const recorder = record(watch);
  await settled(recorder);
  expect(await versionsOf()).toEqual([]);
  watch.put(policy(12));
  watch.put(policy(13, "new"));
  await settled(recorder);
  expect(await history.list({ limit: 10 })).toMatchObject([
    { name: "new", change: "created", gap: false },
    { name: "allow-dns", change: "changed", gap: false, before: imageOf(policy(5)) },
  ]);
  await recorder.stop();
});

test("What changed and what went while no replica was there is found by the first list, with a gap", async () => {
  const first = record(createWatch([policy(5), policy(6, "other"), policy(7, "third", "uid 1")], "9"));
  await settled(first);
  await first.stop();
  const second = record(createWatch([policy(12), policy(14, "third", "uid 2")], "20"));
  await settled(second);
  const found = await history.list({ cluster: "main", limit: 10 });
  expect(found.map(({ name, change, gap }) => `${change} ${name} ${gap}`).sort()).toEqual([
    "changed allow-dns true",
    "created third true",
    "deleted other true",
    "deleted third true",
  ]);
  await second.stop();
});

test("A replica that is behind takes nothing back of what another one recorded", async () => {
  const ahead = createWatch([policy(5)], "9");
  const [first, second] = [record(ahead), record(createWatch([policy(5)], "9"))];
  await Promise.all([settled(first), settled(second)]);
  ahead.put(policy(10));
  ahead.put(policy(11, "new"));
  await settled(first);
  second.compare();
  await settled(second);
  expect((await history.known("main")).size).toBe(2);
  expect(await versionsOf()).toEqual(["11", "10"]);
  await Promise.all([first.stop(), second.stop()]);
});

test("While the store is away changes wait, and are told in their order afterwards", async () => {
  const watch = createWatch([policy(5)], "9");
  let away = false;
  const flaky: History = {
    ...history,
    saw: (sights) => (away ? Promise.reject(new Error("away")) : history.saw(sights)),
  };
  const recorder = record(watch, { history: flaky });
  await settled(recorder);
  away = true;
  for (const version of [10, 11, 12]) watch.put(policy(version));
  await waitFor(() => recorder.errors.length > 1);
  away = false;
  await settled(recorder);
  expect((await history.lineage(keyOf())).map(({ resourceVersion, gap }) => `${resourceVersion} ${gap}`)).toEqual([
    "12 false",
    "11 false",
    "10 false",
  ]);
  await recorder.stop();
});

test("Where more wait than may, they are forgotten, and what is there is compared", async () => {
  const watch = createWatch([policy(5)], "9");
  let [away, overflows] = [false, 0];
  const flaky: History = {
    ...history,
    saw: (sights) => (away ? Promise.reject(new Error("away")) : history.saw(sights)),
  };
  const recorder = record(watch, { history: flaky, mostWaiting: 3, onOverflow: () => (overflows += 1) });
  await settled(recorder);
  away = true;
  for (const version of [10, 11, 12, 13]) watch.put(policy(version));
  expect([overflows, recorder.waiting()]).toEqual([1, 0]);
  away = false;
  await settled(recorder);
  expect(await history.lineage(keyOf())).toMatchObject([
    { resourceVersion: "13", gap: true, before: imageOf(policy(5)) },
  ]);
  await recorder.stop();
});

test("A store that was emptied is filled again by a comparison", async () => {
  const recorder = record(createWatch([policy(5)], "9"));
  await settled(recorder);
  await redis.flushdb();
  recorder.compare();
  await settled(recorder);
  expect([...(await history.known("main")).values()]).toMatchObject([{ resourceVersion: "5" }]);
  await recorder.stop();
});

test("A head that cannot be read keeps nothing else from being recorded", async () => {
  const first = record(createWatch([policy(5), policy(6, "other")], "9"));
  await settled(first);
  await first.stop();
  const heads = "{bulkhead}:history:heads:main";
  for (const [code, head] of Object.entries(await redis.hgetall(heads))) {
    const [line, key] = head.split("\n");
    if (key?.includes("other")) await redis.hset(heads, code, `${line}\n${key}\nnothing that was ever packed`);
  }
  const problems: unknown[] = [];
  const second = record(createWatch([policy(12)], "20"), { onProblem: (error) => problems.push(error) });
  await settled(second);
  expect([second.errors, problems.length]).toEqual([[], 1]);
  expect((await history.lineage(keyOf())).map(({ resourceVersion }) => resourceVersion)).toEqual(["12"]);
  await second.stop();
});

test("A cluster that was made anew under the same name has a history of its own", async () => {
  const first = record(createWatch([policy(900_000), policy(900_001, "other")], "900002"), {
    identity: async () => "a",
  });
  await settled(first);
  const watch = createWatch([policy(900_000)], "900002");
  const again = record(watch, { identity: async () => "a" });
  await settled(again);
  watch.put(policy(900_003));
  await settled(again);
  expect(await versionsOf()).toContain("900003");
  await Promise.all([first.stop(), again.stop()]);
  const [old] = await history.list({ limit: 1 });
  const made = createWatch([policy(1_200, "allow-dns", "uid 2")], "1300");
  const second = record(made, { identity: async () => "b" });
  await settled(second);
  expect(await versionsOf()).toEqual([]);
  expect(await history.list({ namespace: "payments", limit: 9 })).toEqual([]);
  expect(await history.find(old!.id)).toEqual([]);
  expect([...(await history.known("main")).values()]).toMatchObject([{ uid: "uid 2", resourceVersion: "1200" }]);
  made.put(policy(1_301, "allow-dns", "uid 2"));
  await settled(second);
  expect(await history.lineage(keyOf())).toMatchObject([{ change: "changed", resourceVersion: "1301", gap: false }]);
  await second.stop();
});
