import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { bulkPod } from "../bench/many-pods.ts";
import { waitFor } from "../wait.ts";
import { json, listOf, startScriptedApi } from "./scripted-api.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** The pod as the API server stores it. */
function storedPod(index: number): object {
  const pod = bulkPod(index, `bulk-${index % 40}`) as { metadata: object };
  return { ...pod, metadata: { ...pod.metadata, uid: `uid-${index}`, resourceVersion: `${index + 1}` } };
}

test("10 000 pods are read in pages of 250, cached within 150 MB, and found by namespace", async () => {
  const pages: string[] = [];
  await using api = await startScriptedApi(({ url, path }, response) => {
    if (url.searchParams.has("watch")) return response.writeHead(200).flushHeaders();
    if (path !== "/api/v1/pods") return json(response, listOf([], "20000"));
    const from = Number(url.searchParams.get("continue") ?? 0);
    const limit = Number(url.searchParams.get("limit"));
    pages.push(`${from} ${limit}`);
    const items = Array.from({ length: limit }, (_, index) => storedPod(from + index));
    return json(response, listOf(items, "20000", from + limit < 10_000 ? `${from + limit}` : ""));
  });
  const connection = api.connect();
  await connection.credentials();
  const before = heapMb();
  const cluster = await createCluster("c", connection, { now: Date.now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced), { timeoutMs: 18_000 });
  expect(heapMb() - before).toBeLessThan(150);
  expect(pages.length).toBe(40);
  expect(new Set(pages.map((page) => page.split(" ")[1]))).toEqual(new Set(["250"]));
  const { pods } = await cluster.facts("bulk-7", "cache");
  expect(pods.length).toBe(250);
  expect(pods.every(({ namespace }) => namespace === "bulk-7")).toBe(true);
  await cluster.close();
});
