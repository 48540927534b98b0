import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keyOfText, textOf } from "../../src/flows/flow-key.ts";
import { createPodAddresses } from "../../src/flows/pod-addresses.ts";
import type { FlowEnd, FlowRecord } from "../../src/flows/record.ts";
import { createSettled } from "../../src/flows/settled.ts";
import { sight } from "../../src/flows/sight.ts";
import { aFlow, aPod, nobody, noon } from "./flow.ts";

const cluster = "kind";
const pod: FlowEnd = { ...nobody, address: "10.0.0.1" };
const outside: FlowEnd = { ...nobody, address: "203.0.113.9" };

function known() {
  const addresses = createPodAddresses();
  addresses.saw(cluster, aPod(), noon - 1_800_000);
  return { addresses, settled: createSettled() };
}

function classOf(over: Partial<FlowRecord>, given = known()) {
  return sight(cluster, aFlow(over), given).key?.class;
}

function placeOf(from: FlowEnd, given: Parameters<typeof sight>[2] = known()) {
  return sight(cluster, aFlow({ from }), given).from;
}

const web = { kind: "workload", namespace: "shop", of: "Deployment", name: "web" };

describe("An end of a flow", () => {
  test("is the workload of the pod that the source names, or whose address it is", () => {
    expect(placeOf(pod)).toEqual(web);
    expect(placeOf({ ...nobody, namespace: "shop", pod: "web-645b68dcf7-abcde" })).toEqual(web);
  });

  test("is the workload that the source names: its ReplicaSet, or what its pods' names begin with", () => {
    const said = (workload: FlowEnd["workload"], given = known()) =>
      placeOf({ ...nobody, namespace: "shop", workload }, given);
    expect(said({ kind: "ReplicaSet", name: "web-645b68dcf7" })).toEqual(web);
    expect(said({ kind: undefined, name: "web-645b68dcf7-", prefix: true })).toEqual(web);
    expect(said({ kind: undefined, name: "api-7d9f6c5b48-", prefix: true })).toMatchObject({ name: "api" });
    expect(said({ kind: undefined, name: "web" })).toEqual(web);
    const given = known();
    const db = aPod({
      name: "db-0",
      labels: {},
      podIPs: [],
      controller: { kind: "StatefulSet", name: "db", uid: "x" },
    });
    given.addresses.saw(cluster, db, noon);
    expect(said({ kind: undefined, name: "db-", prefix: true }, given)).toMatchObject({
      of: "StatefulSet",
      name: "db",
    });
    expect(said({ kind: undefined, name: "my-db-", prefix: true })).toMatchObject({ of: "Pods", name: "my-db" });
  });

  test("is the Deployment that its name shows, though nobody saw the pod", () => {
    expect(placeOf({ ...nobody, namespace: "x", pod: "api-7d9f6c5b48-x2x4z" })).toMatchObject({ name: "api" });
  });

  test("is a Service, a node, a name, a range of addresses, or what the source calls it", () => {
    const given = {
      ...known(),
      services: { at: () => ({ namespace: "shop", name: "front" }), hasPort: () => false },
    };
    expect(placeOf({ ...nobody, address: "10.96.0.1" }, given)).toMatchObject({ of: "Service", name: "front" });
    expect(placeOf({ ...nobody, address: "192.168.0.1" })).toEqual({ kind: "node" });
    expect(placeOf({ ...nobody, address: "192.168.7.7", entity: "remote-node" })).toEqual({ kind: "node" });
    expect(placeOf({ ...outside, names: ["api.example.com"] })).toEqual({ kind: "name", name: "api.example.com" });
    expect(placeOf(outside)).toEqual({ kind: "range", cidr: "203.0.113.0/24" });
    expect(placeOf({ ...nobody, address: "2001:db8:1:2:3::4" })).toEqual({ kind: "range", cidr: "2001:db8:1:2::/64" });
    expect(placeOf({ ...nobody, entity: "kube-apiserver" })).toEqual({ kind: "entity", name: "kube-apiserver" });
    expect(placeOf({ ...nobody, namespace: "shop" })).toMatchObject({ of: "Namespace", name: "shop" });
    expect(placeOf(nobody)).toEqual({ kind: "entity", name: "unknown" });
  });
});

test("A pod is the one of its name only where its address agrees: another may have the name by now", () => {
  const addresses = createPodAddresses();
  const db = { name: "db-0", labels: {}, podIPs: ["10.0.0.7", "fd00::7"], controller: undefined } as const;
  addresses.saw(cluster, aPod({ ...db, uid: "held" }), noon - 1_800_000);
  addresses.saw(cluster, aPod({ name: "agent", uid: "agent", hostNetwork: true, podIPs: ["192.168.0.1"] }), noon);
  const podOf = (pod: string, address: string | undefined) =>
    sight(cluster, aFlow({ from: { ...nobody, namespace: "shop", pod, address } }), {
      addresses,
      settled: createSettled(),
    }).fromPod?.uid;
  expect(["10.0.0.7", "fd00::7", undefined, "10.0.0.9"].map((address) => podOf("db-0", address))).toEqual([
    "held",
    "held",
    "held",
    undefined,
  ]);
  expect(podOf("agent", "192.168.0.1")).toBe("agent");
});

describe("A flow counts as", () => {
  test("denied, audited or dropped for another reason, as its source says", () => {
    expect(classOf({})).toBe("denied");
    expect(classOf({ verdict: { kind: "audited", reason: "no-rule" } })).toBe("audited");
    expect(classOf({ verdict: { kind: "dropped", reason: "STALE_OR_UNROUTABLE_IP" } })).toBe("not-policy");
    expect(classOf({ verdict: { kind: "forwarded" } })).toBeUndefined();
  });

  test("a probe from the pod's own node and from health checks, and as denied from another node", () => {
    expect(classOf({ from: { ...nobody, address: "192.168.0.1" }, to: pod })).toBe("probe");
    expect(classOf({ from: { ...nobody, entity: "host" }, to: pod })).toBe("probe");
    expect(classOf({ from: { ...nobody, entity: "health" } })).toBe("probe");
    expect(classOf({ from: { ...nobody, entity: "remote-node" }, to: pod })).toBe("denied");
    expect(classOf({ from: { ...nobody, entity: "remote-node" }, toPort: 4_240 })).toBe("probe");
  });

  test("multicast where nobody in particular is meant, and as denied where the cloud's metadata are", () => {
    const to = (address: string) => classOf({ to: { ...nobody, address } });
    const noise = ["224.0.0.22", "239.255.255.250", "255.255.255.255", "ff02::1", "fe80::1", "169.254.3.4"];
    expect(noise.map(to)).toEqual(noise.map(() => "multicast"));
    const meant = ["169.254.169.254", "169.254.20.10", "10.0.0.7", "23.4.5.6", "2001:db8::1", "fd00::1"];
    expect(meant.map(to)).toEqual(meant.map(() => "denied"));
  });

  test("a reply from a port that serves to one that is handed out, unless it opens a connection", () => {
    expect(classOf({ fromPort: 53, toPort: 45_000, isReply: false })).toBe("reply");
    expect(classOf({ fromPort: 53, toPort: 45_000, isNew: true })).toBe("denied");
    expect(classOf({ fromPort: 45_000, toPort: 50_051 })).toBe("denied");
    expect(classOf({ fromPort: 1_025, toPort: 80 })).toBe("denied");
    const services = { at: () => undefined, hasPort: (_: string, port: number) => port === 50_051 };
    expect(sight(cluster, aFlow({ fromPort: 2_000, toPort: 50_051 }), { ...known(), services }).key?.class).toBe(
      "denied",
    );
  });

  test("settling in the first minute of a pod, and in the ten seconds after a policy changed", () => {
    const made = new Date(noon - 30_000).toISOString();
    const given = known();
    given.addresses.saw(cluster, aPod({ name: "young", podIPs: ["10.0.0.8"], creationTimestamp: made }), noon);
    expect(classOf({ from: { ...nobody, address: "10.0.0.8" } }, given)).toBe("settling");
    expect(
      classOf({ from: { ...nobody, address: "10.0.0.8" }, fromMs: noon + 31_000, toMs: noon + 31_000 }, given),
    ).toBe("denied");
    given.settled.changed(cluster, "shop", noon - 9_000);
    expect(classOf({}, given)).toBe("settling");
    expect(classOf({ fromMs: noon + 2_000, toMs: noon + 2_000 }, given)).toBe("denied");
    expect(classOf({ fromMs: noon - 20_000, toMs: noon - 20_000 }, given)).toBe("denied");
    const whole = known();
    whole.settled.changed(cluster, undefined, noon);
    expect(classOf({}, whole)).toBe("settling");
    expect(classOf({ verdict: { kind: "audited", reason: "rule" } }, whole)).toBe("audited");
  });
});

describe("Any record", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 400 }), fc.constantFrom("10.0.0.1", "::", "-", "\t\n"));
  const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
  const end = fc.record({
    address: maybe(fc.oneof(text, fc.ipV4(), fc.ipV6())),
    namespace: maybe(text),
    pod: maybe(text),
    workload: maybe(fc.record({ kind: maybe(text), name: text })),
    names: fc.array(text, { maxLength: 3 }),
    entity: maybe(fc.constantFrom("host", "health", "world")),
  });
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.MAX_VALUE, -1, Number.NaN));
  const record = fc.record({
    from: end,
    to: end,
    fromPort: maybe(number),
    toPort: maybe(fc.integer()),
    isReply: maybe(fc.boolean()),
    isNew: maybe(fc.boolean()),
    fromMs: number,
    toMs: number,
    policies: fc.array(fc.record({ kind: maybe(text), namespace: maybe(text), name: text }), { maxLength: 9 }),
  });

  test("has a key that is bounded, and that its text gives back: 10 000 mutated ones", () => {
    const given = known();
    fc.assert(
      fc.property(record, (over) => {
        const { key } = sight(cluster, aFlow(over as Partial<FlowRecord>), given);
        if (key === undefined) throw new Error("not counted");
        const written = textOf(key);
        expect(keyOfText(written)).toEqual(key);
        expect(written).not.toMatch(/[\t\n]/);
        expect(written.length).toBeLessThan(40_000);
      }),
      { numRuns: 10_000 },
    );
  });
});
