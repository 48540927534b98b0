import { type Fields, fieldsOf } from "./fields.ts";
import type { FlowItem } from "./record.ts";

/** The fields by which other tools' objects are known. */
export type OtherObject = Fields<
  | "kind"
  | "reason"
  | "resourceLogs"
  | "hits"
  | "streams"
  | "data"
  | "items"
  | "source_name_aggr"
  | "dest_name_aggr"
  | "reporter"
  | "policies"
  | "dest_name"
>;

/** What an object is that tells of denied flows and is not read (facts: denied-flows §1-5), with what to send instead; undefined: unknown. */
export function otherObject(object: OtherObject): FlowItem | undefined {
  return kinds.find(([isOne]) => isOne(object))?.[1];
}

/** The same of a line of text. */
export function otherText(line: string): FlowItem | undefined {
  if (line.startsWith("data: {") && line.includes('"dest_name"')) return whisker;
  if (kernelLine.test(line)) return calicoLog;
  return policyEndpointText.test(line) ? policyEndpoint : undefined;
}

/** What Linux' LOG target writes. */
const kernelLine = /IN=\S{0,20} OUT=\S{0,20} .{0,120}SRC=[\da-fA-F.:]{2,45} DST=[\da-fA-F.:]{2,45} .{0,120}PROTO=/;
const policyEndpointText = /^kind: PolicyEndpoint\s{0,4}$/m;

function isWhisker({ reporter, policies, dest_name }: OtherObject): boolean {
  return (
    typeof reporter === "string" && dest_name !== undefined && fieldsOf<"enforced">(policies).enforced !== undefined
  );
}

function isWhiskerList({ items }: OtherObject): boolean {
  return Array.isArray(items) && isWhisker(fieldsOf(items[0]));
}

const calicoEnterprise = unsupported(
  "Calico Enterprise flow logs",
  "Follow Goldmane instead, where the cluster has it.",
);
const calicoLog = unsupported(
  "Kernel lines of Calico's rule action Log",
  "They do not say whether a packet was denied. Follow Goldmane (Calico 3.30 and later) instead.",
);
const packetDrop = unsupported(
  "Cilium's PacketDrop events",
  "They are limited to one for a flow in two minutes. Follow the Hubble relay, or send Hubble's export.",
);
const otlp = unsupported("OpenTelemetry logs (OTLP)", "Send the lines themselves by HTTP, as NDJSON or a JSON array.");
const elasticsearch = unsupported(
  "An answer of Elasticsearch or OpenSearch",
  "Have the agent that fills it send the same lines here as well.",
);
const lokiTail = unsupported(
  "Frames of Loki's tail",
  "Loki may leave lines out of it. Configure Loki as a source: its query_range is polled.",
);
const lokiMetric = unsupported(
  "A metric answer of Loki",
  "Ask for the lines themselves: a query without count_over_time and the like.",
);
const whisker = unsupported("Flows of Calico's Whisker", "They come from Goldmane: follow that instead.");
const policyEndpoint = unsupported(
  "A PolicyEndpoint of AWS",
  "It says what a policy selects, not what is denied. Send the log of the AWS network policy agent.",
);

function unsupported(what: string, advice: string): FlowItem {
  return { kind: "unsupported", what, advice };
}

const metricTypes: readonly unknown[] = ["matrix", "vector", "scalar"];

const kinds: readonly (readonly [(object: OtherObject) => boolean, FlowItem])[] = [
  [
    ({ source_name_aggr, dest_name_aggr }) => source_name_aggr !== undefined && dest_name_aggr !== undefined,
    calicoEnterprise,
  ],
  [({ kind, reason }) => kind === "Event" && reason === "PacketDrop", packetDrop],
  [({ kind }) => kind === "PolicyEndpoint", policyEndpoint],
  [({ resourceLogs }) => Array.isArray(resourceLogs), otlp],
  [({ hits }) => Array.isArray(fieldsOf<"hits">(hits).hits), elasticsearch],
  [({ streams }) => Array.isArray(streams), lokiTail],
  [({ data }) => metricTypes.includes(fieldsOf<"resultType">(data).resultType), lokiMetric],
  [(object) => isWhisker(object) || isWhiskerList(object), whisker],
];
