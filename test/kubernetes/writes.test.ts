import { expect, test } from "vitest";
import { patchPod } from "../../src/kubernetes/patch.ts";
import { resources } from "../../src/kubernetes/resources.ts";
import { createObject, deleteObject, getManifest } from "../../src/kubernetes/writes.ts";
import type { JsonPatchOperation, NetworkPolicy } from "../../src/policy/objects.ts";
import { json, rawPod, type Seen, startScriptedApi, status } from "./scripted-api.ts";

const policy: NetworkPolicy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "bulkhead-q-1", namespace: "shop" },
  spec: {
    podSelector: {},
    policyTypes: ["Ingress"],
    ingress: [{ from: [{ podSelector: { matchLabels: { a: "b" } } }] }],
  },
};
const stored = { ...policy, metadata: { ...policy.metadata, uid: "u1", resourceVersion: "7" } };
const pod = { namespace: "shop", name: "web" };

test("A policy goes out as it is, `from` included, by a strict POST of our field manager", async () => {
  await using api = await startScriptedApi((_seen, response) => json(response, stored, 201));
  expect(await createObject(api.connect(), policy)).toEqual({ kind: "created", object: stored });
  expect(api.seen[0]).toMatchObject({ method: "POST", body: policy });
  expect(api.seen[0]?.url.search).toBe("?fieldManager=bulkhead&fieldValidation=Strict");
});

test("A policy whose POST was never answered but took effect is found by its name", async () => {
  await using api = await startScriptedApi(({ method }, response) => {
    if (method === "GET") json(response, stored);
  });
  expect(await createObject(api.connect({ timeoutMs: 300 }), policy)).toEqual({ kind: "exists", object: stored });
});

test("A policy whose POST was never answered and is not there is a failure that may still take effect", async () => {
  await using api = await startScriptedApi(({ method }, response) => {
    if (method === "GET") status(response, 404, "NotFound", { details: { name: "bulkhead-q-1" } });
  });
  await expect(createObject(api.connect({ timeoutMs: 300 }), policy)).rejects.toMatchObject({
    kind: "timeout",
    mayHaveTakenEffect: true,
  });
});

test("A policy whose POST broke off after it took effect collides with itself", async () => {
  let created = false;
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, stored);
    if (created) return status(response, 409, "AlreadyExists", { details: { name: "bulkhead-q-1" } });
    created = true;
    return void request.socket.resetAndDestroy();
  });
  expect((await createObject(api.connect(), policy)).kind).toBe("exists");
  expect(api.seen.map(({ method }) => method)).toEqual(["POST", "POST", "GET"]);
});

test("A policy in a namespace that is not there is an error, and so is one that the server finds invalid", async () => {
  await using api = await startScriptedApi((_seen, response) =>
    status(response, 404, "NotFound", { details: { name: "shop", kind: "namespaces" } }),
  );
  const connection = api.connect();
  await expect(createObject(connection, policy)).rejects.toMatchObject({ kind: "not-found" });
  api.answer((_seen, response) => status(response, 422, "Invalid", { details: { name: "bulkhead-q-1", causes: [] } }));
  await expect(createObject(connection, policy)).rejects.toMatchObject({ kind: "refused-by-server", code: 422 });
});

const patch: readonly JsonPatchOperation[] = [
  { op: "test", path: "/metadata/uid", value: "u1" },
  { op: "test", path: "/metadata/labels", value: { app: "web" } },
  { op: "add", path: "/metadata/labels/bulkhead.dev~1quarantine", value: "q-1" },
  { op: "remove", path: "/metadata/labels/app" },
];
const after = rawPod("web", "u1", "8", { "bulkhead.dev/quarantine": "q-1" });

test("A patch is JSON Patch by the field manager for labels", async () => {
  await using api = await startScriptedApi((_seen, response, request) => {
    expect(request.headers["content-type"]).toBe("application/json-patch+json");
    json(response, after);
  });
  const answer = await patchPod(api.connect(), pod, patch);
  expect(answer).toMatchObject({ kind: "patched", pod: { labels: { "bulkhead.dev/quarantine": "q-1" } } });
  expect(api.seen[0]?.url.search).toBe("?fieldManager=bulkhead-label");
});

test("A patch without an answer is done where the pod is as the patch makes it", async () => {
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, after);
    return void request.socket.resetAndDestroy();
  });
  expect((await patchPod(api.connect(), pod, patch)).kind).toBe("patched");
  expect(api.seen.map(({ method }) => method)).toEqual(["PATCH", "GET"]);
});

test("A patch without an answer is not done where another pod has taken the name", async () => {
  await using api = await startScriptedApi(({ method }, response) => {
    if (method === "GET") json(response, rawPod("web", "u2", "9", { "bulkhead.dev/quarantine": "q-1" }));
  });
  await expect(patchPod(api.connect({ timeoutMs: 300 }), pod, patch)).rejects.toMatchObject({ kind: "timeout" });
});

test("A patch whose connection broke before it took effect is sent once more", async () => {
  let patches = 0;
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, rawPod("web", "u1", "7", { app: "web" }));
    patches += 1;
    return patches === 1 ? void request.socket.resetAndDestroy() : json(response, after);
  });
  expect((await patchPod(api.connect(), pod, patch)).kind).toBe("patched");
  expect(patches).toBe(2);
});

test("A failed test is a conflict, another refusal is an error, and no pod is no pod", async () => {
  const refusals: Record<string, readonly [number, string, object]> = {
    test: [422, "Invalid", { details: {} }],
    stale: [409, "Conflict", { details: { name: "web" } }],
    label: [422, "Invalid", { details: { name: "web", causes: [{ field: "metadata.labels" }] } }],
    absent: [404, "NotFound", { details: { name: "web" } }],
  };
  let refusal = "test";
  await using api = await startScriptedApi((_seen, response) => status(response, ...refusals[refusal]!));
  const connection = api.connect();
  expect(await patchPod(connection, pod, patch)).toEqual({ kind: "conflict" });
  refusal = "stale";
  expect(await patchPod(connection, pod, patch)).toEqual({ kind: "conflict" });
  refusal = "absent";
  expect(await patchPod(connection, pod, patch)).toEqual({ kind: "gone" });
  refusal = "label";
  await expect(patchPod(connection, pod, patch)).rejects.toMatchObject({ code: 422 });
});

test("A deletion carries its preconditions, and is repeated after a broken connection", async () => {
  const seen: Seen[] = [];
  await using api = await startScriptedApi((one, response, request) => {
    seen.push(one);
    if (seen.length === 1) return void request.socket.resetAndDestroy();
    return json(response, { kind: "Status", status: "Success" });
  });
  const preconditions = { uid: "u1", resourceVersion: "7" };
  expect(await deleteObject(api.connect(), resources.policies, pod, preconditions)).toEqual({ kind: "deleted" });
  expect(seen.map(({ body }) => body)).toEqual([expect.objectContaining({ preconditions }), expect.anything()]);
});

test("A 404 that is not about the object is no absence", async () => {
  await using api = await startScriptedApi((_seen, response) => {
    response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
  });
  await expect(deleteObject(api.connect(), resources.pods, pod, { uid: "u1" })).rejects.toMatchObject({ code: 404 });
});

/** An API server that serves these, and nothing of Calico's own API. */
function serving(resources: Readonly<Record<string, readonly string[]>>): Parameters<typeof startScriptedApi>[0] {
  return ({ url }, response) => {
    const groupVersion = url.pathname.replace("/apis/", "");
    const plurals = resources[groupVersion];
    if (url.pathname === "/apis") {
      return json(response, { groups: Object.keys(resources).map((each) => ({ versions: [{ groupVersion: each }] })) });
    }
    if (plurals === undefined) return status(response, 404, "NotFound");
    return json(response, { resources: plurals.map((name) => ({ name, kind: name })) });
  };
}

test.each([
  ["its definition is gone", {}, true],
  ["others of its group are there", { "crd.projectcalico.org/v1": ["tiers"] }, true],
  ["where it is stored is served", { "crd.projectcalico.org/v1": ["networkpolicies"] }, false],
  ["another version is served", { "projectcalico.org/v4": ["networkpolicies"] }, false],
])(
  "An object whose API is not served is there no more only where nothing else holds it: %s",
  async (_, served, gone) => {
    await using api = await startScriptedApi(serving(served));
    const reference = {
      apiVersion: "projectcalico.org/v3",
      kind: "NetworkPolicy",
      metadata: { namespace: "shop", name: "x" },
    };
    const asked = getManifest(api.connect(), reference);
    if (gone) expect(await asked).toBeUndefined();
    else await expect(asked).rejects.toMatchObject({ kind: "not-found" });
  },
);
