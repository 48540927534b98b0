import { expect, test } from "vitest";
import { createFlowReader } from "../../src/flows/formats.ts";
import type { FlowItem } from "../../src/flows/record.ts";
import { itemsOf, sample } from "./samples.ts";
import { told } from "./told.ts";

const atMs = Date.UTC(2026, 6, 15, 3);

function itemOf(line: string | object): FlowItem | undefined {
  return createFlowReader().read(line, { atMs })[0];
}

function recordOf(line: string | object) {
  const item = itemOf(line);
  if (item?.kind !== "flow") throw new Error(`It became ${JSON.stringify(item)}`);
  return item.record;
}

const aws = (rest: string) => ({
  ts: "2026-07-15T01:30:10Z",
  msg: `Flow Info: Src IP: 10.0.0.1 Src Port: 1 Dest IP: 10.0.0.2 Dest Port: 2 ${rest}`,
});

test.each([
  ["Proto ICMP Verdict DENY Direction egress", { protocol: "ICMP", verdict: { kind: "denied", reason: "unsaid" } }],
  ["Proto ANY PROTOCOL Verdict DENY Direction ingress, Tier ERROR", { protocol: "unknown", direction: "ingress" }],
  ["Proto TCP Verdict DENY Direction egress, Tier ADMIN", { verdict: { kind: "denied", reason: "rule" } }],
  ["Proto TCP Verdict ACCEPT Direction egress", { verdict: { kind: "forwarded" } }],
])("AWS: %s", (rest, expected) => {
  expect(recordOf(aws(rest))).toMatchObject(expected);
});

test("AWS: ICMP of IPv6 is ICMPv6, and what has expired says nothing", () => {
  const ipv6 =
    "Flow Info: Src IP: 2001:DB8::0:1 Src Port: 0 Dest IP: ::ffff:10.0.0.2 Dest Port: 0 Proto: ICMP Verdict: DENY Direction: egress";
  expect(recordOf({ msg: ipv6 })).toMatchObject({
    protocol: "ICMPv6",
    from: { address: "2001:db8::1" },
    to: { address: "10.0.0.2" },
    fromPort: undefined,
  });
  expect(itemOf(aws("Proto TCP Verdict EXPIRED/DELETED Direction egress"))).toEqual({ kind: "passed" });
});

const ovn = (
  name: string,
  rest = "verdict=drop, severity=alert, direction=from-lport: tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=1,tp_dst=2",
) => `2026-07-15T01:30:10.441Z|00162|acl_log(ovn_pinctrl0)|INFO|name="${name}", ${rest}`;

test.each([
  ["NP:db:Egress", { verdict: { reason: "no-rule" }, policies: [], from: { namespace: "db" } }],
  [
    "ANP:control:Egress:5",
    { verdict: { reason: "rule" }, policies: [{ kind: "AdminNetworkPolicy", name: "control" }] },
  ],
  [`ANP:${"x".repeat(59)}`, { verdict: { reason: "rule" }, policies: [] }],
  ["BANP:default:Egress:0", { policies: [{ kind: "BaselineAdminNetworkPolicy", name: "default" }] }],
  ["EF:shop:3", { verdict: { reason: "rule" }, policies: [], from: { namespace: "shop" } }],
  [`NP:${"n".repeat(60)}`, { verdict: { reason: "no-rule" }, from: { namespace: undefined } }],
  ["", { verdict: { reason: "no-rule" }, policies: [] }],
])("OVN: what an ACL named %s drops", (name, expected) => {
  expect(recordOf(ovn(name))).toMatchObject({ ...expected, atLeast: true });
});

test("OVN: IPv6, flags, and verdicts that let through", () => {
  const ipv6 =
    "verdict=reject, severity=info, direction=to-lport: tcp6,ipv6_src=fd00::1,ipv6_dst=fd00::2,tp_src=1,tp_dst=2,tcp_flags=syn|ack";
  expect(recordOf(ovn("NP:db:Ingress", ipv6))).toMatchObject({
    from: { address: "fd00::1" },
    protocol: "TCP",
    isNew: false,
    direction: "ingress",
  });
  const related =
    "verdict=allow-related, severity=info, direction=to-lport: udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_src=1,tp_dst=2";
  expect(recordOf(ovn("NP:db:p:Ingress:0", related)).verdict).toEqual({ kind: "forwarded" });
  expect(itemOf(ovn("x", related.replace("allow-related", "pass")))).toEqual({ kind: "passed" });
});

test("Antrea: the pod is at the side that the policy applies to, and a window ends at the line's time", () => {
  const line =
    "2026/07/15 01:30:14.000001 EgressDefaultRule K8sNetworkPolicy <nil> Egress Drop <nil> shop/web-1 10.0.0.1 39582 10.0.0.2 53 UDP 71 <nil> [5 packets in 1.5s]";
  const toMs = Date.UTC(2026, 6, 15, 1, 30, 14);
  expect(recordOf(line)).toMatchObject({
    from: { pod: "web-1" },
    to: { pod: undefined },
    count: 5,
    fromMs: toMs - 1500,
    toMs,
  });
  expect(recordOf(line.replace("shop/web-1", "<nil>")).from).toMatchObject({ pod: undefined, namespace: undefined });
  expect(recordOf(line.replace("K8sNetworkPolicy", "AdminNetworkPolicy:anp")).policies).toEqual([
    { kind: "AdminNetworkPolicy", namespace: undefined, name: "anp" },
  ]);
});

test("GKE: an entry of Cloud Logging has an id, so that it counts once where it is sent again", () => {
  const [entry = ""] = sample("gke-policy-action.logentry.ndjson").split("\n");
  expect(recordOf(entry)).toMatchObject({ id: "1abcd00", node: "gke-demo-default-pool-e8df3298-412p" });
});

test("GKE: a node is the one on which it was seen, or another", () => {
  const entry = JSON.parse(sample("gke-policy-action.ndjson").split("\n")[2] ?? "");
  expect(recordOf({ ...entry, node_name: entry.dest.node_name }).to.entity).toBe("host");
  expect(recordOf({ ...entry, node_name: "another" }).to.entity).toBe("remote-node");
});

const evaluating = (id: number, port = 80) => ({
  ts: 1_784_079_000_000.5,
  caller: "logging.go:67",
  msg: "Evaluating packet",
  id,
  srcPod: "shop/web",
  dstPod: "external",
  packet: { SrcIP: "10.0.0.1", DstIP: "1.1.1.1", Proto: "TCP", SrcPort: 1, DstPort: port },
});
const denied = (id: number) => ({
  ts: 1_784_079_000_001.5,
  caller: "engine.go:57",
  msg: "Packet denied by egress policy",
  id,
});

test("kube-network-policies: packets of several nodes are joined by node and id", () => {
  const reader = createFlowReader();
  const from = (node: string) => ({ atMs, node });
  reader.read(evaluating(9, 80), from("a"));
  reader.read(evaluating(9, 443), from("b"));
  expect(reader.read(denied(9), from("b"))).toMatchObject([
    { record: { toPort: 443, node: "b", toMs: 1_784_079_000_001 } },
  ]);
  expect(reader.read(denied(9), from("a"))).toMatchObject([{ record: { toPort: 80, node: "a" } }]);
  expect(reader.read(denied(9), from("a"))).toMatchObject([{ kind: "unreadable" }]);
});

test("kube-network-policies: of packets that are never decided the oldest are forgotten", () => {
  const reader = createFlowReader();
  for (let id = 0; id < 5_000; id += 1) reader.read(evaluating(id), { atMs });
  expect(reader.read(denied(1), { atMs })).toMatchObject([{ kind: "unreadable" }]);
  expect(reader.read(denied(4_999), { atMs })).toMatchObject([{ kind: "flow" }]);
});

test("kube-network-policies: text of the last day of a year is of that year", () => {
  const text = sample("kube-network-policies.klog.txt").replaceAll("I0712", "I1231");
  const reader = createFlowReader();
  const items = text
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => reader.read(line, { atMs: Date.UTC(2027, 0, 1) }));
  expect(items.at(-1)).toMatchObject({ record: { toMs: Date.UTC(2026, 11, 31, 9, 53, 52, 257) } });
});

test("A line of nothing that is known is unreadable, and says so without the line's own words", () => {
  for (const line of ["hello", "{}", '{"a":1}', "null", '"text"', "<!channel>"])
    expect(itemsOf(line).map(told).join(), line).toMatch(/^unreadable: [A-Z][a-z ,:.]+$/);
});
