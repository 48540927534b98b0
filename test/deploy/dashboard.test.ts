import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { startWorld, type World } from "../../src/sandbox/world.ts";
import { type OwnServer, startPrometheus } from "../prometheus.ts";
import { emptyTestRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { read } from "./manifests.ts";

type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
};

const { panels } = JSON.parse(read("deploy/dashboards/bulkhead.json")) as { readonly panels: readonly Panel[] };
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const alice = { user: "U0ALICE", channel: "C0INCIDENT" };
const minuteMs = 60_000;
const token = "0123456789abcdef0123456789abcdef";

/** As the sandbox has it, and with names: a picture of the whole dashboard has them. */
const watch = { spikes: { confirm: "1m", quiet: "1m", late: "3s" }, metricNames: true };

let world: World;
let prometheus: OwnServer;

beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  const env = { ...process.env, FLOWS_TOKEN: token };
  world = await startWorld({ node: process.execPath, env, redisUrl, config: { settle: "0s", watch } });
  const { host } = new URL(world.bot.url);
  prometheus = await startPrometheus(
    `global: { scrape_interval: 2s }\nscrape_configs: [{ job_name: bulkhead, static_configs: [{ targets: ["${host}"] }] }]\n`,
  );
}, 300_000);

afterAll(async () => {
  await prometheus?.stop();
  await world?.close();
});

describe("The dashboard", () => {
  it("has the three views, and no panel over another", () => {
    const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows.map((title) => title.split(":")[0])).toEqual(["Executive", "On call", "Debug"]);
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it("asks a real Prometheus, which scraped the real bot, for nothing that it does not have", {
    timeout: 240_000,
  }, async () => {
    // What came before the first scrape has no rise.
    await waitFor(async () => (await answer("up == 1")).length > 0, { timeoutMs: 60_000 });
    await somethingHappens();
    for (const { title, expr } of queries) {
      await waitFor(async () => (await answer(expr)).some(isNumber), { timeoutMs: 60_000, everyMs: 500 }).catch(() => {
        throw new Error(`${title} has no number: ${expr}`);
      });
    }
    expect(queries.length).toBeGreaterThan(35);
  });

  it("names what is denied most, by pair and by policy", { timeout: 90_000 }, async () => {
    // Of one of the last minutes: on a busy machine the newest one that was judged may lie after what was denied.
    const named = async (metric: string) =>
      (await answer(`last_over_time(${metric}{rank="1"}[10m])`)).map(({ metric: labels }) => labels);
    const pair = { pair: "frontend.shop → postgres.db:5432" };
    const policy = { policy: "no-rule postgres.db ingress" };
    const isNamed = async () => (await named("bulkhead_denied_top_per_minute")).some(({ pair: one }) => one);
    await waitFor(isNamed, { timeoutMs: 60_000 });
    expect(await named("bulkhead_denied_top_per_minute")).toContainEqual(expect.objectContaining(pair));
    expect(await named("bulkhead_denied_policy_top_per_minute")).toContainEqual(expect.objectContaining(policy));
  });

  it.each([
    ["Executive", ["in_force", "commands_total", "step_since_command", "spike_duration", "allowance_lateness"]],
    ["On call", ["denied_per_minute", "denied_top", "spikes_open", "drifted", "not-isolated", "overdue", "history"]],
    ["Debug", ["denied_top", "denied_policy_top", "step_since_confirm", "flow_records"]],
  ])("has in its view %s what that asks for", (view, metrics) => {
    const from = panels.findIndex(({ type, title }) => type === "row" && title.startsWith(view));
    const to = panels.findIndex(({ type }, at) => type === "row" && at > from);
    const shown = panels.slice(from, to < 0 ? undefined : to).flatMap(({ targets = [] }) => targets);
    const asked = shown.map(({ expr }) => expr).join("\n");
    expect(metrics.filter((metric) => !asked.includes(metric))).toEqual([]);
  });
});

test("The number of series is bounded whatever is denied between whom", async () => {
  const before = await seriesOfBot();
  await post(drops(2_000, 10_000, (nth) => `app-${nth}`));
  const after = await waitFor(async () => {
    const now = await seriesOfBot();
    return now.text.includes('verdict="denied"} 2') ? now : undefined;
  });
  expect(after?.count).toBeLessThan(before.count + 20);
});

/** A spike that came and went, flows that are denied now, a quarantine, and an allowance that opens and ends. */
async function somethingHappens(): Promise<void> {
  const { slack } = world;
  await post(hourWithSpike());
  await post(drops(100, 0, () => "frontend"));
  const pod = world.cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name.startsWith("frontend"));
  await slack.command({ ...alice, text: `quarantine shop/${pod?.metadata.name} odd traffic` });
  await press(alice.user, "np:confirm", "Plan: quarantine");
  const path = "workload=payments/deploy/checkout cidr=198.51.100.0/24";
  await slack.command({ ...alice, text: `allow partner-api ${path} the partner moved` });
  await press(alice.user, "np:confirm", "Plan: allow partner-api");
  await press("U0BOB", "np:approve", "Waiting for approval: allow partner-api");
}

async function press(user: string, button: string, card: string): Promise<void> {
  const { slack } = world;
  const message = await waitFor(
    () => slack.messages(alice.channel).find(({ text, blocks }) => JSON.stringify([text, blocks]).includes(card)),
    { timeoutMs: 30_000 },
  );
  if (message !== undefined) await slack.press({ user, message, button });
}

/** 50 minutes of two drops each, and in four of them two hundred: told by agents all at once, as those that were away do. */
function hourWithSpike(): string {
  const minutes = Array.from({ length: 50 }, (_, index) => 51 - index);
  return minutes
    .map((ago) => drops(ago > 8 && ago <= 12 ? 200 : 2, 100_000 + ago * 1_000, () => "frontend", ago * minuteMs))
    .join("\n");
}

type Sample = {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, text: string];
};

/** A quantile of nothing is an answer as well, NaN. */
function isNumber({ value: [, text] }: Sample): boolean {
  return Number.isFinite(Number(text));
}

async function answer(query: string): Promise<readonly Sample[]> {
  const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { status, data, error } = (await (await fetch(url)).json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly Sample[] };
  };
  if (status !== "success") throw new Error(`${query}: ${error}`);
  return data?.result ?? [];
}

async function seriesOfBot() {
  const text = await (await fetch(`${world.bot.url}/metrics`)).text();
  return { text, count: text.split("\n").filter((line) => line.startsWith("bulkhead_")).length };
}

function post(body: string): Promise<Response> {
  return fetch(`${world.bot.url}/flows/sandbox`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-encoding": "gzip", "content-type": "application/x-ndjson" },
    body: gzipSync(body),
  });
}

/** As Hubble's exporter writes them; `agoMs`: before now. */
function drops(count: number, from: number, workload: (nth: number) => string, agoMs = 1_000): string {
  const line = (nth: number) => ({
    flow: {
      time: new Date(Date.now() - agoMs).toISOString(),
      uuid: `drop-${from + nth}`,
      verdict: "DROPPED",
      drop_reason_desc: "POLICY_DENIED",
      IP: { source: "10.1.1.1", destination: "10.1.1.2", ipVersion: "IPv4" },
      l4: { TCP: { source_port: 40_000, destination_port: 5_432, flags: { SYN: true } } },
      source: {
        namespace: "shop",
        pod_name: `${workload(nth)}-x`,
        workloads: [{ name: workload(nth), kind: "Deployment" }],
      },
      destination: { namespace: "db", pod_name: "postgres-7", workloads: [{ name: "postgres", kind: "StatefulSet" }] },
      Type: "L3_L4",
      node_name: "node-1",
      event_type: { type: 1, sub_type: 133 },
      traffic_direction: "INGRESS",
      is_reply: false,
    },
    node_name: "node-1",
    time: new Date().toISOString(),
  });
  return Array.from({ length: count }, (_, nth) => JSON.stringify(line(nth))).join("\n");
}
