import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ProxyAgent } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { responseUrl } from "../../src/slack/response-url.ts";
import { startConnectProxy } from "../connect-proxy.ts";

const received: unknown[] = [];
let answer = { status: 200, body: "ok" };
let origin = "";
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(answer.status, answer.status === 302 ? { location: `${origin}/elsewhere` } : {});
    response.end(answer.body);
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  received.length = 0;
  answer = { status: 200, body: "ok" };
});

const message = { text: "hello", blocks: [] };
const options = { apiUrl: "https://slack.com/api/", now: () => 0, arrivedAt: 0 };

test.each([
  ["https://hooks.slack.com/commands/T1/1/x", "https://slack.com/api/"],
  ["https://hooks.slack-gov.com/actions/T1/1/x", "https://slack-gov.com/api/"],
  ["http://127.0.0.1:4000/respond/1", "http://127.0.0.1:4000/api/"],
])("%s is Slack's where the API is %s", (url, apiUrl) => {
  expect(responseUrl(url, { ...options, apiUrl })).toBeDefined();
});

test.each([
  "http://hooks.slack.com/commands/T1/1/x",
  "https://hooks.slack.com.evil.example/x",
  "https://evil.example/hooks.slack.com",
  "https://hooks.slack.com@evil.example/x",
  "https://user@hooks.slack.com/x",
  "https://hooks.slack.com:8443/x",
  "http://169.254.169.254/latest/meta-data",
  "file:///etc/passwd",
  "not a url",
  "",
  undefined,
])("%s is refused", (url) => {
  expect(responseUrl(url, options)).toBeUndefined();
});

test("An answer is for the caller alone, and replaces only when asked to", async () => {
  const back = responseUrl(`${origin}/respond`, { ...options, apiUrl: `${origin}/api/` })!;
  await back.send(message, false);
  await back.send(message, true);
  expect(received).toEqual([
    { text: "hello", blocks: [], response_type: "ephemeral", replace_original: false },
    { text: "hello", blocks: [], response_type: "ephemeral", replace_original: true },
  ]);
});

test("Five uses are counted, failed ones too, and half an hour ends it", async () => {
  let now = 1_000;
  const back = responseUrl(`${origin}/respond`, {
    apiUrl: origin,
    now: () => now,
    arrivedAt: 1_000,
  })!;
  expect(back.left()).toBe(5);
  await back.send(message, false);
  answer = { status: 404, body: "expired_url" };
  await expect(back.send(message, false)).rejects.toThrow("404 expired_url");
  expect(back.left()).toBe(3);
  now += 30 * 60_000 - 1;
  expect(back.left()).toBe(3);
  now += 1;
  expect(back.left()).toBe(0);
});

test("A refusal in the body and a redirect are failures", async () => {
  const back = responseUrl(`${origin}/respond`, { ...options, apiUrl: origin })!;
  answer = { status: 200, body: '{"ok": false, "error": "invalid_blocks"}' };
  await expect(back.send(message, false)).rejects.toThrow("invalid_blocks");
  answer = { status: 302, body: "" };
  await expect(back.send(message, false)).rejects.toThrow();
  expect(received).toHaveLength(2);
});

test("What is sent goes by the proxy where there is one", async () => {
  const proxy = await startConnectProxy((target) => Number(target.split(":")[1]));
  const dispatcher = new ProxyAgent({ uri: proxy.url, proxyTunnel: true });
  try {
    const back = responseUrl(`${origin}/respond`, { ...options, apiUrl: `${origin}/api/`, dispatcher });
    await back!.send(message, false);
    expect(received).toHaveLength(1);
    expect(proxy.asked).toEqual([new URL(origin).host]);
  } finally {
    await dispatcher.close();
    await proxy.close();
  }
});
