import { expect, test } from "vitest";
import { itemsOfGoldmane } from "../../src/flows/goldmane-flow.ts";
import type { FlowRecord } from "../../src/flows/record.ts";

const carried = { atMs: Date.UTC(2026, 6, 15) };
const endOfTier = { kind: "EndOfTier", tier: "default", action: "Deny", rule_index: "-1", trigger: { name: "some" } };
const allowed = { kind: "NetworkPolicy", namespace: "db", name: "allow-api", action: "Allow" };
const denying = {
  kind: "GlobalNetworkPolicy",
  name: "deny-internet",
  tier: "security",
  action: "Deny",
  rule_index: "2",
};
const staged = { kind: "StagedNetworkPolicy", namespace: "db", name: "soon", action: "Deny", rule_index: "0" };

const base = {
  source_name: "web-645b68dcf7-*",
  source_namespace: "shop",
  source_type: "WorkloadEndpoint",
  dest_name: "pg-*",
  dest_namespace: "db",
  dest_type: "WorkloadEndpoint",
  dest_port: "5432",
  proto: "tcp",
  reporter: "Dst",
  action: "Deny",
};
const window = { start_time: "1784079000", end_time: "1784079015", num_connections_started: "42", packets_in: "84" };

function itemsOf(key: object, flow: object = {}) {
  return itemsOfGoldmane({ Key: { ...base, ...key }, ...window, ...flow }, carried);
}

function recordOf(key: object, flow: object = {}): FlowRecord {
  const [item, ...more] = itemsOf(key, flow);
  if (item?.kind !== "flow" || more.length > 0) throw new Error(`It became ${JSON.stringify([item, ...more])}`);
  return item.record;
}

test.each([
  [{ policies: { enforced_policies: [allowed, endOfTier] } }, "no-rule", []],
  [
    { policies: { enforced_policies: [denying] } },
    "rule",
    [{ kind: "GlobalNetworkPolicy", namespace: undefined, name: "deny-internet" }],
  ],
  [{ policies: { enforced_policies: [{ kind: 9, action: 2, name: "kns.shop" }] } }, "no-rule", []],
  [
    { policies: { enforced_policies: [{ kind: 99, action: 2, name: "newer" }] } },
    "rule",
    [{ kind: undefined, namespace: undefined, name: "newer" }],
  ],
  [{ policies: { enforced_policies: [] } }, "unsaid", []],
  [{}, "unsaid", []],
])("%j is denied for %s, by %j", (key, reason, policies) => {
  expect(recordOf(key)).toMatchObject({ verdict: { kind: "denied", reason }, policies });
});

test("A staged policy that would deny what is allowed makes it audited, and names itself", () => {
  const policies = { enforced_policies: [allowed], pending_policies: [staged] };
  expect(recordOf({ action: "Allow", policies })).toMatchObject({
    verdict: { kind: "audited", reason: "rule" },
    policies: [{ kind: "StagedNetworkPolicy", namespace: "db", name: "soon" }],
  });
  const atEnd = { enforced_policies: [allowed], pending_policies: [endOfTier] };
  expect(recordOf({ action: 1, policies: atEnd }).verdict).toEqual({ kind: "audited", reason: "no-rule" });
  expect(recordOf({ policies: { enforced_policies: [endOfTier], pending_policies: [allowed] } }).verdict.kind).toBe(
    "denied",
  );
});

test.each([
  [{ reporter: "Src", action: "Deny" }, "denied", "egress"],
  [{ reporter: "Dst", action: "Deny" }, "denied", "ingress"],
  [{ reporter: 1, action: 2 }, "denied", "egress"],
  [{ reporter: "Dst", action: "Allow" }, "forwarded", "ingress"],
  [{ reporter: "Src", action: "Allow", dest_type: "Network", dest_name: "pub" }, "forwarded", "egress"],
  [{ reporter: "Src", action: 1, dest_type: 3 }, "forwarded", "egress"],
])("%j is %s, %s", (key, kind, direction) => {
  expect(recordOf(key)).toMatchObject({ verdict: { kind }, direction });
});

test.each([
  { reporter: "Src", action: "Allow" },
  { reporter: "Src", action: "Allow", dest_type: "HostEndpoint" },
  { reporter: "Dst", action: "Pass" },
  { reporter: "Dst", action: 0 },
  { reporter: "Dst", action: 77 },
])("%j leaves it to another, or says nothing", (key) => {
  expect(itemsOf(key)).toEqual([{ kind: "passed" }]);
});

test("It counts connections that began, else packets, over its window", () => {
  const times = { fromMs: 1_784_079_000_000, toMs: 1_784_079_015_000 };
  expect(recordOf({})).toMatchObject({ count: 42, unit: "connections", isNew: true, ...times });
  const packets = { num_connections_started: "0", packets_in: "84", packets_out: 3 };
  expect(recordOf({}, packets)).toMatchObject({ count: 87, unit: "packets", isNew: undefined, ...times });
  expect(itemsOf({}, { num_connections_started: 0, packets_in: 0 })).toEqual([{ kind: "passed" }]);
  expect(recordOf({}, { start_time: null, end_time: "soon" })).toMatchObject({
    fromMs: carried.atMs,
    toMs: carried.atMs,
  });
  expect(recordOf({}, { start_time: 1_784_079_030 })).toMatchObject({ fromMs: times.toMs, toMs: times.toMs });
});

test.each([
  [{}, { namespace: "shop", pod: undefined, workload: { kind: undefined, name: "web-645b68dcf7-", prefix: true } }],
  [{ source_name: "web-0" }, { namespace: "shop", pod: "web-0", workload: undefined }],
  [{ source_name: "-" }, { namespace: "shop", pod: undefined, workload: undefined, entity: undefined }],
  [
    { source_type: 4, source_name: "pub", source_namespace: "-" },
    { entity: "world", namespace: undefined },
  ],
  [{ source_type: "Network", source_name: "pvt", source_namespace: "-" }, { entity: "private" }],
  [
    { source_type: 2, source_name: "node-1" },
    { entity: "host", workload: undefined },
  ],
  [{ source_type: 3, source_name: "partners" }, { workload: { kind: "NetworkSet", name: "partners" } }],
  [
    { source_type: 3, source_name: "partners", source_namespace: "-" },
    { workload: { kind: "GlobalNetworkSet", name: "partners" } },
  ],
])("The source %j is %j", (key, end) => {
  expect(recordOf(key).from).toMatchObject(end);
});

test("What has no key is unreadable", () => {
  expect(itemsOfGoldmane({ start_time: 1 }, carried)).toMatchObject([{ kind: "unreadable" }]);
  expect(itemsOfGoldmane("text", carried)).toMatchObject([{ kind: "unreadable" }]);
});
