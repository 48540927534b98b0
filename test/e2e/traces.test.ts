import { afterAll, beforeAll, expect, test } from "vitest";
import { startBot } from "../../src/sandbox/bot-process.ts";
import type { Message } from "../../src/sandbox/slack/workspace.ts";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { traceIdsOf } from "../../src/trace-ids.ts";
import { startCollector } from "../collector.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";

let collector: Awaited<ReturnType<typeof startCollector>>;
let world: World;

/** Has a process name each package of OpenTelemetry that it loads on its standard output. */
const hook = `import { registerHooks } from "node:module";
registerHooks({ resolve(name, context, next) {
  if (name.startsWith("@opentelemetry/")) console.log("loads " + name);
  return next(name, context);
} });`;
const told = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` };

beforeAll(async () => {
  collector = await startCollector();
  world = await startWorld({
    node: process.execPath,
    env: {
      ...process.env,
      ...told,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=sandbox",
    },
    redisUrl: await emptyTestRedis(),
    config: { settle: "0s" },
  });
});

afterAll(async () => {
  await world?.close();
  await collector?.close();
});

function seen(text: string): Promise<Message> {
  return world.slack.waitForMessage((message) => JSON.stringify([message.text, message.blocks]).includes(text));
}

const loaded = (lines: readonly string[]) => lines.filter((line) => line.startsWith("loads @opentelemetry/"));

test("Without an address the bot loads nothing that traces; the metrics' library asks for the bare API", async () => {
  const env = { ...world.env, OTEL_EXPORTER_OTLP_ENDPOINT: undefined };
  const bot = await startBot({ node: process.execPath, env });
  expect(await bot.stop()).toBe(0);
  expect(new Set(loaded(bot.lines))).toEqual(new Set(["loads @opentelemetry/api"]));
  expect(loaded(world.bot.lines)).toContain("loads @opentelemetry/sdk-trace");
  expect(collector.calls).toEqual([]);
});

test("The bot does not start with a protocol that it does not speak, and says which ones it does", async () => {
  const env = { ...world.env, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
  await expect(startBot({ node: process.execPath, env })).rejects.toThrow(
    "bulkhead: OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json; gRPC is not spoken",
  );
});

test("A quarantine is a trace that its id leads to, and what waits is sent when the bot ends", async () => {
  const pods = world.cluster.objects("Pod", "shop");
  const pod = pods.find(({ metadata }) => metadata.labels?.["app"] === "frontend")?.metadata.name ?? "";
  await world.slack.command({ user: "U0ALICE", channel: "C0INCIDENT", text: `quarantine shop/${pod} odd hunter2` });
  const plan = await seen(`Plan: quarantine shop/${pod}`);
  const id = /\bq-[0-9a-z]{7}\b/.exec(JSON.stringify(plan.blocks))?.[0] ?? "";
  await world.slack.press({ user: "U0ALICE", message: plan, button: "np:confirm" });
  await waitFor(() => world.slack.current(plan)?.text.includes("ISOLATED FOR NEW CONNECTIONS"), { timeoutMs: 20_000 });
  expect(await world.bot.stop()).toBe(0);
  const own = collector.spans.filter(({ traceId }) => traceId === traceIdsOf(id).trace);
  const ways = own.map((span) => collector.way(span).join(" > "));
  expect(ways).toEqual(
    expect.arrayContaining([
      "command quarantine",
      "command quarantine > acknowledge",
      "command quarantine > plan > gather",
      "command quarantine > press confirm > carry out quarantine > kubernetes create",
      "command quarantine > press confirm > carry out quarantine > verify",
      "command quarantine > press confirm > carry out quarantine > show card",
    ]),
  );
  expect(ways.every((way) => way.startsWith("command quarantine"))).toBe(true);
  expect(own[0]?.resource).toMatchObject({
    "service.name": "bulkhead",
    "deployment.environment.name": "sandbox",
  });
  const all = collector.calls.map(({ body }) => body).join("\n");
  for (const secret of ["hunter2", "odd", "U0ALICE", world.slack.botToken]) expect(all).not.toContain(secret);
});
