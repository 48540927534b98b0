import type { FlowEnd, FlowItem, FlowRecord } from "../../src/flows/record.ts";

/** What an item says in one line, with everything that it says: for tests that a person reads. */
export function told(item: FlowItem): string {
  if (item.kind === "passed") return "passed";
  if (item.kind === "unreadable") return `unreadable: ${item.why}`;
  if (item.kind === "unsupported") return `unsupported: ${item.what}: ${item.advice}`;
  if (item.kind === "lost") return `lost ${item.count} at ${timeOf(item.atMs)} on ${item.node}`;
  return toldOf(item.record);
}

function toldOf(record: FlowRecord): string {
  const { verdict, direction = "-", protocol, count, unit, policies } = record;
  const words = [
    `${record.format}: ${verdict.kind}${"reason" in verdict ? ` (${verdict.reason})` : ""} ${direction} ${protocol}`,
    `${endOf(record.from, record.fromPort)} → ${endOf(record.to, record.toPort)}`,
    `${record.atLeast ? "at least " : ""}${count} ${unit}`,
    record.fromMs === record.toMs ? timeOf(record.toMs) : `${timeOf(record.fromMs)} to ${timeOf(record.toMs)}`,
    ...(record.isReply === undefined ? [] : [record.isReply ? "a reply" : "no reply"]),
    ...(record.isNew === undefined ? [] : [record.isNew ? "new" : "not new"]),
    ...policies.map(
      ({ kind, namespace, name }) => `by ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`,
    ),
    ...(record.dnsQuery === undefined ? [] : [`asks for ${record.dnsQuery}`]),
    ...(record.node === undefined ? [] : [`on ${record.node}`]),
    ...(record.id === undefined ? [] : [record.id]),
  ];
  return words.join(", ");
}

function endOf({ address, namespace, pod, workload, names, entity }: FlowEnd, port: number | undefined): string {
  const name = workload && `[${workload.kind ?? "?"} ${workload.name}${workload.prefix ? "*" : ""}]`;
  const known = [namespace && `${namespace}/${pod ?? ""}`, name, entity, ...names, address].filter(Boolean);
  return `${known.join(" ") || "?"}:${port ?? "-"}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
