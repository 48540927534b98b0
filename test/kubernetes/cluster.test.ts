import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { waitFor } from "../wait.ts";
import { json, listOf, rawPod, type Seen, startScriptedApi, status } from "./scripted-api.ts";

/** Lists one pod and nothing else, and holds every watch open; `forbidden` may not be listed anywhere. */
function answers(forbidden: string | undefined) {
  return ({ url, path }: Seen, response: ServerResponse): void => {
    if (forbidden !== undefined && path.endsWith(`/${forbidden}`)) {
      return status(response, 403, "Forbidden", { message: `${forbidden} is forbidden` });
    }
    if (url.searchParams.has("watch"))
      return response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    return json(response, listOf(path.endsWith("/pods") ? [rawPod("a", "u1", "5")] : [], "10"));
  };
}

const directLists = (seen: readonly Seen[]) => seen.filter(({ path }) => path.includes("/namespaces/shop/")).length;

test("Once every kind is synced, facts come from the cache and say how old they are", async () => {
  await using api = await startScriptedApi(answers(undefined));
  const cluster = await createCluster("c", api.connect(), { now: Date.now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced));
  expect(cluster.watches().length).toBe(10);
  const facts = await cluster.facts("shop", "cache");
  expect(facts.pods.map(({ name }) => name)).toEqual(["a"]);
  expect(facts.ageMs).toBeLessThan(5_000);
  expect(directLists(api.seen)).toBe(0);
  expect((await cluster.facts("shop", "fresh")).ageMs).toBe(0);
  expect(directLists(api.seen)).toBe(9);
  expect((await cluster.facts(undefined, "cache")).pods.map(({ name }) => name)).toEqual(["a"]);
  expect((await cluster.facts(undefined, "fresh")).pods.map(({ name }) => name)).toEqual(["a"]);
  expect(directLists(api.seen)).toBe(9);
  await cluster.close();
});

test("A cache that the server has not confirmed for 30 s is not used", async () => {
  let now = Date.now();
  await using api = await startScriptedApi(answers(undefined));
  const cluster = await createCluster("c", api.connect(), { now: () => now, watch: true });
  await waitFor(() => cluster.watches().every(({ synced }) => synced));
  now += 30_001;
  expect((await cluster.facts("shop", "cache")).ageMs).toBe(0);
  expect(directLists(api.seen)).toBe(9);
  await cluster.close();
});

test("A cache that lost its place is not used until it has listed again", async () => {
  const watches: ServerResponse[] = [];
  let lost = false;
  await using api = await startScriptedApi((seen, response) => {
    if (seen.path === "/api/v1/pods" && seen.url.searchParams.has("watch")) watches.push(response);
    if (seen.path === "/api/v1/pods" && lost) return status(response, 403, "Forbidden");
    return answers(undefined)(seen, response);
  });
  const cluster = await createCluster("c", api.connect(), { now: Date.now, watch: true });
  await waitFor(() => watches.length === 1 && cluster.watches().every(({ synced }) => synced));
  lost = true;
  watches[0]?.write(`${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`);
  await waitFor(() => cluster.watches().some(({ synced }) => !synced));
  expect((await cluster.facts("shop", "cache")).ageMs).toBe(0);
  expect(directLists(api.seen)).toBe(9);
  await cluster.close();
});

test("A kind that may not be listed makes facts fail with the server's words, from cache and direct", async () => {
  await using api = await startScriptedApi(answers("statefulsets"));
  const problems: string[] = [];
  const onProblem = (_error: unknown, path: string) => void problems.push(path);
  const cluster = await createCluster("c", api.connect(), { now: Date.now, watch: true, onProblem });
  await waitFor(() => cluster.watches().filter(({ synced }) => synced).length === 9);
  for (const from of ["cache", "fresh"] as const) {
    await expect(cluster.facts("shop", from)).rejects.toMatchObject({
      kind: "forbidden",
      message: "statefulsets is forbidden",
    });
  }
  expect(problems).toContain("/apis/apps/v1/statefulsets");
  await cluster.close();
});

test("Without a cache nothing is watched", async () => {
  await using api = await startScriptedApi(answers(undefined));
  const cluster = await createCluster("c", api.connect(), { now: Date.now, watch: false });
  expect(cluster.watches()).toEqual([]);
  expect((await cluster.facts("shop", "cache")).pods.length).toBe(1);
  expect(api.seen.some(({ url }) => url.searchParams.has("watch"))).toBe(false);
  await cluster.close();
});

test("Hostile names stay in their place of the path", async () => {
  await using api = await startScriptedApi((_seen, response) =>
    status(response, 404, "NotFound", { details: { name: "../x?y" } }),
  );
  const cluster = await createCluster("c", api.connect(), { now: Date.now, watch: false });
  expect(await cluster.getPod("shop", "../x?y")).toBeUndefined();
  expect(api.seen[0]?.path).toBe("/api/v1/namespaces/shop/pods/..%2Fx%3Fy");
  await cluster.close();
});
