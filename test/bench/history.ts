import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { createHistory, type History } from "../../src/history/history.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { imageOf, type RawPolicy } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { startOwnRedis } from "../redis.ts";
import { mediansTable, tableOf } from "./figures.ts";
import { startProcess } from "./line-process.ts";
import { bulkPolicy, manyPolicies, policyNamespaces } from "./many-policies.ts";
import type { Came, Started } from "./policy-watcher.ts";

const rounds = 3;
const changes = 400;
const changeEveryMs = 10;
const steps = 20;
const queries = 100;

/** What following and recording 5 000 policies takes, and what reading 100 000 revisions does; `print` gets a table at a time. */
export async function benchHistory(print: (table: string) => void): Promise<void> {
  const server = await startOwnRedis(["--appendonly", "no"]);
  const api = startProcess("policy-server.ts", []);
  const redis = new Redis(server.url);
  try {
    const kubeconfig = JSON.parse(await api.line()) as string;
    print(await benchStart(kubeconfig, server.url, redis));
    print(await benchLag(kubeconfig, server.url));
    await redis.flushall();
    for (const table of await benchQueries(redis)) print(table);
  } finally {
    redis.disconnect();
    await api.stop();
    await server.stop();
  }
}

async function benchStart(kubeconfig: string, redisUrl: string, redis: Redis): Promise<string> {
  const [empty, full, bare]: Started[][] = [[], [], []];
  for (let round = 0; round < rounds; round += 1) {
    await redis.flushall();
    empty?.push(await startOne("recorder", kubeconfig, redisUrl));
    full?.push(await startOne("recorder", kubeconfig, redisUrl));
    bare?.push(await startOne("bare", kubeconfig, redisUrl));
  }
  return mediansTable(
    `Following ${manyPolicies} policies of 2 kB from the start, medians of ${rounds} processes each`,
    [
      { name: "recorded, into an empty Redis", columns: columnsOf(empty ?? []) },
      { name: "compared with what is recorded", columns: columnsOf(full ?? []) },
      { name: "list and watch alone", columns: columnsOf(bare ?? []) },
    ],
  );
}

function columnsOf(all: readonly Started[]) {
  return {
    "time ms": all.map(({ ms }) => ms),
    "heap MiB": all.map(({ heapMb }) => heapMb),
    "stall ms": all.map(({ stallMs }) => stallMs),
  };
}

async function startOne(how: string, kubeconfig: string, redisUrl: string): Promise<Started> {
  const watcher = startProcess("policy-watcher.ts", [how, kubeconfig, redisUrl]);
  const started = JSON.parse(await watcher.line()) as Started;
  await watcher.stop();
  return started;
}

/** From the answer to a write, which is when the change is there, to when it is recorded; and to when a bare watch has it. */
async function benchLag(kubeconfig: string, redisUrl: string): Promise<string> {
  const watchers = ["recorder", "bare"].map((how) => startProcess("policy-watcher.ts", [how, kubeconfig, redisUrl]));
  for (const watcher of watchers) await watcher.line();
  const written = await writeSome(kubeconfig);
  await delay(500);
  const [recorded, seen] = await Promise.all(
    watchers.map(async (watcher) => {
      watcher.ask();
      const came = JSON.parse(await watcher.line()) as Came;
      return [...written].flatMap(([version, at]) =>
        came[version] === undefined ? [] : [Math.max(0, came[version] - at)],
      );
    }),
  );
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  if (recorded?.length !== written.size) throw new Error(`${recorded?.length} changes recorded of ${written.size}`);
  return tableOf(
    `From a change of a policy to its revision, ${1_000 / changeEveryMs} changes a second, ${manyPolicies} policies`,
    [
      { name: "recorded in Redis", times: recorded },
      { name: "seen by a watch alone", times: seen ?? [] },
    ],
  );
}

/** When each was sent, by the version that it made. */
async function writeSome(kubeconfig: string): Promise<ReadonlyMap<string, number>> {
  const connection = createConnection({ source: { kind: "text", text: kubeconfig }, now: Date.now });
  const written = new Map<string, number>();
  for (let index = 0; index < changes; index += 1) {
    const { metadata, spec } = bulkPolicy(index, 1);
    const path = `/apis/networking.k8s.io/v1/namespaces/${metadata.namespace}/networkpolicies/${metadata.name}`;
    const at = Date.now();
    const answer = await connection.request("PATCH", path, {
      contentType: "application/merge-patch+json",
      body: { spec },
    });
    written.set((answer as RawPolicy).metadata.resourceVersion, at);
    await delay(changeEveryMs);
  }
  await connection.close();
  return written;
}

async function benchQueries(redis: Redis): Promise<readonly string[]> {
  const empty = await usedMemory(redis);
  const history = createHistory(redis, { keepMs: 365 * 86_400_000, perPolicy: 50 });
  for (let index = 0; index < manyPolicies; index += 100) {
    await history.saw(Array.from({ length: 100 }, (_, offset) => sightsOf(index + offset)).flat());
  }
  const bytes = ((await usedMemory(redis)) - empty) / (manyPolicies * steps);
  const plain = await fillPlain(redis, history);
  const [known] = await timesOf(3, () => history.known("bench"));
  return [
    mediansTable(`${manyPolicies * steps} revisions of ${manyPolicies} policies in Redis, before and after of each`, [
      { name: "the history, with its indexes", columns: { "bytes each": [bytes] } },
      { name: "plain JSON in a hash, without any", columns: { "bytes each": [plain] } },
    ]),
    tableOf(`Reading the history, ${manyPolicies * steps} revisions`, [
      { name: "the newest 20 of all", times: await timesOf(queries, () => history.list({ limit: 20 })) },
      {
        name: "the newest 20 of a namespace",
        times: await timesOf(queries, () => history.list({ namespace: "bulk-7", limit: 20 })),
      },
      {
        name: "a day of a namespace, 100",
        times: await timesOf(queries, (i) =>
          history.list({ namespace: `bulk-${i % 40}`, since: 50_000, until: 60_000, limit: 100 }),
        ),
      },
      {
        name: "of one policy",
        times: await timesOf(queries, (i) =>
          history.list({ namespace: `bulk-${i % 40}`, name: `allow-app-${i}`, limit: 20 }),
        ),
      },
      { name: `every head (${manyPolicies})`, times: [known ?? 0] },
      { name: "HGETALL of plain JSON of a namespace, 20 of it", times: await timesOf(10, () => newestOfPlain(redis)) },
    ]),
  ];
}

function sightsOf(index: number): readonly Sight[] {
  return Array.from({ length: steps }, (_, step) => ({
    kind: "there" as const,
    cluster: "bench",
    object: bulkPolicy(index, step),
    previous: step === 0 ? undefined : bulkPolicy(index, step - 1),
    continuous: true,
    at: 1 + step * manyPolicies + index,
  }));
}

const plainKey = "plain";

/** Those of one namespace; bytes of each. */
async function fillPlain(redis: Redis, history: History): Promise<number> {
  const before = await usedMemory(redis);
  const all = await history.list({ namespace: "bulk-7", limit: manyPolicies * steps });
  if (all.length !== (manyPolicies / policyNamespaces) * steps)
    throw new Error(`${all.length} revisions of a namespace`);
  for (const revision of all) await redis.hset(plainKey, revision.id, JSON.stringify(revision));
  if (all[0]?.after === undefined || imageOf(all[0].after) === undefined)
    throw new Error("a revision without an image");
  return ((await usedMemory(redis)) - before) / all.length;
}

async function newestOfPlain(redis: Redis): Promise<unknown> {
  const all = Object.values(await redis.hgetall(plainKey)).map((text) => JSON.parse(text) as { readonly at: number });
  return all.toSorted((one, other) => other.at - one.at).slice(0, 20);
}

async function timesOf(count: number, work: (index: number) => Promise<unknown>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    await work(index);
    times.push(performance.now() - begun);
  }
  return times;
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
}
