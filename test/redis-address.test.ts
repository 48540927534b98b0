import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { parseRedisUrl } from "../src/redis-address.ts";

test.each([
  [
    "redis://localhost",
    { hosts: [{ host: "localhost", port: 6379 }], tls: false, database: 0, sentinelName: undefined },
  ],
  ["redis://redis.bulkhead:6380/3", { hosts: [{ host: "redis.bulkhead", port: 6380 }], database: 3 }],
  [
    "rediss://bulkhead:p%40ss%2Fword@[::1]:6379/0",
    { tls: true, username: "bulkhead", password: "p@ss/word", hosts: [{ host: "::1", port: 6379 }] },
  ],
  ["redis://:secret:with:colons@h", { username: undefined, password: "secret:with:colons" }],
  ["redis://u:100%@h", { password: "100%" }],
  [
    "redis+sentinel://a,b:26380/bulkhead",
    {
      hosts: [
        { host: "a", port: 26_379 },
        { host: "b", port: 26_380 },
      ],
      sentinelName: "bulkhead",
      database: 0,
    },
  ],
  ["rediss+sentinel://u:p@a:1/main/2", { tls: true, username: "u", password: "p", sentinelName: "main", database: 2 }],
])("%s is understood", (url, expected) => {
  expect(parseRedisUrl(url)).toMatchObject(expected);
});

test.each([
  "",
  "localhost:6379",
  "http://h",
  "redis://",
  "redis://a,b",
  "redis://h/x",
  "redis://h/1/2",
  "redis+sentinel://a",
  "redis+sentinel://a/",
  "redis+sentinel://a/name/x",
  "redis://h:99999",
  "redis://h?db=1",
])("%s is no address", (url) => {
  expect(parseRedisUrl(url)).toBeUndefined();
});

test("The configuration names an address of no known form, half a certificate, and TLS files without TLS", () => {
  const problems = (env: Readonly<Record<string, string>>) => {
    const read = readConfig(env, undefined, (path) => (path.startsWith("/tls") ? "PEM" : undefined));
    return "problems" in read ? read.problems.join("\n") : "";
  };
  expect(problems({ REDIS_URL: "redis+sentinel://a" })).toMatch(/REDIS_URL: is not of the form .*sentinel/);
  expect(problems({ REDIS_URL: "rediss://h", REDIS_CERT_FILE: "/tls/crt" })).toMatch(/need each other/);
  expect(problems({ REDIS_URL: "redis://h", REDIS_CA_FILE: "/tls/ca" })).toMatch(/is no rediss:\/\/ address/);
  expect(problems({ REDIS_URL: "rediss://h", REDIS_CA_FILE: "/gone" })).toMatch(/REDIS_CA_FILE: \/gone cannot be read/);
  expect(problems({ REDIS_URL: "rediss://h", REDIS_CA_FILE: "/tls/ca", REDIS_CERT: "PEM", REDIS_KEY: "PEM" })).toBe("");
});
