import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { FlowEnd, FlowItem, FlowRecord } from "../../src/flows/record.ts";

/** What is wrong with an item against its type, at runtime, and against the bounds of its strings and numbers; [] where nothing is. */
export function problemsOf(item: FlowItem): readonly string[] {
  if (item.kind === "flow") return problemsOfRecord(item.record);
  if (item.kind === "lost") {
    return [
      ...wrong("count", isWhole(item.count, 0, most)),
      ...wrong("atMs", isTime(item.atMs)),
      ...wrong("node", isName(item.node)),
    ];
  }
  if (item.kind === "unreadable") return wrong("why", isText(item.why));
  if (item.kind === "unsupported") return wrong("what", isText(item.what) && isText(item.advice));
  return wrong("kind", item.kind === "passed");
}

const most = 2_000_000_000;
const formats = ["hubble", "goldmane", "aws-network-policy-agent", "antrea", "ovn", "gke", "kube-network-policies"];
const reasons = ["no-rule", "rule", "authentication", "l7", "unsaid"];
const protocols = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "unknown"];
const entities = [undefined, "host", "remote-node", "health", "kube-apiserver", "world", "private"];
const fields =
  "atLeast count direction dnsQuery format from fromMs fromPort id isNew isReply node policies protocol to toMs toPort unit verdict";

function problemsOfRecord(record: FlowRecord): readonly string[] {
  return [
    ...wrong("fields", Object.keys(record).toSorted().join(" ") === fields),
    ...wrong("format", formats.includes(record.format)),
    ...wrong("verdict", isVerdict(record.verdict)),
    ...wrong("protocol", protocols.includes(record.protocol)),
    ...wrong("fromPort", isPort(record.fromPort)),
    ...wrong("toPort", isPort(record.toPort)),
    ...wrong("direction", [undefined, "ingress", "egress"].includes(record.direction)),
    ...wrong("isReply", [undefined, true, false].includes(record.isReply)),
    ...wrong("isNew", [undefined, true, false].includes(record.isNew)),
    ...wrong("atLeast", typeof record.atLeast === "boolean"),
    ...wrong("time", isTime(record.fromMs) && isTime(record.toMs) && record.fromMs <= record.toMs),
    ...wrong("count", isWhole(record.count, 1, most)),
    ...wrong("unit", ["packets", "connections", "events"].includes(record.unit)),
    ...wrong("names", [record.id, record.node, record.dnsQuery].every(isName)),
    ...wrong("policies", record.policies.length <= 16 && record.policies.every(isPolicy)),
    ...problemsOfEnd("from", record.from),
    ...problemsOfEnd("to", record.to),
  ];
}

function problemsOfEnd(side: string, end: FlowEnd): readonly string[] {
  const { address, namespace, pod, workload, names, entity } = end;
  return [
    ...wrong(`${side}.fields`, Object.keys(end).toSorted().join(" ") === "address entity names namespace pod workload"),
    ...wrong(
      `${side}.address`,
      address === undefined || (isIP(address) > 0 && ipaddr.process(address).toString() === address),
    ),
    ...wrong(`${side}.namespace`, isName(namespace)),
    ...wrong(`${side}.pod`, isName(pod)),
    ...wrong(`${side}.workload`, workload === undefined || isWorkload(workload)),
    ...wrong(`${side}.names`, names.length <= 8 && names.every((name) => name !== undefined && isName(name))),
    ...wrong(`${side}.entity`, entities.includes(entity)),
  ];
}

function isVerdict(verdict: FlowRecord["verdict"]): boolean {
  if (verdict.kind === "forwarded") return true;
  return verdict.kind === "dropped" ? isText(verdict.reason) : reasons.includes(verdict.reason);
}

function isWorkload({ kind, name, prefix }: NonNullable<FlowEnd["workload"]>): boolean {
  return isName(kind) && isText(name) && (prefix === undefined || prefix === true);
}

function isPolicy({ kind, namespace, name }: FlowRecord["policies"][number]): boolean {
  return isName(kind) && isName(namespace) && isText(name);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= 253;
}

function isName(value: unknown): boolean {
  return value === undefined || isText(value);
}

function isPort(value: unknown): boolean {
  return value === undefined || isWhole(value, 1, 65_535);
}

function isWhole(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && Number(value) >= from && Number(value) <= to;
}

function isTime(value: unknown): boolean {
  return isWhole(value, Date.UTC(1999, 11, 31), Date.UTC(2200, 0));
}

function wrong(what: string, isRight: boolean): readonly string[] {
  return isRight ? [] : [what];
}
