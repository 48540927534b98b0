import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LokiOptions, pollLoki } from "../../src/flows/loki.ts";
import { startConnectProxy } from "../connect-proxy.ts";
import { waitFor } from "../wait.ts";
import { createAuthority } from "./authority.ts";
import { denied } from "./hubble-flows.ts";
import { type Line, type LokiServer, startLoki } from "./loki-server.ts";
import { keepingSink } from "./sinks.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-loki-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

function nsOf(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}

/** A denied flow as the export writes it. */
function lineAt(ms: number, more: Partial<Line> = {}): Line {
  return { ns: nsOf(ms), line: JSON.stringify({ flow: { ...denied(ms), time: new Date(ms).toISOString() } }), ...more };
}

function polled(loki: LokiServer, more: Partial<LokiOptions> = {}) {
  const sink = keepingSink();
  const source = pollLoki({
    name: "loki",
    cluster: "c",
    url: loki.url,
    query: '{job="hubble"}',
    sink,
    now: Date.now,
    everyMs: 20,
    longestPauseMs: 50,
    ...more,
  });
  const count = () => sink.records().length;
  const isDouble = () => new Set(sink.records().map(({ id }) => id)).size < count();
  /** Until it has asked twice more: what came before the first of these was read. */
  const settles = async () => {
    const before = loki.asked.length;
    await waitFor(() => loki.asked.length > before + 2);
  };
  return { sink, source, count, isDouble, settles, [Symbol.asyncDispose]: () => source.stop() };
}

test("Lines come once, those that come late too, and none from before the beginning", async () => {
  await using loki = await startLoki();
  loki.lines.push(lineAt(Date.now() - 60_000));
  await using bot = polled(loki, { tenant: "team-a|team-b" });
  await bot.settles();
  const now = Date.now();
  loki.lines.push(lineAt(now), lineAt(now + 1));
  await waitFor(() => bot.count() === 2);
  loki.lines.push(lineAt(now));
  await waitFor(() => bot.count() === 3);
  await bot.settles();
  expect([bot.count(), bot.isDouble()]).toEqual([3, false]);
  expect(loki.asked[0]?.url.pathname).toBe("/loki/api/v1/query_range");
  expect(loki.asked[0]?.headers["x-scope-orgid"]).toBe("team-a|team-b");
  expect(bot.source.state()).toMatchObject({ state: "connected", why: undefined, kind: "loki", formats: ["hubble"] });
});

test("An outage of an hour is caught up with in steps, page by page", async () => {
  const now = Date.now();
  await using loki = await startLoki();
  for (let at = 1; at < 3_500; at += 1) loki.lines.push(lineAt(now - at * 1_000));
  await using bot = polled(loki, { sinceMs: now - 3_599_000, limit: 100 });
  await waitFor(() => bot.count() === 3_499, { timeoutMs: 15_000 });
  await bot.settles();
  expect([bot.count(), bot.isDouble(), bot.sink.lost()]).toEqual([3_499, false, 0]);
  const spans = loki.asked.map(
    ({ url }) => Number(url.searchParams.get("end")) - Number(url.searchParams.get("start")),
  );
  expect(Math.max(...spans) / 1e6).toBeLessThan(500_000);
});

test("What is older than an hour is not read, and is said to be lost", async () => {
  const now = Date.now();
  await using loki = await startLoki();
  loki.lines.push(lineAt(now - 2 * 3_600_000), lineAt(now - 60_000));
  await using bot = polled(loki, { sinceMs: now - 3 * 3_600_000 });
  await waitFor(() => bot.count() === 1);
  expect(bot.sink.lost()).toBeGreaterThanOrEqual(120);
  expect(bot.sink.lost()).toBeLessThanOrEqual(121);
});

test("More lines of one nanosecond than a page holds are all read; more than Loki gives at all are said to be lost", async () => {
  const at = Date.now() - 10_000;
  await using loki = await startLoki();
  for (let of = 0; of < 250; of += 1) loki.lines.push(lineAt(at));
  await using bot = polled(loki, { sinceMs: at - 1_000, limit: 100 });
  await waitFor(() => bot.count() === 250);
  expect(bot.sink.lost()).toBe(0);
  loki.mostLines = 300;
  for (let of = 0; of < 200; of += 1) loki.lines.push(lineAt(at));
  loki.lines.push(lineAt(at + 1));
  await waitFor(() => bot.count() >= 251 && bot.sink.lost() > 0, { timeoutMs: 10_000 });
});

test("A Loki that gives fewer lines than are asked for is asked for fewer", async () => {
  const now = Date.now();
  await using loki = await startLoki();
  loki.mostLines = 30;
  for (let of = 0; of < 100; of += 1) loki.lines.push(lineAt(now - of));
  await using bot = polled(loki, { sinceMs: now - 1_000 });
  await waitFor(() => bot.count() === 100);
});

test("Its own clock counts, not that of this machine", async () => {
  for (const aheadMs of [-600_000, 600_000]) {
    await using loki = await startLoki();
    loki.aheadMs = aheadMs;
    await using bot = polled(loki);
    await bot.settles();
    loki.lines.push(lineAt(Date.now() + aheadMs));
    await waitFor(() => bot.count() === 1);
  }
});

test("The same text counts in each stream and at each time that it is in", async () => {
  const now = Date.now();
  const { line } = lineAt(now);
  const stream = { job: "hubble", node_name: "kind-worker3" };
  await using loki = await startLoki();
  await using bot = polled(loki, { sinceMs: now - 1_000 });
  loki.lines.push({ ns: nsOf(now), line }, { ns: nsOf(now) + 1n, line }, { ns: nsOf(now), line, stream });
  await waitFor(() => bot.sink.items.length === 3);
});

test("What it answers in place of lines is said in words, and it is asked again", async () => {
  const cases: readonly (readonly [(response: ServerResponse) => void, string])[] = [
    [(response) => response.writeHead(429, { "retry-after": "0" }).end(), "too often"],
    [(response) => response.writeHead(503).end("<html>"), "cannot answer now (503)"],
    [(response) => response.writeHead(401).end(), "does not let it in"],
    [(response) => response.writeHead(401).end("no org id"), "does not let it in"],
    [(response) => response.writeHead(400).end("no org id"), "set tenant"],
    [(response) => response.writeHead(400).end("parse error at <b>\n*line* 1"), "refuses the query (400): parse error"],
    [(response) => response.writeHead(404).end(), "is no Loki"],
    [(response) => response.writeHead(200).end("hello"), "does not answer as Loki does"],
    [(response) => response.destroy(), "the connection failed"],
  ];
  await using loki = await startLoki();
  await using bot = polled(loki);
  for (const [instead, words] of cases) {
    loki.instead = instead;
    await waitFor(() => bot.source.state().why?.includes(words));
    expect(bot.source.state().state).toBe("failing");
    loki.instead = undefined;
    await waitFor(() => bot.source.state().state === "connected");
  }
  const matrix = await readFile(new URL("samples/loki-query-range-matrix.json", import.meta.url), "utf8");
  loki.instead = (response) => void response.end(matrix);
  await waitFor(() => bot.source.state().why?.includes("counts lines"));
});

test("A full sink is waited for, and a query that selects no flows is said to be at fault", async () => {
  const now = Date.now();
  await using loki = await startLoki();
  await using bot = polled(loki, { sinceMs: now - 1_000 });
  bot.sink.full = true;
  loki.lines.push(lineAt(now), lineAt(now));
  await waitFor(() => bot.sink.refused > 2);
  bot.sink.full = false;
  await waitFor(() => bot.count() === 2);
  loki.lines.push({ ns: nsOf(now), line: "GET /healthz 200" });
  await waitFor(() => bot.source.state().why?.includes("none of the lines"));
});

test("By TLS with an authority of its own, with a token or a password out of files, and through a proxy", async () => {
  const authority = createAuthority("Loki CA");
  await using loki = await startLoki(authority.issue("loki.test"));
  const tls = { caFile: await file("ca.pem", authority.ca), serverName: "loki.test" };
  const tokenFile = await file("token", "a-token\n");
  const passwordFile = await file("password", "a-password\n");
  const proxy = await startConnectProxy((target) => Number(target.split(":")[1]));
  try {
    const ways: readonly (readonly [Partial<LokiOptions>, string])[] = [
      [{ tls, tokenFile }, "Bearer a-token"],
      [{ tls, username: "me", passwordFile }, `Basic ${Buffer.from("me:a-password").toString("base64")}`],
      [{ tls, tokenFile, proxy: proxy.url }, "Bearer a-token"],
    ];
    for (const [way, authorization] of ways) {
      await using bot = polled(loki, way);
      await waitFor(() => bot.source.state().state === "connected");
      expect(loki.asked.at(-1)?.headers.authorization).toBe(authorization);
    }
    await using stranger = polled(loki, { tokenFile });
    await waitFor(() => stranger.source.state().why?.includes("unknown authority"));
  } finally {
    await proxy.close();
  }
});
