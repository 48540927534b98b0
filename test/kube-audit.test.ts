import { expect, test } from "vitest";
import type { Attribution } from "../src/history/history.ts";
import { createKubeAudit } from "../src/kube-audit.ts";
import { attributionsOf } from "../src/kube-audit-events.ts";
import { createMetrics } from "../src/metrics.ts";
import { startProbes } from "../src/probes.ts";

const token = "a-token-of-the-test";
const receivedAt = Date.parse("2026-11-21T22:26:06.000Z");
const jane = { username: "jane", groups: ["team-a", "system:authenticated"] };

function event(verb: string, resourceVersion: string, more: object = {}) {
  return {
    level: "RequestResponse",
    stage: "ResponseComplete",
    requestURI: "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/web?fieldManager=kubectl",
    verb,
    user: jane,
    userAgent: "kubectl/v1.32",
    objectRef: { resource: "networkpolicies", namespace: "shop", name: "web", apiGroup: "networking.k8s.io" },
    responseStatus: { metadata: {}, code: 200 },
    responseObject: { kind: "NetworkPolicy", metadata: { uid: "u1", resourceVersion } },
    requestReceivedTimestamp: "2026-11-21T22:26:06.000100Z",
    ...more,
  };
}

const listOf = (...items: object[]) => ({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
const told = (...items: object[]) =>
  attributionsOf("c", listOf(...items))?.map(({ uid, resourceVersion, author }) => [
    uid,
    resourceVersion,
    author.kind === "user" ? author.user : author.kind,
  ]);

test("A write is its user's, with groups and program, by the version that it made", () => {
  expect(attributionsOf("c", listOf(event("patch", "7")))).toEqual([
    {
      cluster: "c",
      uid: "u1",
      resourceVersion: "7",
      author: { kind: "user", user: "jane", groups: jane.groups, agent: "kubectl/v1.32", receivedAt },
    },
  ]);
});

test("Who acts as somebody else is named beside whom they act as", () => {
  const impersonatedUser = { username: "deployer", groups: ["bots"] };
  expect(attributionsOf("c", listOf(event("update", "7", { impersonatedUser })))?.[0]?.author).toEqual({
    kind: "user",
    user: "deployer",
    groups: ["bots"],
    impersonatedBy: "jane",
    agent: "kubectl/v1.32",
    receivedAt,
  });
});

test("A deletion is known by the uid, from a Status, from the object that lingers, and of many at once", () => {
  const status = { kind: "Status", details: { name: "web", uid: "u1" }, metadata: {} };
  const many = {
    kind: "NetworkPolicyList",
    metadata: {},
    items: [{ metadata: { uid: "u2" } }, { metadata: { uid: "u3" } }],
  };
  expect(
    told(
      event("delete", "", { responseObject: status }),
      event("delete", "9"),
      event("deletecollection", "", { responseObject: many }),
    ),
  ).toEqual([
    ["u1", "deleted", "jane"],
    ["u1", "deleted", "jane"],
    ["u2", "deleted", "jane"],
    ["u3", "deleted", "jane"],
  ]);
});

test("Other policy APIs count; dry runs, refusals, statuses, reads, other kinds and events without an object do not", () => {
  const cilium = { resource: "ciliumnetworkpolicies", apiGroup: "cilium.io" };
  expect(told(event("create", "8", { objectRef: cilium, responseStatus: { code: 201 } }))).toHaveLength(1);
  expect(
    told(
      event("patch", "7", { requestURI: "/apis/x?dryRun=All" }),
      event("delete", "7", { requestObject: { kind: "DeleteOptions", dryRun: ["All"] } }),
      event("patch", "7", { responseStatus: { code: 409 } }),
      event("patch", "7", { objectRef: { ...cilium, subresource: "status" } }),
      event("patch", "7", { objectRef: { resource: "configmaps" } }),
      event("patch", "7", { stage: "RequestReceived" }),
      event("patch", "7", { responseObject: undefined }),
      event("get", "7"),
      { hello: "world" },
    ),
  ).toEqual([]);
});

test("Long names are cut", () => {
  expect(told(event("patch", "7", { user: { username: "x".repeat(1_000) } }))).toEqual([["u1", "7", "x".repeat(256)]]);
});

test("What is no list of events is nothing", () => {
  for (const body of [undefined, [], {}, { kind: "EventList", items: [] }]) {
    expect(attributionsOf("c", body)).toBeUndefined();
  }
});

async function start(attribute: (attribution: Attribution) => Promise<void>) {
  const problems: unknown[] = [];
  const onProblem = (error: unknown) => void problems.push(error);
  const receiver = createKubeAudit({ token, clusters: new Set(["c"]), attribute, onProblem });
  const health = { readiness: () => ({ missing: [], degraded: [] }), stuck: () => [] };
  const probes = await startProbes(0, createMetrics(), health, receiver);
  const post = async (path: string, body: string, authorization = `Bearer ${token}`) => {
    const headers = { authorization, "content-type": "application/json" };
    return (await fetch(`http://127.0.0.1:${probes.port}${path}`, { method: "POST", headers, body })).status;
  };
  return { problems, post, port: probes.port, [Symbol.asyncDispose]: () => probes.close() };
}

test("Events are taken of configured clusters from who has the token, beside the probes", async () => {
  const attributions: Attribution[] = [];
  await using server = await start(async (one) => void attributions.push(one));
  const body = JSON.stringify(listOf(event("patch", "7")));
  expect(await server.post("/kubernetes-audit/c?timeout=30s", body)).toBe(200);
  expect(attributions).toMatchObject([{ cluster: "c", uid: "u1", resourceVersion: "7" }]);
  expect(await server.post("/kubernetes-audit/c", body, "Bearer wrong")).toBe(401);
  expect(await server.post("/kubernetes-audit/c", body, "")).toBe(401);
  expect(await server.post("/kubernetes-audit/other", body)).toBe(404);
  expect(await server.post("/kubernetes-audit/c", "{}")).toBe(400);
  expect(await server.post("/elsewhere", body)).toBe(404);
  expect(attributions).toHaveLength(1);
  expect(server.problems.map(String)).toEqual([
    expect.stringContaining("without the token"),
    expect.stringContaining("without the token"),
    expect.stringContaining("not configured"),
  ]);
  expect((await fetch(`http://127.0.0.1:${server.port}/livez`)).status).toBe(200);
});

test("A body that is too large is refused, and where nothing can be stored the server is to send it again", async () => {
  await using server = await start(() => Promise.reject(new Error("Redis is away")));
  expect(await server.post("/kubernetes-audit/c", JSON.stringify(listOf(event("patch", "7"))))).toBe(503);
  expect(server.problems.map(String)).toEqual(["Error: Redis is away"]);
  const tooLarge = server.post("/kubernetes-audit/c", " ".repeat(16 * 1_048_576 + 1));
  expect(await tooLarge.catch(() => 413)).toBe(413);
});
