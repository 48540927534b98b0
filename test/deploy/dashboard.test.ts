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
const token = "0123456789abcdef0123456789abcdef";

let world: World;
let prometheus: OwnServer;

beforeAll(async () => {
  const redisUrl = await emptyTestRedis();
  const env = { ...process.env, FLOWS_TOKEN: token };
  world = await startWorld({ node: process.execPath, env, redisUrl, config: { settle: "0s" } });
  const { host } = new URL(world.bot.url);
  prometheus = await startPrometheus(
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: bulkhead, static_configs: [{ targets: ["${host}"] }] }]\n`,
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
    await somethingHappens();
    for (const { title, expr } of queries) {
      await waitFor(async () => (await answer(expr)).length > 0, { timeoutMs: 60_000, everyMs: 500 }).catch(() => {
        throw new Error(`${title} is empty: ${expr}`);
      });
    }
    expect(queries.length).toBeGreaterThan(25);
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

/** A quarantine, and flows that are denied. */
async function somethingHappens(): Promise<void> {
  const { slack } = world;
  await post(drops(100, 0, () => "frontend"));
  const pod = world.cluster.objects("Pod", "shop").find(({ metadata }) => metadata.name.startsWith("frontend"));
  await slack.command({ ...alice, text: `quarantine shop/${pod?.metadata.name} odd traffic` });
  const plan = await slack.waitForMessage(({ text }) => text.includes("Plan: quarantine"), 20_000);
  await slack.press({ user: alice.user, message: plan, button: "np:confirm" });
}

async function answer(query: string): Promise<readonly unknown[]> {
  const url = `${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`;
  const { status, data, error } = (await (await fetch(url)).json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly unknown[] };
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

/** As Hubble's exporter writes them. */
function drops(count: number, from: number, workload: (nth: number) => string): string {
  const line = (nth: number) => ({
    flow: {
      time: new Date(Date.now() - 1_000).toISOString(),
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
