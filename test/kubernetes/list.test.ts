import { expect, test } from "vitest";
import { listAll } from "../../src/kubernetes/list.ts";
import { parsePod } from "../../src/kubernetes/parse.ts";
import { json, listOf, rawPod, startScriptedApi, status } from "./scripted-api.ts";

test("A list is read page after page", async () => {
  await using api = await startScriptedApi(({ url }, response) => {
    const next = url.searchParams.get("continue");
    json(
      response,
      next === "more" ? listOf([rawPod("b", "2", "2")], "9") : listOf([rawPod("a", "1", "1")], "9", "more"),
    );
  });
  const listed = await listAll(api.connect(), "/api/v1/pods", parsePod, { labelSelector: "a=b" });
  expect(listed.items.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(listed.resourceVersion).toBe("9");
  expect(api.seen.map(({ url }) => url.search)).toEqual([
    "?limit=250&labelSelector=a%3Db",
    "?limit=250&labelSelector=a%3Db&continue=more",
  ]);
});

test("A list whose snapshot expires between two pages is read again in one piece", async () => {
  await using api = await startScriptedApi(({ url }, response) => {
    if (url.searchParams.has("continue")) return status(response, 410, "Expired");
    const whole = !url.searchParams.has("limit");
    return json(response, listOf([rawPod("a", "1", "1")], "9", whole ? "" : "more"));
  });
  const listed = await listAll(api.connect(), "/api/v1/pods", parsePod);
  expect(listed.items.map(({ name }) => name)).toEqual(["a"]);
  expect(api.seen.length).toBe(3);
});

test("An empty list may have null for its items", async () => {
  await using api = await startScriptedApi((_seen, response) => json(response, { metadata: {}, items: null }));
  expect((await listAll(api.connect(), "/api/v1/pods", parsePod)).items).toEqual([]);
});
