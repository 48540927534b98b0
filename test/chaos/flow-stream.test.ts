import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test } from "vitest";
import { followGoldmane } from "../../src/flows/goldmane-stream.ts";
import { followHubbleRelay } from "../../src/flows/hubble-relay.ts";
import { createInterests } from "../../src/flows/interests.ts";
import type { FlowItem } from "../../src/flows/record.ts";
import { createAuthority } from "../flows/authority.ts";
import { waitFor } from "../wait.ts";
import type { Torrent, TorrentNews } from "./flow-torrent.ts";

/**
 * A server in a process of its own sends flows over TLS as fast as it can for FLOW_SECONDS, is killed again and again, and sees flows
 * while it is away. Each flow has a number: at the end each was counted, once.
 */
const seconds = Number(process.env["FLOW_SECONDS"] ?? 15);
const mostFlows = 50_000_000;
const mostGrownBytes = 48 * 1_048_576;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** Marks each number as it is counted; now and then it is full. */
function countingSink(numberOf: (item: FlowItem) => number | undefined) {
  const marks = new Uint8Array(mostFlows / 8);
  const counts = { flows: 0, doubles: 0, lost: 0, refused: 0 };
  const mark = (number: number) => {
    const bit = 1 << (number & 7);
    const byte = marks[number >> 3] ?? 0;
    if ((byte & bit) !== 0) counts.doubles += 1;
    else counts.flows += 1;
    marks[number >> 3] = byte | bit;
  };
  const take = (_cluster: string, items: readonly FlowItem[]): boolean => {
    if (Date.now() % 3_000 < 100) {
      counts.refused += 1;
      return false;
    }
    for (const item of items) {
      const number = numberOf(item);
      if (number !== undefined) mark(number);
      if (item.kind === "lost") counts.lost += item.count;
    }
    return true;
  };
  return { counts, take };
}

const kinds = [
  {
    of: "hubble",
    follow: followHubbleRelay,
    numberOf: (item: FlowItem) =>
      item.kind === "flow" ? Number.parseInt(item.record.id?.slice(-12) ?? "", 16) : undefined,
  },
  {
    of: "goldmane",
    follow: followGoldmane,
    numberOf: (item: FlowItem) =>
      item.kind === "flow" ? Number.parseInt(item.record.from.pod?.slice(-12) ?? "", 16) : undefined,
  },
] as const;

test.for(kinds)(
  "A torrent of $of, with its server killed again and again: each flow once",
  async ({ of, follow, numberOf }) => {
    const folder = await mkdtemp(join(tmpdir(), "bulkhead-torrent-"));
    const authority = createAuthority("CA of the torrent");
    const client = authority.issue("bulkhead");
    const tls = {
      caFile: `${folder}/ca`,
      certFile: `${folder}/cert`,
      keyFile: `${folder}/key`,
      serverName: "torrent.test",
    };
    await Promise.all([
      writeFile(tls.caFile, authority.ca),
      writeFile(tls.certFile, client.cert),
      writeFile(tls.keyFile, client.key),
    ]);
    const server = fork(fileURLToPath(new URL("flow-torrent.ts", import.meta.url)), { execArgv: [] });
    onTestFinished(() => void server.kill());
    const torrent: Torrent = {
      of,
      tls: { ...authority.issue("torrent.test"), clients: authority.ca },
      forMs: seconds * 1_000,
      // Each time it sends again what the overlap holds.
      killEveryMs: (seconds * 1_000) / 4,
    };
    server.send(torrent);
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const { counts, take } = countingSink(numberOf);
    const source = follow({
      name: of,
      cluster: "c",
      address: `127.0.0.1:${port}`,
      tls,
      sink: { take },
      interests: createInterests(),
      now: Date.now,
      longestPauseMs: 200,
      sinceMs: Date.now() - 1_000,
    });
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    const ended = once(server, "message") as Promise<[Exclude<TorrentNews, { port: number }>]>;
    await waitFor(() => counts.flows > 20_000, { timeoutMs: 60_000 });
    const early = heap();
    const [news] = await ended;
    await waitFor(() => counts.flows >= news.made, { timeoutMs: 60_000 }).catch(() => undefined);
    const tookS = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    const late = heap();
    await source.stop();
    server.kill();
    await rm(folder, { recursive: true });
    const perSecond = (flows: number): number => Math.round(flows / tookS);
    const perCore = Math.round(news.sent / ((user + system) / 1e6));
    process.stdout.write(
      `${of}: ${news.sent} flows in ${tookS.toFixed(1)} s over mTLS, ${perSecond(news.sent)}/s, of which ${news.sent - news.made} ` +
        `had come before and ${perSecond(counts.flows)}/s were new; ${perCore}/s of this process's own processor; server ` +
        `killed ${news.kills} times; sink full ${counts.refused} times; heap ${(early / 1e6).toFixed(0)} -> ${(late / 1e6).toFixed(0)} MB\n`,
    );
    expect(counts).toMatchObject({ flows: news.made, doubles: 0, lost: news.lost });
    expect(news.kills).toBeGreaterThan(1);
    expect(late - early).toBeLessThan(mostGrownBytes);
    // Of its own processor: who else uses the machine says nothing of what it can read.
    expect(perCore).toBeGreaterThan(10_000);
  },
);
