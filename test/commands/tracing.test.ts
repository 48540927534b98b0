import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import { tracesOf } from "../../src/config-traces.ts";
import { traceIdsOf } from "../../src/trace-ids.ts";
import { tracedClusters } from "../../src/traced-clusters.ts";
import { openTracing } from "../../src/tracing.ts";
import { startCollector } from "../collector.ts";
import { startDesk, type TestDesk } from "./desk.ts";
import { mortal } from "./mortal.ts";

let desk: TestDesk;
let collector: Awaited<ReturnType<typeof startCollector>>;
let pods = 0;

beforeAll(async () => {
  collector = await startCollector();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
  vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json");
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2");
  desk = await startDesk();
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
  );
  // Else the first would be the last ready replica.
  newPod();
});

afterAll(async () => {
  await Promise.all([desk?.close(), collector?.close()]);
  vi.unstubAllEnvs();
});

beforeEach(() => {
  collector.spans.length = 0;
  collector.calls.length = 0;
});

function newPod(): string {
  pods += 1;
  const name = `checkout-${pods}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: { app: "checkout" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  return name;
}

/** A replica over the same Redis and cluster that traces; `sent` has it end, and what it has traced sent. */
async function replica(base: Services = desk.services) {
  const tracing = await openTracing(tracesOf(process.env), { replica: "one", onProblem: () => undefined });
  if (tracing === undefined) throw new Error("nothing is traced");
  const services = { ...base, tracing, clusters: tracedClusters(base.clusters, tracing) };
  const run = (of: Services, outlet = desk.outlet) => ({
    services: of,
    type: (text: string) => createDesk(of).run({ ...desk.request(text), acknowledgedAt: desk.services.now() }, outlet),
    press: (action: string, operation: string) =>
      createDesk(of).press({ ...desk.request(""), action, operation, card: undefined }, outlet),
  });
  return { ...run(services), run, sent: () => tracing.close(5_000) };
}

/** Each way once, sorted. */
function ways(): readonly string[] {
  return [...new Set(collector.spans.map((span) => collector.way(span).join(" > ")))].toSorted();
}

describe("A quarantine", () => {
  test("is one trace from the command to the last card, with every write in it", async () => {
    const { type, press, sent } = await replica();
    const { operation: id = "" } = await type(`quarantine payments/${newPod()} because hunter2 phoned`);
    await press("confirm", id);
    await sent();
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdsOf(id).trace]));
    const work = "command quarantine > press confirm > carry out quarantine";
    expect(ways()).toEqual([
      "command quarantine",
      "command quarantine > acknowledge",
      "command quarantine > plan",
      "command quarantine > plan > gather",
      "command quarantine > press confirm",
      work,
      `${work} > append audit`,
      `${work} > kubernetes create`,
      `${work} > kubernetes patch`,
      `${work} > settle`,
      `${work} > show card`,
      `${work} > verify`,
      `${work} > verify > gather`,
      "command quarantine > press confirm > plan",
      "command quarantine > press confirm > plan > gather",
      "command quarantine > show card",
    ]);
    const done = collector.spans.find(({ name }) => name === "carry out quarantine");
    expect(done?.attributes).toEqual({
      "bulkhead.operation": id,
      "bulkhead.kind": "quarantine",
      "k8s.cluster.name": "sandbox",
      "k8s.namespace.name": "payments",
      "bulkhead.state": "in-force",
      "bulkhead.verdict": "isolated",
      "bulkhead.outcome": "ok",
    });
    expect(done?.events).toEqual(["policy written", "pod labelled", "settled", "labels off", "read back"]);
    const writes = collector.spans.filter(({ name }) => name.startsWith("kubernetes "));
    expect(
      writes.map(({ name, attributes }) => [name, attributes["bulkhead.object"], attributes["bulkhead.result"]]),
    ).toEqual([
      ["kubernetes create", "NetworkPolicy", "created"],
      ["kubernetes patch", "Pod", "patched"],
      ["kubernetes patch", "Pod", "patched"],
    ]);
  });

  test("says nothing of who asked, why, or with which secret", async () => {
    const { type, press, sent } = await replica();
    const { operation: id = "" } = await type(`quarantine payments/${newPod()} because of case 4711`);
    await press("confirm", id);
    await sent();
    const all = collector.calls.map(({ body }) => body).join("\n");
    expect(all).toContain("carry out quarantine");
    for (const secret of ["4711", "because", "alice", "U1", "hunter2"]) expect(all).not.toContain(secret);
  });

  test("that another replica finishes is still one trace", async () => {
    const [dying, living] = [await replica(), await replica()];
    const counted = mortal(desk.services, desk.outlet, undefined);
    const first = await living.type(`quarantine payments/${newPod()}`);
    await dying.run(counted.services, counted.outlet).press("confirm", first.operation ?? "");
    collector.spans.length = 0;
    const { operation: id = "" } = await living.type(`quarantine payments/${newPod()}`);
    const dead = mortal(dying.services, desk.outlet, { at: counted.calls.indexOf("patchPod") + 1, when: "after" });
    await Promise.race([dying.run(dead.services, dead.outlet).press("confirm", id), dead.dead]);
    expect((await desk.services.operations.get(id))?.state).toBe("running");
    await desk.redis.zadd("{bulkhead}:leases", "0", id);
    const takeover = createTakeover(living.services, () => desk.outlet);
    await takeover.sweep();
    await takeover.drain();
    expect((await desk.services.operations.get(id))?.state).toBe("in-force");
    await Promise.all([dying.sent(), living.sent()]);
    const own = collector.spans.filter(({ attributes }) => attributes["bulkhead.operation"] === id);
    expect(new Set(own.map(({ traceId }) => traceId))).toEqual(new Set([traceIdsOf(id).trace]));
    expect(ways()).toContain("command quarantine > carry out quarantine > verify");
  });
});

describe("A release", () => {
  test("by the button of its quarantine has a trace of its own, linked to that", async () => {
    const { type, press, sent } = await replica();
    const { operation: q = "" } = await type(`quarantine payments/${newPod()}`);
    await press("confirm", q);
    const { operation: r = "" } = await press("release", q);
    await press("confirm", r);
    await sent();
    const command = collector.spans.find(({ name }) => name === "command release");
    expect(command).toMatchObject({ traceId: traceIdsOf(r).trace, links: [traceIdsOf(q).trace] });
    const work = "command release > press confirm > carry out release";
    expect(ways()).toEqual(
      expect.arrayContaining([`${work} > kubernetes delete`, `${work} > settle`, `${work} > verify`]),
    );
    expect(ways()).toContain("command release > plan > gather");
  });
});

describe("A collector that takes calls and never answers", () => {
  test("holds no operation up", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${port}`);
    // Sent at once, so that calls hang already while the operation goes on.
    vi.stubEnv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1");
    const called = once(silent, "connection");
    const { type, press } = await replica();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url);
    const { operation: id = "" } = await type(`quarantine payments/${newPod()}`);
    await called;
    const hung = performance.now();
    const reply = await press("confirm", id);
    // The exporter waits ten seconds for an answer.
    expect(performance.now() - hung).toBeLessThan(9_000);
    expect(reply).toMatchObject({ outcome: "ok", operation: id });
    expect((await desk.services.operations.get(id))?.state).toBe("in-force");
    silent.close();
  });
});

test("What is no operation is not traced", async () => {
  const { type, sent } = await replica();
  await type("status");
  await type("whoami");
  await sent();
  expect(collector.calls).toEqual([]);
});
