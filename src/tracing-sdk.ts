import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { ROOT_CONTEXT, type Span, SpanStatusCode, TraceFlags, type Tracer, trace } from "@opentelemetry/api";
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import {
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Phase } from "./commands/tracing.ts";
import type { TracesConfig } from "./config-traces.ts";
import { type TraceIds, traceIdsOf } from "./trace-ids.ts";
import type { OpenTracing, TracingOptions } from "./tracing.ts";

/**
 * Traces by OpenTelemetry's SDK, sent as OTLP over HTTP. Spans wait in a bounded queue and are dropped where it is full;
 * nothing waits for the collector. The provider is nobody else's: nothing global is set.
 */
export async function createTracing(config: TracesConfig, options: TracingOptions): Promise<OpenTracing> {
  const exporter = told(await exporterFor(config.protocol), options.onProblem);
  const ids = createIds();
  const provider = new TracerProvider({
    resource: resourceOf(options.replica),
    // A trace's id decides, so that all replicas decide alike for all spans of an operation.
    sampler: new TraceIdRatioBasedSampler(config.ratio),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...config.batch })],
  });
  const tracer = provider.getTracer("bulkhead");
  const current = new AsyncLocalStorage<Span>();
  return {
    phase: (phase, work) => runIn(current, startPhase({ tracer, ids }, phase, current.getStore()), work),
    span(name, attributes, work) {
      const parent = current.getStore();
      if (parent === undefined) return work();
      return runIn(current, tracer.startSpan(name, { attributes }, below(parent)), work);
    },
    past(name, startedAt, endedAt) {
      const parent = current.getStore();
      if (parent === undefined) return;
      tracer.startSpan(name, { startTime: new Date(startedAt) }, below(parent)).end(new Date(endedAt));
    },
    set: (attributes) => void current.getStore()?.setAttributes(attributes),
    event: (name) => void current.getStore()?.addEvent(name),
    async close(withinMs) {
      const late = wait(withinMs, undefined, { ref: false });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

async function exporterFor(protocol: TracesConfig["protocol"]): Promise<SpanExporter> {
  const { OTLPTraceExporter } =
    protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter();
}

/** The SDK itself keeps quiet about what it could not send. */
function told(exporter: SpanExporter, onProblem: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) onProblem(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

/** OTEL_SERVICE_NAME before OTEL_RESOURCE_ATTRIBUTES before Bulkhead's own. */
function resourceOf(replica: string): Resource {
  const own = resourceFromAttributes({ "service.name": "bulkhead", "service.instance.id": replica });
  const given = detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] });
  return defaultResource().merge(own).merge(given);
}

type Ids = IdGenerator & {
  /** Gives these ids to the root span that `start` starts. */
  as(ids: TraceIds, start: () => Span): Span;
};

/** The SDK takes ids from a generator alone, and asks it while a span starts. */
function createIds(): Ids {
  const random = new RandomIdGenerator();
  let given: TraceIds | undefined;
  return {
    generateTraceId: () => given?.trace ?? random.generateTraceId(),
    generateSpanId: () => given?.root ?? random.generateSpanId(),
    as(ids, start) {
      given = ids;
      try {
        return start();
      } finally {
        given = undefined;
      }
    },
  };
}

/** Below the span that runs where that is of the same operation; else below the operation's first one, whoever wrote that. */
function startPhase({ tracer, ids }: { tracer: Tracer; ids: Ids }, phase: Phase, running: Span | undefined): Span {
  const own = traceIdsOf(phase.operation);
  const startTime = phase.startedAt === undefined ? {} : { startTime: new Date(phase.startedAt) };
  const options = { attributes: phase.attributes, ...startTime };
  if (running?.spanContext().traceId === own.trace) return tracer.startSpan(phase.name, options, below(running));
  const linked = running === undefined ? options : { ...options, links: [{ context: running.spanContext() }] };
  if (phase.begins) return ids.as(own, () => tracer.startSpan(phase.name, linked, ROOT_CONTEXT));
  const root = { traceId: own.trace, spanId: own.root, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return tracer.startSpan(phase.name, linked, below(trace.wrapSpanContext(root)));
}

function below(parent: Span) {
  return trace.setSpan(ROOT_CONTEXT, parent);
}

/** Of an error only its kind is said: its message may hold what somebody typed. */
async function runIn<T>(current: AsyncLocalStorage<Span>, span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await current.run(span, work);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
    throw error;
  } finally {
    span.end();
  }
}
