import { type Fields, fieldsOf, momentOf, nameIn, timeIn, wholeIn } from "./fields.ts";
import type { Carried } from "./record.ts";

/** A line, or an object that was read from one, with what its envelope says of it. */
export type Entry = { readonly entry: string | object; readonly carried: Partial<Carried> };

/**
 * What an object carries that is no flow itself (facts: denied-flows §5): what `answered` opens, an entry of Google's Cloud
 * Logging, and the records in which Fluent Bit, Vector and Docker put a line; undefined where it is none.
 */
export function opened(object: object): readonly Entry[] | undefined {
  const carrier: Carrier = fieldsOf(object);
  const isLogEntry = carrier.textPayload !== undefined || carrier.jsonPayload !== undefined;
  return answered(object) ?? (isLogEntry ? ofLogEntry(carrier) : ofRecord(carrier));
}

/** The lines of an answer: of Loki's query_range, or with events of CloudWatch; undefined where it is none. */
export function answered(object: object): readonly Entry[] | undefined {
  const carrier: Carrier = fieldsOf(object);
  const { resultType, result } = fieldsOf<"resultType" | "result">(carrier.data);
  if (resultType === "streams" && Array.isArray(result)) return ofLoki(result);
  const events = carrier.logEvents ?? carrier.events;
  return Array.isArray(events) ? events.flatMap((event) => ofRecord(fieldsOf(event)) ?? []) : undefined;
}

type Carrier = Fields<
  | "data"
  | "logEvents"
  | "events"
  | "textPayload"
  | "jsonPayload"
  | "resource"
  | "log_processed"
  | "log"
  | "message"
  | "MESSAGE"
  | "date"
  | "timestamp"
  | "@timestamp"
  | "time"
  | "kubernetes"
  | "_HOSTNAME"
  | "host"
  | "hostname"
>;

/** Oldest first, whichever way was asked for: lines that belong together come in their order. */
function ofLoki(streams: readonly unknown[]): readonly Entry[] {
  const lines = streams.flatMap((one) => {
    const { stream, values } = fieldsOf<"stream" | "values">(one);
    const { node_name, node } = fieldsOf<"node_name" | "node">(stream);
    return (Array.isArray(values) ? values : []).map((value) => lineOfLoki(value, nameIn(node_name) ?? nameIn(node)));
  });
  return lines.toSorted((one, other) => (one.ns < other.ns ? -1 : one.ns > other.ns ? 1 : 0));
}

/** `[nanoseconds, line]`; today's nanoseconds, and those of the next 250 years, have 19 digits, so that texts compare as numbers do. */
function lineOfLoki(value: unknown, node: string | undefined): Entry & { readonly ns: string } {
  const [at, line] = Array.isArray(value) ? value : [];
  const ns = typeof at === "string" ? at : "";
  return { ns, entry: entryIn(line) ?? "", carried: carriedBy(momentOf(wholeIn(ns.slice(0, -6)) ?? 0), node) };
}

function ofLogEntry({ textPayload, jsonPayload, timestamp, resource }: Carrier): readonly Entry[] {
  const { node_name } = fieldsOf<"node_name">(fieldsOf<"labels">(resource).labels);
  return [
    { entry: entryIn(jsonPayload ?? textPayload) ?? "", carried: carriedBy(timeIn(timestamp), nameIn(node_name)) },
  ];
}

/** A line lies in `log` (Fluent Bit, Docker), `message` (Vector, CloudWatch), `MESSAGE` (the journal), or is read there already. */
function ofRecord(record: Carrier): readonly Entry[] | undefined {
  const entry = [record.log_processed, record.log, record.message, record.MESSAGE]
    .map(entryIn)
    .find((one) => one !== undefined);
  if (entry === undefined) return undefined;
  const at = [record.date, record.timestamp, record["@timestamp"], record.time]
    .map(agentTimeIn)
    .find((one) => one !== undefined);
  return [{ entry, carried: carriedBy(at, nodeOf(record)) }];
}

function entryIn(value: unknown): string | object | undefined {
  return typeof value === "string" || (typeof value === "object" && value !== null) ? value : undefined;
}

/** Fluent Bit's `date` is seconds with a fraction unless it is set otherwise, CloudWatch's time milliseconds, others' RFC 3339. */
function agentTimeIn(value: unknown): number | undefined {
  if (typeof value !== "number") return timeIn(value);
  return momentOf(value < firstInMs ? value * 1000 : value);
}

/** As seconds it would be far beyond any calendar here. */
const firstInMs = 100_000_000_000;

function nodeOf({ kubernetes, _HOSTNAME, host, hostname }: Carrier): string | undefined {
  const pod = fieldsOf<"host" | "pod_node_name" | "node_name">(kubernetes);
  return [pod.host, pod.pod_node_name, pod.node_name, _HOSTNAME, host, hostname]
    .map(nameIn)
    .find((name) => name !== undefined);
}

function carriedBy(atMs: number | undefined, node: string | undefined): Partial<Carried> {
  return { ...(atMs === undefined ? {} : { atMs }), ...(node === undefined ? {} : { node }) };
}
