import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { parsePod } from "../../src/kubernetes/parse.ts";
import type { Change } from "../../src/kubernetes/store.ts";
import { watchCollection } from "../../src/kubernetes/watch.ts";
import type { Pod } from "../../src/policy/objects.ts";
import { waitFor } from "../wait.ts";
import { json, listOf, rawPod, type ScriptedApi, type Seen, startScriptedApi, status } from "./scripted-api.ts";

type Turn = { readonly from: string; readonly response: ServerResponse };

/** An API of pods: lists what `items` holds, and hands each watch request to the test as a turn. */
async function startPods() {
  const turns: Turn[] = [];
  const script = { items: [] as object[], resourceVersion: "10", refuseWatch: undefined as number | undefined };
  const api = await startScriptedApi(({ url }, response) => {
    if (!url.searchParams.has("watch")) return json(response, listOf(script.items, script.resourceVersion));
    if (script.refuseWatch !== undefined) return status(response, script.refuseWatch, "Refused");
    response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
    turns.push({ from: url.searchParams.get("resourceVersion") ?? "", response });
    return undefined;
  });
  return { api, turns, script, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

function watchPods(api: ScriptedApi, turnMs = 20_000) {
  const changes: string[] = [];
  const problems: unknown[] = [];
  const onChange = ({ kind, value }: Change<Pod>) => void changes.push(`${kind} ${value.name} ${value.uid}`);
  const watch = watchCollection(api.connect(), {
    path: "/api/v1/pods",
    parse: parsePod,
    now: Date.now,
    onChange,
    onProblem: (problem) => void problems.push(problem),
    turnMs,
  });
  const names = () => watch.store.inNamespace("shop").map(({ name }) => name);
  return { ...watch, changes, problems, names, [Symbol.asyncDispose]: () => watch.close() };
}

function send({ response }: Turn, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}

async function nthTurn(turns: readonly Turn[], n: number): Promise<Turn> {
  await waitFor(() => turns.length >= n);
  return turns[n - 1]!;
}

const lists = (seen: readonly Seen[]) => seen.filter(({ url }) => !url.searchParams.has("watch")).length;

test("A watch lists, then follows every event", async () => {
  await using pods = await startPods();
  pods.script.items = [rawPod("a", "u1", "5")];
  await using watch = watchPods(pods.api);
  const turn = await nthTurn(pods.turns, 1);
  expect(turn.from).toBe("10");
  send(turn, "ADDED", rawPod("b", "u2", "11"));
  send(turn, "MODIFIED", rawPod("a", "u1", "12"));
  send(turn, "DELETED", rawPod("b", "u2", "13"));
  await waitFor(() => watch.changes.length === 4);
  expect(watch.changes).toEqual(["added a u1", "added b u2", "updated a u1", "deleted b u2"]);
  expect(watch.names()).toEqual(["a"]);
  expect(watch.state()).toMatchObject({ synced: true, problem: undefined });
});

test("Events that arrive in pieces, or several at once, are the same events", async () => {
  await using pods = await startPods();
  await using watch = watchPods(pods.api);
  const { response } = await nthTurn(pods.turns, 1);
  const lines = ["a", "é"].map((name) => `${JSON.stringify({ type: "ADDED", object: rawPod(name, name, "11") })}\n`);
  const bytes = Buffer.from(lines.join(""));
  const cut = bytes.indexOf(0xc3) + 1;
  response.write(bytes.subarray(0, cut));
  await waitFor(() => watch.names().length === 1);
  response.write(bytes.subarray(cut));
  await waitFor(() => watch.names().length === 2);
  expect(watch.names()).toEqual(["a", "é"]);
});

test("After a broken connection it goes on from the newest bookmark, without a list", async () => {
  await using pods = await startPods();
  await using watch = watchPods(pods.api);
  const turn = await nthTurn(pods.turns, 1);
  send(turn, "ADDED", rawPod("a", "u1", "11"));
  send(turn, "BOOKMARK", { kind: "Pod", metadata: { resourceVersion: "40" } });
  await waitFor(() => watch.names().length === 1);
  turn.response.socket?.resetAndDestroy();
  await waitFor(() => watch.state().problem);
  const next = await nthTurn(pods.turns, 2);
  expect(next.from).toBe("40");
  expect(lists(pods.api.seen)).toBe(1);
  send(next, "DELETED", rawPod("a", "u1", "41"));
  await waitFor(() => watch.names().length === 0);
  expect(watch.state().problem).toBeUndefined();
});

test("A watch request that the server ends in its time is asked again from there, and that is no problem", async () => {
  await using pods = await startPods();
  await using watch = watchPods(pods.api, 400);
  const turn = await nthTurn(pods.turns, 1);
  send(turn, "BOOKMARK", { metadata: { resourceVersion: "12" } });
  await waitFor(() => (watch.state().seenAtMs ?? 0) > 0);
  turn.response.end();
  expect((await nthTurn(pods.turns, 2)).from).toBe("12");
  expect(watch.problems).toEqual([]);
});

test("An ERROR event with 410 lists again; what went meanwhile is deleted, what came is added, by uid", async () => {
  await using pods = await startPods();
  pods.script.items = [rawPod("web-0", "u1", "5"), rawPod("gone", "u2", "6"), rawPod("same", "u3", "7")];
  await using watch = watchPods(pods.api);
  const turn = await nthTurn(pods.turns, 1);
  pods.script.items = [rawPod("web-0", "u9", "50"), rawPod("same", "u3", "7")];
  pods.script.resourceVersion = "60";
  watch.changes.length = 0;
  send(turn, "ERROR", { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" });
  expect((await nthTurn(pods.turns, 2)).from).toBe("60");
  expect(watch.changes).toEqual(["deleted web-0 u1", "deleted gone u2", "added web-0 u9"]);
  expect(watch.names()).toEqual(["same", "web-0"]);
});

test("HTTP 410 lists again, and a server that answers it always is not asked in a loop", async () => {
  await using pods = await startPods();
  pods.script.refuseWatch = 410;
  await using watch = watchPods(pods.api);
  await waitFor(() => watch.problems.length === 2);
  expect(watch.state()).toMatchObject({ synced: false, problem: { kind: "expired" } });
  pods.script.refuseWatch = undefined;
  await nthTurn(pods.turns, 1);
  expect(watch.state().synced).toBe(true);
  expect(lists(pods.api.seen)).toBe(3);
});

test("A server that closes every watch at once is asked at growing intervals", async () => {
  await using pods = await startPods();
  const asked: number[] = [];
  pods.api.answer(({ url }, response) => {
    if (!url.searchParams.has("watch")) return json(response, listOf([], "10"));
    asked.push(Date.now());
    return void response.writeHead(200, { "content-type": "application/json" }).end();
  });
  await using watch = watchPods(pods.api);
  await waitFor(() => asked.length === 3);
  expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(249);
  expect(asked[2]! - asked[1]!).toBeGreaterThanOrEqual(499);
  expect(watch.state().problem?.message).toContain("ended as soon as it began");
});

test("A watch that falls silent is given up as frozen and asked again", async () => {
  await using pods = await startPods();
  await using watch = watchPods(pods.api, 200);
  const begun = Date.now();
  await nthTurn(pods.turns, 1);
  const next = await nthTurn(pods.turns, 2);
  expect(Date.now() - begun).toBeLessThan(3_000);
  expect(watch.problems).toMatchObject([{ kind: "timeout" }]);
  send(next, "ADDED", rawPod("a", "u1", "11"));
  await waitFor(() => watch.names().length === 1);
});

test("A kind that may not be listed is a problem and not an empty list", async () => {
  await using api = await startScriptedApi((_seen, response) =>
    status(response, 403, "Forbidden", { message: "pods is forbidden" }),
  );
  await using watch = watchPods(api);
  const problem = await waitFor(() => watch.state().problem);
  expect(problem).toMatchObject({ kind: "forbidden", message: "pods is forbidden" });
  expect(watch.state()).toMatchObject({ synced: false, seenAtMs: undefined });
});

test("A listener that throws is reported, and the watch goes on", async () => {
  await using pods = await startPods();
  const problems: unknown[] = [];
  const watch = watchCollection(pods.api.connect(), {
    path: "/api/v1/pods",
    parse: parsePod,
    now: Date.now,
    onChange: () => {
      throw new Error("listener");
    },
    onProblem: (problem) => void problems.push(problem),
  });
  const turn = await nthTurn(pods.turns, 1);
  send(turn, "ADDED", rawPod("a", "u1", "11"));
  send(turn, "ADDED", rawPod("b", "u2", "12"));
  await waitFor(() => watch.store.all().length === 2);
  expect(problems).toEqual([new Error("listener"), new Error("listener")]);
  await watch.close();
});

test("A watch that is closed leaves no request behind", async () => {
  await using pods = await startPods();
  const watch = watchPods(pods.api);
  const turn = await nthTurn(pods.turns, 1);
  await watch.close();
  await waitFor(() => turn.response.destroyed);
  expect(watch.problems).toEqual([]);
});
