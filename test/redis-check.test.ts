import { afterEach, describe, expect, test } from "vitest";
import { connectRedis, untilReady } from "../src/redis.ts";
import { judgeRedis, type RedisCheck, watchRedis } from "../src/redis-check.ts";
import { type OwnRedis, startOwnRedis } from "./redis.ts";

const open: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.stop();
});

async function server(...args: readonly string[]): Promise<OwnRedis> {
  const own = await startOwnRedis(args);
  open.push(own);
  return own;
}

async function client(url: string) {
  const redis = connectRedis(url, { onError: () => undefined });
  open.push({ stop: () => redis.disconnect() });
  expect(await untilReady(redis, 10_000)).toBe(true);
  return redis;
}

async function checked(url: string): Promise<RedisCheck> {
  let found: RedisCheck | undefined;
  await watchRedis(await client(url), (check) => void (found = check)).check();
  return found as RedisCheck;
}

describe("A server", () => {
  test("that is set up as README says has no problem", async () => {
    expect(await checked((await server()).url)).toEqual({ problems: [], unknown: [] });
  });

  test("that forgets is named with what to set", async () => {
    const { url } = await server("--maxmemory-policy", "allkeys-lru", "--appendfsync", "everysec");
    const { problems } = await checked(url);
    expect(problems).toEqual([
      expect.stringMatching(/^maxmemory-policy is allkeys-lru: .*set noeviction$/),
      expect.stringMatching(/^appendfsync is everysec: .*set always$/),
    ]);
    expect((await checked((await server("--appendonly", "no")).url)).problems).toEqual([
      expect.stringMatching(/^appendonly is no: /),
    ]);
  });

  test("that is a replica is named", async () => {
    const master = await server();
    const { url } = await server("--replicaof", "127.0.0.1", `${master.port}`);
    expect((await checked(url)).problems).toEqual([expect.stringMatching(/is a replica and refuses writes/)]);
  });

  test("that does not show its settings to this user is asked by INFO; what only CONFIG tells is not known", async () => {
    const user = "--user bot on >secret ~{bulkhead}:* -@all +ping +info".split(" ");
    const own = await server(...user, "--maxmemory-policy", "volatile-ttl");
    const { problems, unknown } = await checked(own.url.replace("//", "//bot:secret@"));
    expect(problems).toEqual([expect.stringMatching(/^maxmemory-policy is volatile-ttl/)]);
    expect(unknown).toEqual([expect.stringMatching(/^appendfsync/)]);
  });

  test("is looked at again after every new connection, and told of once as long as nothing changes", async () => {
    const own = await server();
    const redis = await client(own.url);
    const told: RedisCheck[] = [];
    const watch = watchRedis(redis, (check) => void told.push(check));
    await watch.check();
    await watch.check();
    expect(told).toHaveLength(1);
    await redis.config("SET", "maxmemory-policy", "allkeys-random");
    redis.disconnect(true);
    await expect.poll(() => watch.problems().length, { timeout: 10_000 }).toBe(1);
    expect(told).toHaveLength(2);
  });
});

test("Old versions, cluster mode and a disk that takes no more are named from what INFO says", () => {
  const judge = (fields: Readonly<Record<string, string>>) =>
    judgeRedis(new Map(Object.entries({ redis_version: "7.2.4", ...fields })), "always").problems;
  expect(judge({})).toEqual([]);
  expect(judge({ redis_version: "6.2.14" })).toEqual([expect.stringMatching(/6\.2\.14 is too old/)]);
  expect(judge({ cluster_enabled: "1" })).toEqual([expect.stringMatching(/cluster mode/)]);
  expect(judge({ aof_last_write_status: "err" })).toEqual([expect.stringMatching(/append-only file/)]);
});
