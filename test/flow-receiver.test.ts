import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { createFlowReceiver } from "../src/flow-receiver.ts";
import { createMetrics } from "../src/metrics.ts";
import { startProbes } from "../src/probes.ts";
import { type KeepingSink, keepingSink } from "./flows/sinks.ts";
import { waitFor } from "./wait.ts";

const token = "a-token-of-the-test";

type Answer = {
  readonly read: number;
  readonly unreadable: number;
  readonly advice: string[];
  readonly error?: string;
};

async function start({ sink = keepingSink(), now = Date.now }: { sink?: KeepingSink; now?: () => number } = {}) {
  const problems: string[] = [];
  const tokens = new Map([
    ["c", token],
    ["empty", ""],
  ]);
  const onProblem = (error: Error) => void problems.push(error.message);
  const receiver = createFlowReceiver({ tokens, sink, now, onProblem });
  const health = { readiness: () => ({ missing: [], degraded: [] }), stuck: () => [] };
  const probes = await startProbes(0, createMetrics(), health, receiver.answer);
  const url = `http://127.0.0.1:${probes.port}/flows/c`;
  const post = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const all = { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers };
    const response = await fetch(url, { method: "POST", headers: all, body: Buffer.from(body) });
    const answer = (await response.json()) as Answer;
    return { status: response.status, headers: response.headers, body: answer };
  };
  return { sink, problems, receiver, url, port: probes.port, post, [Symbol.asyncDispose]: () => probes.close() };
}

function sample(name: string): string {
  return readFileSync(new URL(`flows/samples/${name}`, import.meta.url), "utf8");
}

const lines = sample("hubble-export.ndjson");
const goldmane = sample("goldmane-push.ndjson");

test("What fluent-bit, vector, Goldmane and curl post is read as it comes", async () => {
  const json = { "content-type": "application/json" };
  const array = JSON.stringify(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
  const wrapped = lines
    .trim()
    .split("\n")
    .map((message) => JSON.stringify({ message, source_type: "file" }));
  const posts: readonly (readonly [string, string | Buffer, Record<string, string>, string])[] = [
    ["fluent-bit, json", sample("fluentbit-http-json.body.json"), json, "hubble"],
    [
      "fluent-bit, json_lines, gzip",
      gzipSync(sample("fluentbit-http-json_lines.ndjson")),
      { ...json, "content-encoding": "gzip" },
      "hubble",
    ],
    ["vector, json array", `[${wrapped.join(",")}]`, json, "hubble"],
    ["vector, newline delimited, zstd", zstdCompressSync(wrapped.join("\n")), { "content-encoding": "zstd" }, "hubble"],
    ["vector, zlib", deflateSync(array), { "content-encoding": "deflate" }, "hubble"],
    ["Goldmane's push", goldmane, { "content-type": "application/x-ndjson" }, "goldmane"],
    ["curl", lines, { "content-type": "application/x-www-form-urlencoded" }, "hubble"],
  ];
  for (const [who, body, headers, format] of posts) {
    await using server = await start();
    const answer = await server.post(body, headers);
    expect([who, answer.status, answer.body.unreadable]).toEqual([who, 200, 0]);
    expect(server.sink.records().length, who).toBeGreaterThan(0);
    expect(server.sink.records().map((record) => record.format)).toContain(format);
    const [state] = server.receiver.states();
    expect(state).toMatchObject({
      cluster: "c",
      kind: "push",
      state: "connected",
      formats: expect.arrayContaining([format]),
    });
  }
});

test("Basic authentication's password is the token, and nobody else comes in, whoever they say they are", async () => {
  await using server = await start();
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
  expect((await server.post("", basic(`fluent:${token}`))).status).toBe(200);
  for (const authorization of ["", "Bearer", "Bearer wrong", `bearer  ${token}x`, `Token ${token}`, "Basic ==="])
    expect((await server.post(lines, { authorization })).status).toBe(401);
  for (const cluster of ["other", "empty", "%2e%2e%2f", "__proto__"]) {
    const answer = await fetch(server.url.replace(/c$/, cluster), {
      method: "POST",
      headers: { authorization: cluster === "empty" ? "Bearer " : `Bearer ${token}` },
    });
    expect([answer.status, await answer.text()]).toEqual([401, "{}\n"]);
  }
  expect(server.sink.items).toEqual([]);
  expect(server.problems).toHaveLength(2);
});

test("Other methods, other paths, and bodies that are something else", async () => {
  await using server = await start();
  const answer = await fetch(server.url, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await fetch(server.url.replace("/c", ""), { method: "POST" })).status).toBe(404);
  const msgpack = await server.post("\x81", { "content-type": "application/msgpack" });
  expect(msgpack).toMatchObject({ status: 415, body: { error: expect.stringContaining("json_lines") } });
  expect((await server.post("x", { "content-encoding": "snappy" })).status).toBe(415);
  expect((await server.post("no gzip", { "content-encoding": "gzip" })).status).toBe(400);
  expect((await server.post(gzipSync(lines).subarray(0, 200), { "content-encoding": "gzip" })).status).toBe(400);
  expect(server.sink.items).toEqual([]);
});

test("A line that cannot be read is counted and sampled, and keeps no other from being taken", async () => {
  let nowMs = Date.now();
  await using server = await start({ now: () => nowMs });
  const bad = '{"flow": *bold* <@U1> \u202e`rm`';
  const answer = await server.post(`${lines.trim()}\n${bad}\n`);
  expect(answer).toMatchObject({ status: 200, body: { unreadable: 1 } });
  expect(server.sink.items.filter(({ kind }) => kind === "unreadable")).toHaveLength(1);
  await server.post(bad);
  expect(server.problems).toHaveLength(1);
  expect(server.problems[0]).not.toContain("\u202e");
  nowMs += 61_000;
  await server.post(bad.repeat(1_000));
  expect(server.problems).toHaveLength(2);
  expect(server.problems[1]?.length).toBeLessThan(400);
});

test("A format that is known and not read is answered with advice", async () => {
  await using server = await start();
  const { status, body } = await server.post(sample("calico-log-action.kernel.log"));
  expect(status).toBe(200);
  expect(body.advice.length).toBeGreaterThan(0);
});

test("While the sink is full nothing of a body is taken, and it counts once when it comes again", async () => {
  await using server = await start();
  server.sink.full = true;
  const answer = await server.post(lines);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "2"]);
  server.sink.full = false;
  const once = keepingSink();
  await using other = await start({ sink: once });
  await other.post(lines);
  expect((await server.post(lines)).status).toBe(200);
  expect(server.sink.records()).toEqual(once.records());
});

test("A body that is too large is refused before it is read, and one that unpacks to too much is not unpacked", async () => {
  await using server = await start();
  const large = await new Promise<number>((resolve) => {
    const headers = { authorization: `Bearer ${token}`, "content-length": 9 * 1_048_576 };
    const request = httpRequest(server.url, { method: "POST", headers }, (response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
    request.on("error", () => undefined);
    request.flushHeaders();
  });
  expect(large).toBe(413);
  const bomb = gzipSync(Buffer.alloc(128 * 1_048_576), { level: 1 });
  expect(bomb.length).toBeLessThan(1_048_576);
  const before = process.memoryUsage().rss;
  expect((await server.post(bomb, { "content-encoding": "gzip" })).status).toBe(413);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
});

test("Who begins more bodies than there is room for is to come again, until the others are through", async () => {
  await using server = await start();
  const slow = Array.from({ length: 4 }, () => {
    const headers = { authorization: `Bearer ${token}`, "content-length": 8 * 1_048_576 };
    const request = httpRequest(server.url, { method: "POST", headers });
    request.on("error", () => undefined);
    request.write("{");
    return request;
  });
  await waitFor(async () => (await server.post(lines)).status === 429);
  for (const request of slow) request.destroy();
  await waitFor(async () => (await server.post(lines)).status === 200);
});

test("A body that comes again since its answer was missed counts once", async () => {
  await using server = await start();
  const first = await server.post(goldmane);
  const taken = server.sink.items.length;
  const second = await server.post(gzipSync(goldmane), { "content-encoding": "gzip" });
  expect([first.body.read > 0, first.status, second.status, second.body]).toMatchObject([
    true,
    200,
    200,
    { again: true },
  ]);
  expect(server.sink.items).toHaveLength(taken);
});

test("Many bodies at once are all counted", async () => {
  await using server = await start();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => server.post(goldmane + "\n".repeat(at))));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const each = answers[0]?.body.read ?? 0;
  expect(server.sink.items).toHaveLength(50 * each);
});

test("Bodies that wait for their turn to be read count as long as they are held: of more, none is taken", {
  timeout: 60_000,
}, async () => {
  await using server = await start({ sink: { ...keepingSink(), take: () => true } });
  let isRead = false;
  const slow = server.post("{}\n".repeat(1_500_000)).finally(() => {
    isRead = true;
  });
  const waiting = ["a", "b", "c"].map((letter) => beginLargest(server.url).send(letter));
  await Promise.all(waiting.map(({ isSent }) => isSent));
  const more = ["d", "e", "f"].map(() => beginLargest(server.url));
  await waitFor(() => isRead || more.every(({ codes }) => codes.includes(429)), { timeoutMs: 30_000, everyMs: 1 });
  for (const { end } of more) end();
  expect((await slow).status).toBe(200);
  await waitFor(() => waiting.every(({ codes }) => codes.includes(200)), { timeoutMs: 30_000 });
  expect((await server.post(lines)).status).toBe(200);
});

/** Says that it posts as much as may be posted, and sends it when it is told to. */
function beginLargest(url: string) {
  const bytes = 8 * 1_048_576;
  const codes: number[] = [];
  const headers = { authorization: `Bearer ${token}`, "content-length": bytes };
  const sent = httpRequest(url, { method: "POST", headers });
  sent.on("response", (response) => codes.push(response.resume().statusCode ?? 0));
  sent.on("error", () => undefined);
  sent.flushHeaders();
  const send = (letter: string) => ({
    codes,
    isSent: new Promise<void>((resolve) => void sent.end(letter.repeat(bytes), resolve)),
  });
  return { codes, send, end: () => void sent.destroy() };
}
