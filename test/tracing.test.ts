import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type TracesConfig, tracesOf } from "../src/config-traces.ts";
import { traceIdsOf } from "../src/trace-ids.ts";
import { type OpenTracing, openTracing } from "../src/tracing.ts";
import { startCollector } from "./collector.ts";

let collector: Awaited<ReturnType<typeof startCollector>>;
let problems: unknown[];

beforeAll(async () => {
  collector = await startCollector();
});
afterAll(() => collector.close());

beforeEach(() => {
  collector.spans.length = 0;
  collector.calls.length = 0;
  problems = [];
  vi.unstubAllEnvs();
});

/** By the environment of this process, which is where the exporter reads it, too. */
async function open(env: Readonly<Record<string, string>> = {}): Promise<OpenTracing> {
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", ...env };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  const config: TracesConfig | undefined = tracesOf(process.env);
  const tracing = await openTracing(config, { replica: "bulkhead-0", onProblem: (error) => void problems.push(error) });
  if (tracing === undefined) throw new Error("it is off");
  return tracing;
}

const phase = { operation: "q-7f3kabc", name: "carry out quarantine", attributes: {}, begins: false };

describe("The trace of an operation", () => {
  test("is one, whichever replica writes it, and is found by the operation's id", async () => {
    const [first, second] = [await open(), await open()];
    await first.phase({ ...phase, name: "command quarantine", begins: true, startedAt: 1_000 }, () =>
      first.span("plan", {}, () => Promise.resolve()),
    );
    await second.phase(phase, () => second.span("settle", { seconds: 2 }, () => Promise.resolve()));
    await Promise.all([first.close(5_000), second.close(5_000)]);
    const { trace, root } = traceIdsOf("q-7f3kabc");
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([trace]));
    expect(collector.spans.map((span) => collector.way(span).join(" > ")).toSorted()).toEqual([
      "command quarantine",
      "command quarantine > carry out quarantine",
      "command quarantine > carry out quarantine > settle",
      "command quarantine > plan",
    ]);
    expect(collector.spans.find(({ spanId }) => spanId === root)).toMatchObject({ startMs: 1_000, parentSpanId: "" });
    expect(problems).toEqual([]);
  });

  test("Its ids are digits of the SHA-256 of the operation's id, as sha256sum prints it", () => {
    expect(traceIdsOf("q-7f3kabc")).toEqual({ trace: "7412626e720a545e7c960c0e75eb22fc", root: "5269268fd93e491d" });
  });

  test("What another operation brings about has a trace of its own with a link to it", async () => {
    const tracing = await open();
    await tracing.phase({ ...phase, name: "press release" }, () =>
      tracing.phase({ ...phase, operation: "r-1111111", name: "command release", begins: true }, () =>
        Promise.resolve(),
      ),
    );
    await tracing.close(5_000);
    const release = collector.spans.find(({ name }) => name === "command release");
    expect(release).toMatchObject({
      traceId: traceIdsOf("r-1111111").trace,
      parentSpanId: "",
      links: [traceIdsOf("q-7f3kabc").trace],
    });
  });

  test("says of an error its kind alone", async () => {
    const tracing = await open();
    const failing = tracing.phase(phase, () => Promise.reject(new TypeError("the reason that somebody typed")));
    await expect(failing).rejects.toThrow("the reason that somebody typed");
    await tracing.close(5_000);
    expect(collector.spans).toMatchObject([{ status: 2, attributes: { "error.type": "TypeError" } }]);
    expect(collector.calls.map(({ body }) => body).join()).not.toContain("somebody typed");
  });

  test("Outside of an operation nothing is traced, and the work is done", async () => {
    const tracing = await open();
    expect(await tracing.span("plan", {}, () => Promise.resolve(7))).toBe(7);
    tracing.set({ lost: true });
    tracing.event("lost");
    tracing.past("lost", 0, 1);
    await tracing.close(5_000);
    expect(collector.calls).toEqual([]);
  });
});

describe("The environment decides", () => {
  test("name, attributes and headers, over what Bulkhead says of itself", async () => {
    const tracing = await open({
      OTEL_SERVICE_NAME: "bulkhead-eu",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod,service.name=other",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20hunter2",
    });
    await tracing.phase(phase, () => Promise.resolve());
    await tracing.close(5_000);
    expect(collector.spans[0]?.resource).toMatchObject({
      "service.name": "bulkhead-eu",
      "service.instance.id": "bulkhead-0",
      "deployment.environment.name": "prod",
    });
    expect(collector.calls[0]).toMatchObject({ path: "/v1/traces", headers: { authorization: "Bearer hunter2" } });
  });

  test("the protocol: binary where it says nothing", async () => {
    const tracing = await open({ OTEL_EXPORTER_OTLP_PROTOCOL: "" });
    await tracing.phase(phase, () => Promise.resolve());
    await tracing.close(5_000);
    expect(collector.calls[0]).toMatchObject({
      path: "/v1/traces",
      headers: { "content-type": "application/x-protobuf" },
    });
    expect(collector.calls[0]?.body).toContain("carry out quarantine");
  });

  test("how many are traced, and all replicas decide alike", async () => {
    const env = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.5" };
    const replicas = [await open(env), await open(env)];
    for (let n = 0; n < 200; n += 1) {
      const operation = `q-${n}`;
      for (const tracing of replicas)
        await tracing.phase({ ...phase, operation, begins: tracing === replicas[0] }, () => Promise.resolve());
    }
    for (const tracing of replicas) await tracing.close(5_000);
    const traces = Map.groupBy(collector.spans, ({ traceId }) => traceId);
    expect(traces.size).toBeGreaterThan(60);
    expect(traces.size).toBeLessThan(140);
    expect([...traces.values()].every((spans) => spans.length === 2)).toBe(true);
  });
});

describe("A collector that is away", () => {
  test("is told as a problem, and holds nothing up", async () => {
    const tracing = await open({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_TIMEOUT: "100",
    });
    const began = performance.now();
    for (let n = 0; n < 10_000; n += 1) await tracing.phase(phase, () => Promise.resolve());
    expect(performance.now() - began).toBeLessThan(5_000);
    await tracing.close(5_000);
    expect(String(problems[0])).toMatch(/ECONNREFUSED|refused|retry/i);
  });

  test("and one that takes a call and never answers does not keep the bot from ending", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => void silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const tracing = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    await tracing.phase(phase, () => Promise.resolve());
    const began = performance.now();
    await tracing.close(200);
    expect(performance.now() - began).toBeLessThan(5_000);
    silent.close();
  });
});
