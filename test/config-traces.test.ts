import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tracesOf, tracesProblems } from "../src/config-traces.ts";
import { traceIdsOf } from "../src/trace-ids.ts";

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const section = /^## Traces\n([\s\S]*?)^## /m.exec(readme)?.[1] ?? "";

describe("Nothing is traced", () => {
  test.each([
    [{}],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }],
    [{ OTEL_SERVICE_NAME: "bulkhead", OTEL_TRACES_EXPORTER: "otlp" }],
    [{ ...endpoint, OTEL_SDK_DISABLED: "true" }],
    [{ ...endpoint, OTEL_SDK_DISABLED: "TRUE" }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: "none" }],
  ])("with %j, and what else is set is not looked at", (env) => {
    const wrong = { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc", OTEL_TRACES_SAMPLER: "xray" };
    expect(tracesOf(wrong)).toBeUndefined();
    expect(tracesProblems(wrong, () => undefined)).toEqual([]);
  });
});

describe("What is traced", () => {
  test("goes as the specification has it where nothing else is said", () => {
    for (const env of [endpoint, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://collector/traces" }]) {
      expect(tracesOf(env)).toEqual({
        protocol: "http/protobuf",
        ratio: 1,
        batch: {
          scheduledDelayMillis: 5_000,
          exportTimeoutMillis: 30_000,
          maxQueueSize: 2_048,
          maxExportBatchSize: 512,
        },
      });
    }
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, { protocol: "http/json" }],
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/protobuf" },
      { protocol: "http/protobuf" },
    ],
    [{ OTEL_TRACES_SAMPLER: "always_off" }, { ratio: 0 }],
    [{ OTEL_TRACES_SAMPLER: "parentbased_always_on" }, { ratio: 1 }],
    [{ OTEL_TRACES_SAMPLER: "traceidratio" }, { ratio: 1 }],
    [{ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.25" }, { ratio: 0.25 }],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: "100" }, { batch: { maxQueueSize: 100 } }],
  ])("goes by %j", (env, expected) => {
    expect(tracesOf({ ...endpoint, ...env })).toMatchObject(expected);
    expect(tracesProblems({ ...endpoint, ...env }, () => undefined)).toEqual([]);
  });
});

describe("Problems", () => {
  test("are told of each variable, and none shows what it holds", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "hunter2:4318",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_TRACES_EXPORTER: "console",
      OTEL_TRACES_SAMPLER: "jaeger_remote",
      OTEL_BSP_SCHEDULE_DELAY: "soon",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/hunter2",
    };
    expect(tracesProblems(env, () => undefined)).toEqual([
      "OTEL_EXPORTER_OTLP_ENDPOINT: is no address such as http://host:4318",
      "OTEL_EXPORTER_OTLP_PROTOCOL: expected one of http/protobuf, http/json; gRPC is not spoken",
      "OTEL_TRACES_EXPORTER: expected otlp or none",
      "OTEL_TRACES_SAMPLER: expected one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio",
      "OTEL_BSP_SCHEDULE_DELAY: is no whole number above 0",
      "OTEL_EXPORTER_OTLP_CERTIFICATE: names a file that cannot be read",
    ]);
  });

  test.each(["half", "-0.1", "1.5"])("A share of %s is none", (argument) => {
    const env = { ...endpoint, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: argument };
    expect(tracesProblems(env, () => undefined)).toEqual(["OTEL_TRACES_SAMPLER_ARG: is no number from 0 to 1"]);
  });
});

describe("The README's traces", () => {
  test("names the protocols and samplers that there are", () => {
    const told = (variable: string) => new RegExp(`^\\| \`${variable}\`.*$`, "m").exec(section)?.[0] ?? "";
    for (const protocol of ["http/protobuf", "http/json"]) {
      expect(told("OTEL_EXPORTER_OTLP_PROTOCOL")).toContain(`\`${protocol}\``);
    }
    for (const [, sampler = ""] of told("OTEL_TRACES_SAMPLER").matchAll(/`([a-z_]+)`/g)) {
      expect(tracesProblems({ ...endpoint, OTEL_TRACES_SAMPLER: sampler }, () => undefined)).toEqual([]);
    }
  });

  test("says how a trace is found from an operation's id", () => {
    const [, command = "", id = ""] = /`(printf (\S+) \| sha256sum \| cut -c1-32)`/.exec(section) ?? [];
    const printed = execFileSync("sh", ["-c", command], { encoding: "utf8" });
    expect(printed.trim()).toBe(traceIdsOf(id).trace);
  });
});
