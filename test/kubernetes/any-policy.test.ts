import { afterAll, beforeAll, expect, test } from "vitest";
import { createAnyPolicy } from "../../src/kubernetes/any-policy.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Image } from "../../src/policy/revision.ts";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { anyPolicyContract } from "../contract/any-policy.ts";
import { json, startScriptedApi, status } from "./scripted-api.ts";

let sandbox: SandboxCluster;
beforeAll(async () => {
  sandbox = await startSandboxCluster();
});
afterAll(() => sandbox.close());

anyPolicyContract("the sandbox", () =>
  createConnection({ source: { kind: "text", text: sandbox.kubeconfig }, now: Date.now }),
);

const sent: Image = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "web", namespace: "shop", annotations: { [marks.undo]: "u-1" } },
  spec: { podSelector: {} },
};
const version = { uid: "u", resourceVersion: "5" };
const stored = (resourceVersion: string, spec: object = sent.spec) => ({
  ...sent,
  metadata: { ...sent.metadata, uid: "u", resourceVersion },
  spec,
});
const before = { ...stored("5", { podSelector: { matchLabels: { old: "1" } } }), status: { conditions: [] } };

test("A PUT goes out with uid, version and the status that is there, strictly, as our field manager", async () => {
  await using api = await startScriptedApi(({ method }, response) =>
    json(response, method === "GET" ? before : stored("6")),
  );
  await createAnyPolicy(api.connect()).replace(sent, version);
  const put = api.seen.find(({ method }) => method === "PUT");
  expect(put?.body).toEqual({ ...stored("5"), status: { conditions: [] } });
  expect(put?.url.search).toBe("?fieldManager=bulkhead&fieldValidation=Strict");
});

test("A PUT that took effect and was not answered is found by what is stored", async () => {
  let current = before as object;
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, current);
    current = stored("6");
    return void request.socket.resetAndDestroy();
  });
  const answer = await createAnyPolicy(api.connect()).replace(sent, version);
  expect(answer).toEqual({ kind: "replaced", object: stored("6") });
  expect(api.seen.filter(({ method }) => method === "PUT")).toHaveLength(1);
});

test("A PUT that broke off before it took effect is sent again, and one that took effect late is no conflict", async () => {
  let current = before as object;
  let puts = 0;
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, current);
    puts += 1;
    if (puts === 1) return void request.socket.resetAndDestroy();
    current = stored("6");
    return status(response, 409, "Conflict", { details: { name: "web" } });
  });
  expect(await createAnyPolicy(api.connect()).replace(sent, version)).toEqual({
    kind: "replaced",
    object: stored("6"),
  });
  expect(puts).toBe(2);
});

test("A PUT without an answer, after which the object is neither as before nor as sent, is a failure that may have taken effect", async () => {
  let current = before as object;
  await using api = await startScriptedApi(({ method }, response, request) => {
    if (method === "GET") return json(response, current);
    current = stored("7", { podSelector: { matchLabels: { someone: "else" } } });
    return void request.socket.resetAndDestroy();
  });
  await expect(createAnyPolicy(api.connect()).replace(sent, version)).rejects.toMatchObject({
    kind: "unreachable",
    mayHaveTakenEffect: true,
  });
});

test("A POST that took effect and was not answered is created where it bears the same undo, and exists where not", async () => {
  let undo = "u-1";
  await using api = await startScriptedApi(({ method }, response) => {
    const metadata = { ...stored("6").metadata, annotations: { [marks.undo]: undo } };
    if (method === "GET") return json(response, { ...sent, metadata });
    return status(response, 409, "AlreadyExists", { details: { name: "web" } });
  });
  expect((await createAnyPolicy(api.connect()).create(sent)).kind).toBe("created");
  undo = "u-2";
  expect((await createAnyPolicy(api.connect()).create(sent)).kind).toBe("exists");
});

test("A webhook's refusal throws with its words", async () => {
  const message = 'admission webhook "guard.example" denied the request: no';
  await using api = await startScriptedApi(({ method }, response) => {
    if (method === "GET") json(response, before);
    else status(response, 403, "Forbidden", { message });
  });
  const writes = createAnyPolicy(api.connect());
  await expect(writes.replace(sent, version, { dryRun: true })).rejects.toMatchObject({ kind: "forbidden", message });
  await expect(writes.delete(sent, version)).rejects.toMatchObject({ message });
});
