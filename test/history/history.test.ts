import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createHistory, type History } from "../../src/history/history.ts";
import { type Author, imageOf, type RawPolicy, revisionId, sameImage } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { connectTestRedis } from "../redis.ts";
import { gone, happenings, play } from "./replicas-of-history.ts";

let redis: Redis;
let history: History;
const day = 86_400_000;

beforeAll(async () => {
  redis = await connectTestRedis();
});
beforeEach(async () => {
  await redis.flushdb();
  history = createHistory(redis, { keepMs: 30 * day, perPolicy: 5 });
});
afterAll(() => redis.disconnect());

const jane: Author = { kind: "user", user: "jane", groups: [] };

type Form = { readonly uid?: string; readonly namespace?: string; readonly name?: string; readonly label?: string };

/** Version 10 has spec 10. */
function policy(
  version: number,
  { uid = "u1", namespace = "payments", name = "allow-dns", label = "a" }: Form = {},
): RawPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace, uid, resourceVersion: `${version}`, labels: { label } },
    spec: { podSelector: { matchLabels: { version: `${version}` } } },
  };
}

function there(
  object: RawPolicy,
  previous: RawPolicy | undefined,
  { continuous = true, cluster = "main", at = 0 } = {},
): Sight {
  const moment = at === 0 ? Number(object.metadata.resourceVersion) : at;
  return { kind: "there", cluster, object, previous, continuous, at: moment };
}

/** Versions in a row, all seen. */
function changes(from: number, to: number, form?: Form): readonly Sight[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    there(policy(from + index, form), index === 0 ? undefined : policy(from + index - 1, form)),
  );
}

const key = {
  cluster: "main",
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  namespace: "payments",
  name: "allow-dns",
};
const idOf = (version: number, uid = "u1") => revisionId("main", uid, `${version}`);
const idsOf = async (found: Promise<readonly { readonly id: string }[]>) => (await found).map(({ id }) => id);

test("Three replicas that tell what they saw at once have one history", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (all) => {
      await redis.flushdb();
      const replicas = [0, 1, 2].map(() => createHistory(redis, { keepMs: day, perPolicy: 100 }));
      const last: Promise<void>[] = [];
      const { steps, current } = await play(all, (sights, index) => {
        last[index] = (last[index] ?? Promise.resolve()).then(() => replicas[index]!.saw(sights));
      });
      await Promise.all(last);
      const known = [...(await history.known("main")).values()];
      const missing = known.find(({ uid }) => uid !== current?.metadata.uid);
      const lost = steps.findLast(({ uid, object }) => uid === missing?.uid && object !== undefined)?.object;
      if (lost !== undefined) await history.saw([gone(lost, "9999", 9_999)]);
      const [left, ...more] = [...(await history.known("main")).values()];
      expect(more).toEqual([]);
      expect(left?.resourceVersion).toBe(current?.metadata.resourceVersion);
      expect(sameImage(left?.image, current && imageOf(current))).toBe(true);
      const listed = await history.list({ limit: 100 });
      expect(new Set(await idsOf(history.lineage({ ...key, namespace: "n", name: "p" })))).toEqual(
        new Set(listed.map(({ id }) => id)),
      );
    }),
    { numRuns: 25 },
  );
});

describe("What is kept", () => {
  test("of one policy is as many revisions as configured, the newest, and the policy as it is", async () => {
    await history.saw(changes(1, 20));
    expect(await idsOf(history.list({ limit: 100 }))).toEqual([20, 19, 18, 17, 16].map((version) => idOf(version)));
    const [oldest] = (await history.lineage(key)).toReversed();
    expect(oldest?.before).toEqual(imageOf(policy(15)));
    expect(await history.find(idOf(3))).toEqual([]);
    await history.saw(changes(1, 10));
    expect(await idsOf(history.lineage(key))).toEqual([20, 19, 18, 17, 16].map((version) => idOf(version)));
  });

  test("goes after its time, but for what is there; of what was deleted nothing is left then", async () => {
    const other = { name: "other", uid: "u2" };
    const lost: Sight = {
      kind: "gone",
      cluster: "main",
      object: policy(21, other),
      resourceVersion: "22",
      continuous: true,
      at: 22,
    };
    await history.saw([...changes(10, 12), ...changes(20, 21, other), lost]);
    expect(await history.trim(30 * day + 12)).toBe(2);
    expect(await idsOf(history.lineage(key))).toEqual([idOf(12)]);
    expect(await history.trim(60 * day)).toBe(4);
    expect(await history.list({ limit: 10 })).toEqual([]);
    expect([...(await history.known("main")).keys()]).toEqual([
      "main networking.k8s.io/NetworkPolicy payments/allow-dns",
    ]);
    await history.saw([there(policy(13), policy(12))]);
    expect((await history.lineage(key)).map(({ id, before }) => ({ id, before }))).toEqual([
      { id: idOf(13), before: imageOf(policy(12)) },
    ]);
    expect((await redis.keys("*other*")).concat(await redis.hkeys("{bulkhead}:history:heads:main"))).toHaveLength(1);
  });

  test("by a release to come stays as it is", async () => {
    await history.saw(changes(1, 3));
    const [code = ""] = await redis.hkeys("{bulkhead}:history:heads:main");
    await redis.hset("{bulkhead}:history:heads:main", code, "2 stamp u1 9\nwhatever");
    const problems: unknown[] = [];
    const older = createHistory(redis, { keepMs: day, perPolicy: 5, onProblem: (error) => problems.push(error) });
    await older.saw([there(policy(4), policy(3)), ...changes(5, 6, { name: "other", uid: "u2" })]);
    expect(await idsOf(older.list({ limit: 10 }))).toEqual([idOf(6, "u2"), idOf(5, "u2")]);
    expect(await redis.hget("{bulkhead}:history:heads:main", code)).toBe("2 stamp u1 9\nwhatever");
    expect(String(problems[0])).toContain("format 2");
  });
});

describe("A query", () => {
  beforeEach(async () => {
    await history.saw([
      ...changes(10, 12),
      ...changes(20, 21, { namespace: "web", uid: "u2" }),
      ...changes(30, 30, { name: "other", uid: "u3" }),
    ]);
    await history.saw([there(policy(5, { uid: "e1" }), undefined, { cluster: "east", at: 11 })]);
  });

  test("answers the newest first, of all clusters or one", async () => {
    const all = await history.list({ limit: 100 });
    expect(all.map(({ at }) => at)).toEqual([30, 21, 20, 12, 11, 11, 10]);
    expect(await idsOf(history.list({ cluster: "east", limit: 5 }))).toEqual([revisionId("east", "e1", "5")]);
    expect(await idsOf(history.list({ limit: 2 }))).toEqual([idOf(30, "u3"), idOf(21, "u2")]);
  });

  test("goes by namespace, name and time, both ends included", async () => {
    const main = { cluster: "main", limit: 100 };
    expect(await idsOf(history.list({ ...main, namespace: "web" }))).toEqual([idOf(21, "u2"), idOf(20, "u2")]);
    expect(await idsOf(history.list({ ...main, namespace: "payments", name: "other" }))).toEqual([idOf(30, "u3")]);
    expect(await history.list({ ...main, name: "allow-dns", limit: 100 })).toHaveLength(5);
    expect(await idsOf(history.list({ ...main, namespace: "payments", since: 11, until: 12 }))).toEqual([
      idOf(12),
      idOf(11),
    ]);
    expect(await idsOf(history.list({ ...main, name: "allow-dns", since: 21 }))).toEqual([idOf(21, "u2")]);
    expect(await history.list({ ...main, namespace: "" })).toEqual([]);
  });

  test("finds revisions by the beginning of an id", async () => {
    expect(await idsOf(history.find(idOf(11)))).toEqual([idOf(11)]);
    expect(await idsOf(history.find(idOf(11).slice(0, 5)))).toContain(idOf(11));
    expect(await history.find("v-")).toHaveLength(7);
    expect(await history.find("v-zzzzzzz")).toEqual([]);
  });
});

describe("Who made a change", () => {
  const attribution = { cluster: "main", uid: "u1", resourceVersion: "11", author: jane };
  const authorsOf = async (version: number) => (await history.find(idOf(version))).map(({ authors }) => authors);

  test("may be known before it is seen, or after, and is kept once", async () => {
    await history.attribute(attribution);
    await history.saw(changes(10, 12));
    await history.attribute({ ...attribution, resourceVersion: "12" });
    await history.attribute({ ...attribution, resourceVersion: "12" });
    expect([await authorsOf(10), await authorsOf(11), await authorsOf(12)]).toEqual([[[]], [[jane]], [[jane]]]);
  });

  test("is known of a deletion by the uid", async () => {
    await history.attribute({ ...attribution, resourceVersion: "deleted" });
    await history.saw(changes(10, 11));
    await history.saw([gone(policy(11), "15", 15)]);
    const [deleted] = await history.lineage(key);
    expect(deleted).toMatchObject({ change: "deleted", gap: true, before: imageOf(policy(11)), authors: [jane] });
  });

  test("stands before what the object itself claims", async () => {
    const manager: Author = { kind: "manager", manager: "kubectl-edit", operation: "Update", at: undefined };
    const claimed = createHistory(redis, { keepMs: day, perPolicy: 5, authors: () => [manager] });
    await claimed.saw(changes(10, 11));
    await claimed.attribute(attribution);
    expect(await authorsOf(11)).toEqual([[jane, manager]]);
  });

  test("what is found after a gap is judged by what was recorded of the same object", async () => {
    const asked: unknown[] = [];
    const authors = (_sight: Sight, recorded: unknown) => {
      asked.push(recorded);
      return [];
    };
    const judged = createHistory(redis, { keepMs: day, perPolicy: 5, authors });
    await judged.saw([...changes(10, 11), there(policy(15), undefined, { continuous: false })]);
    await judged.saw([there(policy(20, { uid: "u2" }), undefined, { continuous: false })]);
    expect(asked).toEqual([undefined, undefined, { image: imageOf(policy(11)), at: 11 }, undefined]);
  });

  test("is of users the one whose request came first, and nobody whose request came after the change was seen", async () => {
    const by = (user: string, receivedAt: number): Author => ({ kind: "user", user, groups: [], receivedAt });
    const at = 1_000_000;
    await history.saw([there(policy(10), undefined), there(policy(11), policy(10), { at })]);
    // Applied again, to what was there already: the API server answers with its version.
    await history.attribute({ ...attribution, author: by("argocd", at + 60_000) });
    expect(await authorsOf(11)).toEqual([[]]);
    for (const [user, receivedAt] of [
      ["flux", at + 5_000],
      ["jane", at - 10],
      ["argocd", at + 3_000],
    ] as const) {
      await history.attribute({ ...attribution, author: by(user, receivedAt) });
    }
    expect(await authorsOf(11)).toEqual([[by("jane", at - 10)]]);
    for (const receivedAt of [at + 60_000, at + 5_000, at]) {
      const author = by(`user ${receivedAt}`, receivedAt);
      await history.attribute({ ...attribution, resourceVersion: "12", author });
    }
    await history.saw([there(policy(12), policy(11), { at })]);
    expect(await authorsOf(12)).toEqual([[by(`user ${at}`, at)]]);
  });
});

test("A revision is marked as undone, and as not undone any more", async () => {
  await history.saw(changes(10, 12));
  await history.markUndone([idOf(11), idOf(12), "v-zzzzzzz"], "u-1234567");
  expect((await history.lineage(key)).map(({ undoneBy }) => undoneBy)).toEqual(["u-1234567", "u-1234567", undefined]);
  await history.markUndone([idOf(11)], undefined);
  expect((await history.lineage(key)).map(({ undoneBy }) => undoneBy)).toEqual(["u-1234567", undefined, undefined]);
});

test("Labels make no revision, and what was there before a change is so with the labels that it had", async () => {
  const relabelled = { ...policy(10), metadata: { ...policy(11, { label: "b" }).metadata } };
  await history.saw([there(policy(10), undefined, { continuous: false }), there(relabelled, policy(10))]);
  expect(await history.lineage(key)).toEqual([]);
  expect([...(await history.known("main")).values()]).toMatchObject([
    { resourceVersion: "11", image: imageOf(relabelled) },
  ]);
  await history.saw([there(policy(12), relabelled)]);
  expect(await history.lineage(key)).toMatchObject([
    { id: idOf(12), gap: false, before: imageOf(relabelled), after: imageOf(policy(12)) },
  ]);
});

test("What lies elsewhere fills neither what a query reads nor a beginning of an id", async () => {
  const inShop = Array.from({ length: 450 }, (_, index) =>
    there(policy(1_000 + index, { uid: `s${index}`, namespace: "shop", name: `web-${index}` }), undefined),
  );
  await history.saw([...changes(10, 12), ...inShop]);
  const where = ({ namespace }: { readonly namespace?: string | undefined }) => namespace === "payments";
  const versions = async (asked: Omit<Parameters<History["list"]>[0], "limit">, limit: number) =>
    (await history.list({ where, ...asked, limit })).map(({ resourceVersion }) => resourceVersion);
  expect(await versions({}, 400)).toEqual(["12", "11", "10"]);
  expect(await versions({ which: ({ change }) => change === "created" }, 1)).toEqual(["10"]);
  expect(await versions({ where: undefined, which: ({ uid }) => uid === "s3" }, 1)).toEqual(["1003"]);
  expect(await versions({ name: "web-3" }, 1)).toEqual([]);
  expect((await history.find("v-", where)).map(({ uid }) => uid)).toEqual(["u1", "u1", "u1"]);
  expect(await history.find("v-")).toHaveLength(10);
});

test("Of one moment the newest are those with the highest versions", async () => {
  const names = Array.from({ length: 30 }, (_, index) => ({ uid: `t${index}`, name: `t-${index}` }));
  await history.saw(names.map((form, index) => there(policy(6_000 + index, form), undefined, { at: 9_000 })));
  const versions = async (limit: number) =>
    (await history.list({ limit })).map(({ resourceVersion }) => resourceVersion);
  expect(await versions(1)).toEqual(["6029"]);
  expect(await versions(3)).toEqual(["6029", "6028", "6027"]);
});
