import type { Environment } from "./config.ts";

/** How traces leave the bot. What is not here (the address, headers, certificates …) the exporter reads of the environment itself. */
export type TracesConfig = {
  readonly protocol: (typeof protocols)[number];
  /** The share of operations that are traced, 0 to 1. */
  readonly ratio: number;
  readonly batch: {
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
  };
};

/**
 * By OpenTelemetry's own variables (opentelemetry.io: SDK configuration). Undefined where nothing is traced: no address is
 * given, or it is switched off.
 */
export function tracesOf(env: Environment): TracesConfig | undefined {
  if (!isOn(env)) return undefined;
  return {
    protocol: protocols.find((one) => one === protocolOf(env)) ?? "http/protobuf",
    ratio: ratioOf(env) ?? 1,
    batch: {
      scheduledDelayMillis: numberOf(env, "OTEL_BSP_SCHEDULE_DELAY") ?? 5_000,
      exportTimeoutMillis: numberOf(env, "OTEL_BSP_EXPORT_TIMEOUT") ?? 30_000,
      maxQueueSize: numberOf(env, "OTEL_BSP_MAX_QUEUE_SIZE") ?? 2_048,
      maxExportBatchSize: numberOf(env, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE") ?? 512,
    },
  };
}

/** What is wrong with those variables, none of whose values is shown; of what is switched off nothing is. */
export function tracesProblems(env: Environment, read: (path: string) => string | undefined): readonly string[] {
  if (!isOn(env)) return [];
  const notUrl = endpoints.filter((name) => given(env, name) && !/^https?:\/\//i.test(env[name] ?? ""));
  const notNumber = batchVariables.filter((name) => given(env, name) && numberOf(env, name) === undefined);
  const unread = certificates.filter((name) => given(env, name) && read(env[name] ?? "") === undefined);
  const exporter = env["OTEL_TRACES_EXPORTER"] || "otlp";
  return [
    ...notUrl.map((name) => `${name}: is no address such as http://host:4318`),
    ...(protocols.some((one) => one === protocolOf(env)) ? [] : [`${protocolVariable(env)}: ${onlyProtocols}`]),
    ...(exporter === "otlp" ? [] : ["OTEL_TRACES_EXPORTER: expected otlp or none"]),
    ...(samplerOf(env) in ratios ? [] : [`OTEL_TRACES_SAMPLER: expected one of ${Object.keys(ratios).join(", ")}`]),
    ...(ratioOf(env) === undefined ? ["OTEL_TRACES_SAMPLER_ARG: is no number from 0 to 1"] : []),
    ...notNumber.map((name) => `${name}: is no whole number above 0`),
    ...unread.map((name) => `${name}: names a file that cannot be read`),
  ];
}

const protocols = ["http/protobuf", "http/json"] as const;
const onlyProtocols = `expected one of ${protocols.join(", ")}; gRPC is not spoken`;

const endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const batchVariables = [
  "OTEL_BSP_SCHEDULE_DELAY",
  "OTEL_BSP_EXPORT_TIMEOUT",
  "OTEL_BSP_MAX_QUEUE_SIZE",
  "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
];
const certificates = ["OTEL_EXPORTER_OTLP", "OTEL_EXPORTER_OTLP_TRACES"].flatMap((prefix) =>
  ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"].map((name) => `${prefix}_${name}`),
);

/** An empty variable counts as one that is not set, as the specification has it. */
function given(env: Environment, name: string): boolean {
  return (env[name] ?? "") !== "";
}

function isOn(env: Environment): boolean {
  const isDisabled = env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true";
  return endpoints.some((name) => given(env, name)) && !isDisabled && env["OTEL_TRACES_EXPORTER"] !== "none";
}

function protocolVariable(env: Environment): string {
  const own = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
  return given(env, own) ? own : "OTEL_EXPORTER_OTLP_PROTOCOL";
}

function protocolOf(env: Environment): string {
  return env[protocolVariable(env)] || "http/protobuf";
}

/** The trace of an operation has no parent from elsewhere, so that `parentbased` changes nothing. */
const ratios: Readonly<Record<string, number | "argument">> = {
  always_on: 1,
  always_off: 0,
  traceidratio: "argument",
  parentbased_always_on: 1,
  parentbased_always_off: 0,
  parentbased_traceidratio: "argument",
};

function samplerOf(env: Environment): string {
  return env["OTEL_TRACES_SAMPLER"] || "parentbased_always_on";
}

/** Undefined where the argument is needed and is no such number; without one it is 1. */
function ratioOf(env: Environment): number | undefined {
  const ratio = ratios[samplerOf(env)] ?? 1;
  if (ratio !== "argument") return ratio;
  const argument = Number(env["OTEL_TRACES_SAMPLER_ARG"] || "1");
  return argument >= 0 && argument <= 1 ? argument : undefined;
}

function numberOf(env: Environment, name: string): number | undefined {
  const value = env[name] ?? "";
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;
}
