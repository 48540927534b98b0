import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { connectRedis, untilReady } from "../../src/redis.ts";
import { startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { type OwnRedis, startOwnRedis } from "../redis.ts";
import { waitFor } from "../wait.ts";
import { type KubeProxy, startKubeProxy } from "./kube-proxy.ts";
import { type RedisProxy, startRedisProxy } from "./redis-proxy.ts";
import { createCutter, wordsOf } from "./resp.ts";
import { atWrite } from "./tap.ts";

const policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
const policy = (name: string) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name },
  spec: { podSelector: {}, policyTypes: ["Ingress"] },
});

describe("the proxy in front of an API server", () => {
  let sandbox: Awaited<ReturnType<typeof startSandboxCluster>>;
  let proxy: KubeProxy;
  let connection: ReturnType<typeof createConnection>;

  beforeAll(async () => {
    sandbox = await startSandboxCluster({ token: "t" });
    proxy = await startKubeProxy(sandbox.kubeconfig);
    connection = createConnection({ source: { kind: "text", text: proxy.kubeconfig }, now: Date.now });
  });
  beforeEach(() => proxy.decide(undefined));
  afterAll(async () => {
    await connection?.close();
    await proxy?.close();
    await sandbox?.close();
  });

  const create = (name: string) => connection.request("POST", policies, { body: policy(name), timeoutMs: 1_000 });
  const names = () => sandbox.objects("NetworkPolicy").map(({ metadata }) => metadata.name);

  test("counts writes, not reads and not access reviews", async () => {
    const before = proxy.writes().length;
    await create("counted");
    await connection.request("GET", policies);
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: {} };
    await connection.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { body: review });
    expect(proxy.writes().slice(before)).toMatchObject([{ verb: "POST", outcome: 201 }]);
  });

  test("passes a watch on as it comes", async () => {
    const ended = new AbortController();
    const stream = await connection.stream(policies, { watch: "true", resourceVersion: "0" }, ended.signal);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of stream as AsyncIterable<{ object: { metadata: { name: string } } }>)
        seen.push(event.object.metadata.name);
    })().catch(() => undefined);
    await create("watched");
    await waitFor(() => seen.includes("watched"));
    ended.abort();
    await reading;
  });

  test("runs a hook before the n-th write, which the server then never sees", async () => {
    let there: readonly string[] = [];
    const before = () => {
      there = names();
    };
    proxy.decide(atWrite(2, { before, instead: "reset" }));
    await create("first");
    await expect(create("second")).rejects.toThrow();
    expect(there).toContain("first");
    expect(names()).not.toContain("second");
    await create("third");
  });

  test("runs a hook after the server's answer, and loses the answer of a write that took effect", async () => {
    let there: readonly string[] = [];
    const after = () => {
      there = names();
    };
    proxy.decide(atWrite(1, { after, answer: "reset" }));
    await expect(create("lost")).rejects.toThrow();
    expect(there).toContain("lost");
    expect(proxy.writes().at(-1)).toMatchObject({ outcome: "answer lost" });
  });

  test.each([429, 503])("answers with %i in the server's place", async (code) => {
    const before = names();
    proxy.decide((call) => (call.write > 0 ? { instead: code } : undefined));
    await expect(create(`refused-${code}`)).rejects.toMatchObject({ code });
    expect(names()).toEqual(before);
  });

  test("lets a call hang until its caller gives up", async () => {
    proxy.decide(atWrite(1, { instead: "hang" }));
    await expect(create("hanging")).rejects.toThrow(/time|answer/i);
    expect(names()).not.toContain("hanging");
  });
});

describe("the proxy in front of a redis-server", () => {
  let server: OwnRedis;
  let proxy: RedisProxy;
  let redis: ReturnType<typeof connectRedis>;

  beforeAll(async () => {
    server = await startOwnRedis();
    proxy = await startRedisProxy(server.port);
    redis = connectRedis(proxy.url, { onError: () => undefined });
    expect(await untilReady(redis, 5_000)).toBe(true);
  });
  beforeEach(async () => {
    proxy.decide(undefined);
    await waitFor(() => redis.status === "ready");
  });
  afterAll(async () => {
    redis?.disconnect();
    await proxy?.close();
    await server?.stop();
  });

  const append = (value: string) => redis.eval("return redis.call('RPUSH', 'list', ARGV[1])", 0, value);
  const list = () => redis.lrange("list", 0, -1);

  test("counts commands that write, one by one where they come together", async () => {
    const before = proxy.writes().length;
    await Promise.all([append("a"), redis.get("x"), append("b"), redis.set("x", "y")]);
    expect(proxy.writes().slice(before)).toMatchObject([{ verb: "EVAL" }, { verb: "EVAL" }, { verb: "SET" }]);
    expect(await list()).toEqual(["a", "b"]);
  });

  test("ends the connection before a write", async () => {
    proxy.decide(atWrite(1, { instead: "reset" }));
    await expect(append("never")).rejects.toThrow();
    await waitFor(() => redis.status === "ready");
    expect(await list()).not.toContain("never");
  });

  test("loses the answer of a write that took effect", async () => {
    proxy.decide(atWrite(1, { answer: "reset" }, ({ text }) => text.includes("lost")));
    await append("kept");
    await expect(append("lost")).rejects.toThrow();
    await waitFor(() => redis.status === "ready");
    expect(await list()).toEqual(expect.arrayContaining(["kept", "lost"]));
  });

  test("swallows everything while it is a black hole, and turns everybody away when told", async () => {
    proxy.blackhole(true);
    await expect(redis.get("x")).rejects.toThrow(/timed out/);
    proxy.blackhole(false);
    proxy.refuse(true);
    await waitFor(() => redis.status !== "ready");
    await expect(redis.get("x")).rejects.toThrow();
    proxy.refuse(false);
    await waitFor(() => redis.status === "ready");
  });
});

test("RESP is cut into whole values wherever the bytes are torn", () => {
  const values = [
    "*2\r\n$4\r\nEVAL\r\n$5\r\na\r\nbc\r\n",
    "%1\r\n+k\r\n:1\r\n",
    "$-1\r\n",
    "_\r\n",
    "*0\r\n",
    "-ERR x\r\n",
  ];
  const bytes = Buffer.from(values.join(""));
  for (let size = 1; size <= bytes.length; size++) {
    const cut = createCutter();
    const found: string[] = [];
    for (let at = 0; at < bytes.length; at += size)
      found.push(...cut(bytes.subarray(at, at + size)).map((value) => value.toString()));
    expect(found).toEqual(values);
  }
  expect(wordsOf(Buffer.from(values[0]!))).toEqual(["EVAL", "a\r\nbc"]);
});
