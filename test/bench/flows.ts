import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { entriesOf } from "../../src/flows/envelope.ts";
import { createFlowReader } from "../../src/flows/formats.ts";
import { followHubbleRelay } from "../../src/flows/hubble-relay.ts";
import { createInterests } from "../../src/flows/interests.ts";
import type { Tally } from "../../src/flows/ledger.ts";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { sample } from "../flows/samples.ts";
import { startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { mediansTable, tableOf } from "./figures.ts";
import { exportLine, writeExport } from "./flow-file.ts";
import { startProcess } from "./line-process.ts";

const rounds = 3;
const fileLines = 40_000;
const keys = 100_000;
const readMs = 200;
const streamMs = 2_000;
const minutes = 60;
const keysAMinute = 1_000;
const replicas = 3;

/** What reading, following, keeping and telling flows takes; `print` gets a table at a time. At most a minute in all on two cores. */
export async function benchFlows(print: (table: string) => void): Promise<void> {
  print(benchReaders());
  print(await benchRelay());
  print(await benchMemory());
  print(await benchSummary());
  print(await benchFile());
}

/** One sample of each format that is read, by what it is called in README. */
const samples = [
  ["Goldmane, pushed", "goldmane-push.ndjson"],
  ["AWS network policy agent", "aws-network-policy-agent.v1.2.2plus.ndjson"],
  ["AWS by CloudWatch", "aws-network-policy-agent.cloudwatch.txt"],
  ["Antrea", "antrea-np.log"],
  ["OVN-Kubernetes", "ovn-acl-audit.log"],
  ["GKE", "gke-policy-action.ndjson"],
  ["kube-network-policies", "kube-network-policies.ndjson"],
  ["Hubble out of fluent-bit", "fluentbit-http-json_lines.ndjson"],
] as const;

function benchReaders(): string {
  const hubble = Array.from({ length: 2_000 }, (_, nth) => exportLine(nth, Date.now() - 60_000));
  const rows = samples.map(([name, file]) => ({
    name,
    columns: { "lines/s": ratesOf(linesIn(sample(file)), readWith) },
  }));
  return mediansTable(`Lines read a second of one core, medians of ${rounds}`, [
    ...rows,
    { name: "Hubble's export", columns: { "lines/s": ratesOf(hubble, readWith) } },
    { name: "JSON.parse of Hubble's lines, nothing else", columns: { "lines/s": ratesOf(hubble, parseOnly) } },
  ]);
}

function linesIn(text: string): readonly (string | object)[] {
  return [...entriesOf(text)].map(({ entry }) => entry);
}

function readWith(): (line: string | object) => unknown {
  const reader = createFlowReader();
  return (line) => reader.read(line, { atMs: 0 });
}

function parseOnly(): (line: string | object) => unknown {
  return (line) => (typeof line === "string" ? JSON.parse(line) : line);
}

type Lines = readonly (string | object)[];

/** Of CPU time, not of the clock's: others may be busy. */
function ratesOf(lines: Lines, make: () => (line: string | object) => unknown): readonly number[] {
  const work = make();
  const once = (): number => {
    const before = process.cpuUsage();
    const until = performance.now() + readMs;
    let count = 0;
    for (; performance.now() < until; count += lines.length) for (const line of lines) work(line);
    return count / cpuSeconds(before);
  };
  once();
  return Array.from({ length: rounds }, once);
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

/** A relay in another process sends as fast as this one takes. */
async function benchRelay(): Promise<string> {
  const relay = startProcess("flow-relay.ts", []);
  const address = `127.0.0.1:${await relay.line()}`;
  let count = 0;
  const sink = { take: (_: string, items: readonly unknown[]) => (count += items.length) > 0 };
  const common = { name: "bench", cluster: "eu", tls: undefined, interests: createInterests(), now: Date.now };
  const source = followHubbleRelay({ ...common, address, sink });
  await waitFor(() => count > 0);
  const [rates, perCore]: number[][] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const [cpu, startedMs, from] = [process.cpuUsage(), performance.now(), count];
    await delay(streamMs);
    rates?.push((count - from) / ((performance.now() - startedMs) / 1_000));
    perCore?.push((count - from) / cpuSeconds(cpu));
  }
  await source.stop();
  await relay.stop();
  return mediansTable(`Denied flows from a Hubble relay over gRPC, medians of ${rounds} times ${streamMs / 1_000} s`, [
    { name: "flows a second of the client's core", columns: { "flows/s": perCore ?? [] } },
    { name: "flows a second by the clock, the relay beside it", columns: { "flows/s": rates ?? [] } },
  ]);
}

async function benchMemory(): Promise<string> {
  const heapOf = async (count: number): Promise<number> => {
    const child = startProcess("flow-memory.ts", [String(count)]);
    const { mib } = JSON.parse(await child.line()) as { readonly mib: number };
    await child.stop();
    return mib;
  };
  return mediansTable("Heap that counted flows hold until they are written", [
    { name: `${keys} distinct keys within a minute`, columns: { MiB: [await heapOf(keys)] } },
    { name: `${keys / 10} distinct keys`, columns: { MiB: [await heapOf(keys / 10)] } },
  ]);
}

/** What /np flows reads: the last quarter of an hour of what three replicas counted. */
async function benchSummary(): Promise<string> {
  const server = await startOwnRedis(["--appendonly", "no"]);
  const redis = new Redis(server.url);
  try {
    const toMs = Math.floor(Date.now() / 60_000) * 60_000;
    for (let replica = 0; replica < replicas; replica += 1) await fill(redis, toMs);
    const ledger = createRedisLedger(redis, { keepMs: 6 * 3_600_000 });
    const ask = (quarters: number) => async () => {
      const { series } = await ledger.read({ cluster: "eu", fromMs: toMs - quarters * 900_000, toMs });
      if (series.length === 0) throw new Error("nothing was read");
    };
    return tableOf(`Reading what ${replicas} replicas counted, ${keysAMinute} keys in each minute`, [
      { name: "the last hour", times: await timesOf(5, ask(4)) },
      { name: "the last 15 minutes", times: await timesOf(10, ask(1)) },
    ]);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

async function fill(redis: Redis, toMs: number): Promise<void> {
  const ledger = createRedisLedger(redis, { keepMs: 6 * 3_600_000 });
  for (let minute = minutes; minute > 0; minute -= 1) {
    const minuteMs = toMs - minute * 60_000;
    const tallies = Array.from({ length: keysAMinute }, (_, nth) => tallyOf(nth, minuteMs));
    await ledger.write({ id: randomUUID(), tallies, losses: [] });
  }
}

function tallyOf(nth: number, minuteMs: number): Tally {
  return {
    key: {
      cluster: "eu",
      class: "denied",
      from: { kind: "workload", namespace: "shop", of: "Deployment", name: `web-${nth}` },
      to: { kind: "workload", namespace: "data", of: "StatefulSet", name: `db-${nth % 25}` },
      protocol: "TCP",
      port: 5_432,
      direction: "egress",
      reason: "no-rule",
      policies: [],
    },
    minuteMs,
    count: 1 + Math.floor(keysAMinute / (nth + 1)),
    unit: "events",
    atLeast: false,
    firstMs: minuteMs,
    lastMs: minuteMs + 59_000,
  };
}

async function timesOf(count: number, work: () => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let nth = 0; nth < count; nth += 1) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return times;
}

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

/** By workload, port, direction and reason, the drop alone of the two flows of a packet: what `flows --from` groups by. */
const jq = `jq -r 'select(.flow.verdict == "DROPPED" and .flow.event_type.type == 1) | .flow | [.source.namespace, .source.workloads[0].name, .destination.namespace, .destination.workloads[0].name, (.l4.TCP // .l4.UDP).destination_port, .traffic_direction, .drop_reason_desc] | @tsv' "$0"`;
const sed = String.raw`grep '"verdict":"DROPPED"' "$0" | grep '"type":1,' | sed -E 's/.*"destination_port":([0-9]+).*"source":\{[^}]*"namespace":"([^"]+)".*"workloads":\[\{"name":"([^"]+)".*"destination":\{[^}]*"namespace":"([^"]+)".*"workloads":\[\{"name":"([^"]+)".*"traffic_direction":"([A-Z]+)".*/\2\t\3\t\4\t\5\t\1\t\6/'`;
const counted = "LC_ALL=C sort | uniq -c | sort -rn | head";

/** The same file, the same grouping, one after the other in each round. */
async function benchFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-flows-"));
  const path = join(folder, "hubble.log");
  try {
    const denied = await writeExport(path, fileLines, Date.now() - fileLines);
    const shell = (script: string) => () => execFileSync("sh", ["-c", script, path], { encoding: "utf8" });
    const ways = [
      {
        name: "bulkhead flows --from",
        run: () => execFileSync(process.execPath, [cli, "flows", "--from", path], { encoding: "utf8" }),
      },
      ...(hasJq() ? [{ name: "jq | sort | uniq -c | sort -rn | head", run: shell(`${jq} | ${counted}`) }] : []),
      { name: "grep | sed | sort | uniq -c | sort -rn | head", run: shell(`${sed} | ${counted}`) },
    ];
    const rows = ways.map((way) => ({ ...way, times: [] as number[] }));
    for (let round = 0; round < rounds; round += 1) for (const { times, run } of rows) times.push(timeOf(run));
    const without = hasJq() ? "" : "; jq is not on PATH";
    return tableOf(`Summary of ${fileLines} lines of Hubble's export, ${denied} denied packets${without}`, rows);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function timeOf(run: () => string): number {
  const begun = performance.now();
  if (!run().includes("web-0")) throw new Error("the most frequent pair is not in the summary");
  return performance.now() - begun;
}

function hasJq(): boolean {
  try {
    execFileSync("jq", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
