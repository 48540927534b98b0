import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/flows/ledger.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import { createRedisLedger } from "../../src/flows/redis-ledger.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { createSink } from "../../src/flows/sink.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { anItem } from "../flows/flow.ts";
import { startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { createRandom } from "./random.ts";

const keepMs = 3_600_000;
const minuteMs = 60_000;

/** What befell the counts, and what was lost: printed in the end. */
const rows: string[] = [];
afterAll(() => {
  process.stdout.write(`What befell counts of flows, and what was lost\n${rows.map((row) => `  ${row}\n`).join("")}`);
});

/** A replica's process, and how many flows it said it had taken, with when it said so. */
async function startReplica(url: string, name: string) {
  const file = fileURLToPath(new URL("flow-process.ts", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [file, url, name], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no output");
  const told: { readonly taken: number; readonly atMs: number }[] = [];
  createInterface(child.stdout).on("line", (line) => told.push({ taken: Number(line), atMs: performance.now() }));
  const exit = once(child, "exit");
  return {
    told,
    taken: () => told.at(-1)?.taken ?? 0,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/** A replica's process that may ask a source, and when it last took something of it. */
function startTurn(url: string, name: string) {
  const file = fileURLToPath(new URL("flow-turn-process.ts", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [file, url, name], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("no output");
  let tookMs: number | undefined;
  createInterface(child.stdout).on("line", () => {
    tookMs = performance.now();
  });
  return { tookMs: () => tookMs, signal: (signal: NodeJS.Signals) => child.kill(signal), exit: once(child, "exit") };
}

async function counted(ledger: Ledger): Promise<number> {
  const minute = Math.floor(Date.now() / minuteMs) * minuteMs;
  const { series } = await ledger.read({ cluster: "kind", fromMs: minute - 10 * minuteMs, toMs: minute + minuteMs });
  return series.reduce((sum, { count }) => sum + count, 0);
}

async function connected(url: string) {
  const redis = connectRedis(url, { onError: () => undefined });
  await untilReady(redis, 5_000);
  return redis;
}

describe("Counts of flows", () => {
  test("lose what came in the last two seconds at most when a replica is killed, and nothing that another counted", async () => {
    const server = await startOwnRedis();
    const redis = await connected(server.url);
    const ledger = createRedisLedger(redis, { keepMs });
    try {
      const lost: number[] = [];
      const random = createRandom(5);
      let others = 0;
      for (let round = 0; round < 8; round += 1) {
        const replica = await startReplica(server.url, `replica ${round}`);
        const before = await counted(ledger);
        await waitFor(async () => (await counted(ledger)) > before, { timeoutMs: 30_000 });
        const goal = replica.taken() + random.between(0, 1_000);
        await waitFor(() => replica.taken() > goal, { timeoutMs: 30_000 });
        await replica.kill();
        const now = (await counted(ledger)) - others;
        others += now;
        const endMs = replica.told.at(-1)?.atMs ?? 0;
        const firstLost = replica.told.find(({ taken }) => taken > now);
        lost.push(firstLost === undefined ? 0 : endMs - firstLost.atMs);
        expect(now).toBeLessThanOrEqual(replica.taken() + 10);
      }
      rows.push(`kill -9, 8 times: ${lost.map((ms) => `${(ms / 1_000).toFixed(2)} s`).join(", ")}`);
      expect(Math.max(...lost)).toBeLessThan(2_000);
    } finally {
      redis.disconnect();
      await server.stop();
    }
  });

  test("are complete and single though Redis is killed twice meanwhile, and comes back from its file", async () => {
    const server = await startOwnRedis();
    const clients = await Promise.all([1, 2, 3].map(() => connected(server.url)));
    const problems: unknown[] = [];
    const sinks = clients.map((redis, index) =>
      createSink({
        ledger: createRedisLedger(redis, { keepMs }),
        replica: `replica ${index}`,
        addresses: createPodAddresses(),
        settled: createSettled(),
        now: Date.now,
        writeEveryMs: 100,
        onProblem: (problem) => void problems.push(problem),
      }),
    );
    let taken = 0;
    const feeding = setInterval(() => {
      const nowMs = Date.now();
      for (const sink of sinks) {
        const ports = [80, 443, 5_432, 5_432];
        const items = ports.map((toPort) => anItem({ toPort, fromMs: nowMs, toMs: nowMs }));
        if (sink.take("kind", items)) taken += items.length;
      }
    }, 5);
    const [first] = clients;
    if (first === undefined) throw new Error("no client");
    const ledger = createRedisLedger(first, { keepMs });
    try {
      for (let round = 0; round < 2; round += 1) {
        const before = await counted(ledger);
        await waitFor(async () => (await counted(ledger)) > before + 500, { timeoutMs: 30_000 });
        await server.kill();
        const failed = problems.length;
        await waitFor(() => problems.length > failed + 6, { timeoutMs: 30_000 });
        await server.restart();
        await waitFor(
          () =>
            counted(ledger).then(
              () => true,
              () => false,
            ),
          { timeoutMs: 30_000 },
        );
      }
      const before = await counted(ledger);
      await waitFor(async () => (await counted(ledger)) > before + 500, { timeoutMs: 30_000 });
      clearInterval(feeding);
      await Promise.all(sinks.map((sink) => sink.stop()));
      expect(await counted(ledger)).toBe(taken);
      rows.push(`Redis killed and started again, twice: 0 of ${taken} lost, 0 counted twice`);
    } finally {
      clearInterval(feeding);
      for (const redis of clients) redis.disconnect();
      await server.stop();
    }
  });

  test("come of one replica at a time: another goes on within 5 s, and who wakes up takes nothing", async () => {
    const server = await startOwnRedis();
    const [one, two] = [startTurn(server.url, "one"), startTurn(server.url, "two")];
    const isAsking = (turn: typeof one) => performance.now() - (turn.tookMs() ?? -Infinity) < 100;
    try {
      const first = await waitFor(() => [one, two].find((turn) => isAsking(turn)), { timeoutMs: 20_000 });
      const second = first === one ? two : one;
      const frozenMs = performance.now();
      first?.signal("SIGSTOP");
      await waitFor(() => isAsking(second), { timeoutMs: 20_000 });
      const frozen = (second.tookMs() ?? 0) - frozenMs;
      const before = first?.tookMs();
      first?.signal("SIGCONT");
      const wokenMs = performance.now();
      await waitFor(() => (second.tookMs() ?? 0) > wokenMs + 3_000, { timeoutMs: 20_000 });
      expect(first?.tookMs()).toBe(before);
      const killedMs = performance.now();
      second.signal("SIGKILL");
      await waitFor(() => (first?.tookMs() ?? 0) > killedMs, { timeoutMs: 20_000 });
      const killed = (first?.tookMs() ?? 0) - killedMs;
      rows.push(
        `a source's replica frozen: another asks after ${(frozen / 1_000).toFixed(1)} s; awake, it took nothing`,
      );
      rows.push(`a source's replica killed: another asks after ${(killed / 1_000).toFixed(1)} s`);
      expect(Math.max(frozen, killed)).toBeLessThan(5_000);
    } finally {
      for (const turn of [one, two]) turn.signal("SIGKILL");
      await Promise.all([one.exit, two.exit]);
      await server.stop();
    }
  });
});
