import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** A span as the collector got it, with its attributes as a plain object. */
export type SpanSeen = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly links: readonly string[];
  /** 2 is an error. */
  readonly status: number | undefined;
  readonly resource: Readonly<Record<string, unknown>>;
};

type Attribute = { readonly key: string; readonly value: Readonly<Record<string, unknown>> };
type Attributed = { readonly attributes?: readonly Attribute[] };
type RawSpan = Attributed & {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly events?: readonly { readonly name: string }[];
  readonly links?: readonly { readonly traceId: string }[];
  readonly status?: { readonly code?: number };
};
type Exported = {
  readonly resourceSpans: readonly {
    readonly resource?: Attributed;
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
};

/** An OTLP collector: what was posted to /v1/traces as JSON, decoded, and everything as it came. */
export async function startCollector() {
  const spans: SpanSeen[] = [];
  const calls: { readonly path: string; readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }[] =
    [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      calls.push({ path: request.url ?? "", headers: request.headers, body });
      if (request.headers["content-type"] === "application/json") spans.push(...spansIn(JSON.parse(body)));
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    spans,
    calls,
    /** The names of the spans from the first one of the trace down to this one. */
    way(span: SpanSeen): readonly string[] {
      const above = spans.find(({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId);
      return above === undefined ? [span.name] : [...this.way(above), span.name];
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function spansIn({ resourceSpans }: Exported): readonly SpanSeen[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => seen(span, attributesOf(resource)))),
  );
}

function seen(span: RawSpan, resource: SpanSeen["resource"]): SpanSeen {
  const { traceId, spanId, parentSpanId = "", name, events = [], links = [], status } = span;
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
    endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
    attributes: attributesOf(span),
    events: events.map((event) => event.name),
    links: links.map((link) => link.traceId),
    status: status?.code,
    resource,
  };
}

function attributesOf({ attributes = [] }: Attributed = {}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
