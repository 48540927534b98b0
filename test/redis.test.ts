import { afterEach, expect, test } from "vitest";
import { connectRedis, untilReady } from "../src/redis.ts";
import { type OwnRedis, startOwnRedis } from "./redis.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function ownRedis(): Promise<OwnRedis> {
  const server = await startOwnRedis();
  open.push(server);
  return server;
}

function client(url: string, errors: Error[] = []) {
  const redis = connectRedis(url, { onError: (error) => void errors.push(error) });
  open.push({ stop: async () => redis.disconnect() });
  return redis;
}

test("Without a server a command is refused at once, waiting ends in time, and each failure is told", async () => {
  const server = await ownRedis();
  await server.kill();
  const errors: Error[] = [];
  const redis = client(server.url, errors);
  const asked = performance.now();
  await expect(redis.ping()).rejects.toThrow();
  expect(await untilReady(redis, 300)).toBe(false);
  expect(performance.now() - asked).toBeLessThan(2_000);
  expect(errors.length).toBeGreaterThan(0);
});

test("A server that comes later is found, within 2 s once it is there", async () => {
  const server = await ownRedis();
  await server.kill();
  const redis = client(server.url);
  expect(await untilReady(redis, 2_000)).toBe(false);
  await server.restart();
  expect(await untilReady(redis, 2_000)).toBe(true);
  expect(await redis.ping()).toBe("PONG");
  expect(await untilReady(redis, 0)).toBe(true);
});

test("A command whose time limit has passed is not sent later", async () => {
  const server = await ownRedis();
  const redis = client(server.url);
  await untilReady(redis, 5_000);
  await server.kill();
  await expect(redis.set("late", "1")).rejects.toThrow();
  await server.restart();
  expect(await untilReady(redis, 5_000)).toBe(true);
  expect(await redis.exists("late")).toBe(0);
});

test("A command that was refused while the server hung is not sent when it goes on", async () => {
  const server = await ownRedis();
  server.freeze();
  const redis = client(server.url);
  await expect(redis.set("late", "1")).rejects.toThrow();
  server.resume();
  expect(await untilReady(redis, 5_000)).toBe(true);
  expect(await redis.exists("late")).toBe(0);
});

test("The address of a database is kept", async () => {
  const server = await ownRedis();
  const redis = client(`${server.url}/3`);
  await untilReady(redis, 5_000);
  await redis.set("here", "1");
  await redis.select(0);
  expect(await redis.exists("here")).toBe(0);
});
