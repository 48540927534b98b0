import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { KubernetesError } from "../../src/kubernetes/failure.ts";
import { waitFor } from "../wait.ts";
import { json, kubeconfig, startScriptedApi, status } from "./scripted-api.ts";

async function failureOf(promise: Promise<unknown>): Promise<KubernetesError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KubernetesError)) throw new Error(`expected a KubernetesError, not ${String(error)}`);
  return error;
}

test("A request carries token, query and body, and returns the answer's JSON", async () => {
  await using api = await startScriptedApi((_seen, response, request) =>
    json(response, { authorization: request.headers.authorization, type: request.headers["content-type"] }),
  );
  const connection = api.connect();
  const query = { fieldManager: "bulkhead", left: undefined, out: "" };
  const answer = await connection.request("POST", "/api/v1/things", { query, body: { a: 1 } });
  expect(answer).toEqual({ authorization: "Bearer secret-token", type: "application/json" });
  expect(api.seen[0]).toMatchObject({ method: "POST", body: { a: 1 } });
  expect(api.seen[0]?.url.search).toBe("?fieldManager=bulkhead");
});

test("Connections are kept and used again", async () => {
  await using api = await startScriptedApi();
  const connection = api.connect();
  for (let call = 0; call < 20; call++) {
    await connection.request("GET", "/api");
    await connection.request("DELETE", "/api", { body: { preconditions: {} } });
  }
  // undici hands a body over a moment before its connection is free again, so that there may be a second one.
  expect(api.connections()).toBeLessThanOrEqual(2);
});

test("After a 401 the credentials are read anew, and the call goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-"));
  const path = join(folder, "config");
  await using api = await startScriptedApi((_seen, response, request) => {
    if (request.headers.authorization === "Bearer new") return json(response, { ok: true });
    writeFileSync(path, kubeconfig(api.url, { token: "new" }));
    return status(response, 401, "Unauthorized");
  });
  writeFileSync(path, kubeconfig(api.url, { token: "old" }));
  const connection = createConnection({ source: { kind: "files", paths: [path] }, now: Date.now });
  try {
    expect(await connection.request("POST", "/api", { body: {} })).toEqual({ ok: true });
    expect(api.seen.length).toBe(2);
  } finally {
    await connection.close();
    rmSync(folder, { recursive: true });
  }
});

test("Credentials that stay refused end after the second try, without naming the token", async () => {
  await using api = await startScriptedApi((_seen, response) => status(response, 401, "Unauthorized"));
  const error = await failureOf(api.connect().request("GET", "/api"));
  expect(error).toMatchObject({ kind: "unauthorized", code: 401, mayHaveTakenEffect: false });
  expect(api.seen.length).toBe(2);
  expect(`${error.message}${JSON.stringify(error)}`).not.toContain("secret-token");
});

test("A 429 is tried again after what Retry-After says, writes too", async () => {
  let calls = 0;
  await using api = await startScriptedApi((_seen, response) => {
    calls += 1;
    if (calls === 1) return json(response, {}, 429, { "retry-after": "1" });
    return json(response, { done: true });
  });
  const begun = performance.now();
  expect(await api.connect().request("PATCH", "/api", { body: {} })).toEqual({ done: true });
  expect(performance.now() - begun).toBeGreaterThan(990);
});

test("A Retry-After beyond the time limit is not waited for", async () => {
  await using api = await startScriptedApi((_seen, response) => json(response, {}, 429, { "retry-after": "60" }));
  const begun = performance.now();
  const error = await failureOf(api.connect().request("GET", "/api"));
  expect(error).toMatchObject({ kind: "throttled", retryAfterMs: 60_000 });
  expect(performance.now() - begun).toBeLessThan(1_000);
});

test("A server error is tried again for reads and not for writes", async () => {
  let calls = 0;
  await using api = await startScriptedApi((_seen, response) => {
    calls += 1;
    if (calls % 2 === 1) return status(response, 503, "ServiceUnavailable");
    return json(response, { done: true });
  });
  const connection = api.connect();
  expect(await connection.request("GET", "/api")).toEqual({ done: true });
  const error = await failureOf(connection.request("DELETE", "/api"));
  expect(error).toMatchObject({ kind: "server-error", code: 503, mayHaveTakenEffect: true });
  expect(calls).toBe(3);
});

test("A server that never answers ends the call at its time limit, and the next call has a new connection", async () => {
  await using api = await startScriptedApi(() => {});
  const connection = api.connect({ timeoutMs: 300 });
  const begun = performance.now();
  const error = await failureOf(connection.request("POST", "/apis/x?y=z", { body: {} }));
  expect(error).toMatchObject({ kind: "timeout", code: 0, mayHaveTakenEffect: true });
  expect(error.message).toMatch(/^the Kubernetes API at 127\.0\.0\.1:\d+ did not answer POST \/apis\/x in time$/);
  expect(performance.now() - begun).toBeLessThan(1_500);
  api.answer((_seen, response) => json(response, { thawed: true }));
  expect(await connection.request("GET", "/api")).toEqual({ thawed: true });
  expect(api.connections()).toBe(2);
});

test("A body that stops half-way ends the call at its time limit too", async () => {
  await using api = await startScriptedApi((_seen, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write('{"half":');
  });
  const error = await failureOf(api.connect({ timeoutMs: 300 }).request("GET", "/api"));
  expect(error.kind).toBe("timeout");
});

test("A page of HTML is no answer of a Kubernetes API, whatever its code", async () => {
  await using api = await startScriptedApi((_seen, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Log in</h1>");
  });
  const connection = api.connect();
  expect(await failureOf(connection.request("GET", "/api"))).toMatchObject({ kind: "not-kubernetes", code: 200 });
  api.answer((_seen, response) => {
    response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found");
  });
  expect(await failureOf(connection.request("GET", "/api"))).toMatchObject({ kind: "not-found", reason: "" });
});

test("A connection that breaks is tried again for reads and not for writes", async () => {
  let calls = 0;
  await using api = await startScriptedApi((_seen, response, request) => {
    calls += 1;
    if (calls % 2 === 1) return void request.socket.resetAndDestroy();
    return json(response, { done: true });
  });
  const connection = api.connect();
  expect(await connection.request("GET", "/api")).toEqual({ done: true });
  const error = await failureOf(connection.request("PUT", "/api", { body: {} }));
  expect(error).toMatchObject({ kind: "unreachable", mayHaveTakenEffect: true });
  expect(calls).toBe(3);
});

test("Where nobody listens, a write is tried a few times and is known not to have happened", async () => {
  const api = await startScriptedApi();
  await api[Symbol.asyncDispose]();
  const error = await failureOf(api.connect({ timeoutMs: 3_000 }).request("POST", "/api", { body: {} }));
  expect(error).toMatchObject({ kind: "unreachable", mayHaveTakenEffect: false });
  expect(error.message).toMatch(/^cannot reach the Kubernetes API at 127\.0\.0\.1:\d+: connection refused$/);
});

test("The caller's signal ends a call", async () => {
  await using api = await startScriptedApi(() => {});
  const caller = new AbortController();
  const failure = failureOf(api.connect().request("GET", "/api", { signal: caller.signal }));
  caller.abort();
  expect((await failure).kind).toBe("aborted");
});

test("A refusal keeps the server's reason and details", async () => {
  await using api = await startScriptedApi((_seen, response) =>
    status(response, 403, "Forbidden", {
      message: 'pods is forbidden: User "bot" cannot list',
      details: { kind: "pods" },
    }),
  );
  expect(await failureOf(api.connect().request("GET", "/api/v1/pods"))).toMatchObject({
    kind: "forbidden",
    message: 'pods is forbidden: User "bot" cannot list',
    reason: "Forbidden",
    details: { kind: "pods" },
  });
});

test("User and password become basic authentication", async () => {
  await using api = await startScriptedApi((_seen, response, request) =>
    json(response, { authorization: request.headers.authorization }),
  );
  const connection = api.connect({ user: { username: "jane", password: "pass" } });
  expect(await connection.request("GET", "/api")).toEqual({ authorization: `Basic ${btoa("jane:pass")}` });
});

test("A kubeconfig that cannot be used is an error of credentials, in one line", async () => {
  const missing = createConnection({ source: { kind: "files", paths: ["/nowhere/config"] }, now: Date.now });
  expect(await failureOf(missing.request("GET", "/api"))).toMatchObject({ kind: "credentials", code: 0 });
  await using api = await startScriptedApi();
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "sh",
    args: ["-c", "echo 'no login'>&2; echo more>&2; exit 1"],
  };
  const error = await failureOf(api.connect({ user: { exec } }).request("GET", "/api"));
  expect(error).toMatchObject({ kind: "credentials", message: "no usable kubeconfig: no login" });
});

test("A plugin for credentials that hangs does not outlast the time limit", async () => {
  await using api = await startScriptedApi();
  const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "sleep", args: ["2"] };
  const begun = performance.now();
  const error = await failureOf(api.connect({ user: { exec }, timeoutMs: 300 }).request("GET", "/api"));
  expect(error).toMatchObject({ kind: "timeout", mayHaveTakenEffect: false });
  expect(performance.now() - begun).toBeLessThan(1_800);
});

test("Of several kubeconfig files the first that names something wins", async () => {
  await using api = await startScriptedApi((_seen, response, request) =>
    json(response, { authorization: request.headers.authorization }),
  );
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-"));
  const paths = ["one", "two"].map((token) => {
    const path = join(folder, token);
    writeFileSync(path, kubeconfig(api.url, { token }));
    return path;
  });
  const connection = createConnection({ source: { kind: "files", paths }, now: Date.now });
  try {
    expect(await connection.request("GET", "/api")).toEqual({ authorization: "Bearer one" });
    expect((await connection.credentials()).namespace).toBe("team");
  } finally {
    await connection.close();
    rmSync(folder, { recursive: true });
  }
});

test("A context that the kubeconfig does not have is an error of credentials", async () => {
  const source = { kind: "text", text: kubeconfig("http://127.0.0.1:1", {}), context: "other" } as const;
  const error = await failureOf(createConnection({ source, now: Date.now }).request("GET", "/api"));
  expect(error).toMatchObject({ kind: "credentials", message: "no usable kubeconfig: no cluster in context other" });
});

test("The server's clock is bounded by the second that an answer's Date header says", async () => {
  await using api = await startScriptedApi((_seen, response) =>
    json(response, {}, 200, { date: "Sat, 21 Nov 2026 04:00:00 GMT" }),
  );
  const connection = api.connect();
  expect(connection.serverTime()).toBeUndefined();
  await connection.request("GET", "/api");
  const { earliestMs, latestMs } = connection.serverTime()!;
  expect(earliestMs).toBeGreaterThanOrEqual(Date.UTC(2026, 10, 21, 4));
  expect(latestMs - earliestMs).toBeGreaterThanOrEqual(1_000);
});

test("Outside of a pod the in-cluster source says so", async () => {
  const connection = createConnection({ source: { kind: "in-cluster" }, now: Date.now });
  const error = await failureOf(connection.credentials());
  expect(error.message).toMatch(/^no usable kubeconfig: /);
});

test("A connection that is closed ends what is under way, and begins nothing new", async () => {
  await using api = await startScriptedApi(() => {});
  const connection = api.connect();
  const underWay = failureOf(connection.request("GET", "/api"));
  await waitFor(() => api.seen.length === 1);
  await connection.close();
  expect((await underWay).kind).toBe("aborted");
  expect((await failureOf(connection.request("GET", "/api"))).kind).toBe("aborted");
  expect(api.seen.length).toBe(1);
});
