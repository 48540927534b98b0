import { describe, expect, test } from "vitest";
import { type HeldPod, type Holding, observationOf, type SeenFlow } from "../../src/policy/observation.ts";

const realisedMs = Date.UTC(2026, 0, 1, 14, 0, 0);
const second = 1_000;
const pod: HeldPod = { uid: "held", addresses: ["10.1.0.7", "fd00::7"], nodeAddress: "192.0.2.10" };
const neighbour: HeldPod = { uid: "held-too", addresses: ["10.1.0.8"], nodeAddress: "192.0.2.11" };

const holding: Holding = {
  pods: new Map([pod, neighbour].map((one) => [one.uid, one])),
  realisedMs,
  marginMs: 5 * second,
  isListed: () => false,
};

type Changes = Partial<Omit<SeenFlow["record"], "from" | "to">> & {
  readonly from?: Partial<SeenFlow["record"]["from"]>;
  readonly to?: Partial<SeenFlow["record"]["to"]>;
  readonly fromPod?: string | undefined;
  readonly toPod?: string | undefined;
  readonly aheadMs?: number;
};

/** A new connection that the pod opened to the world a minute later, and that got through. */
function flow(changes: Changes = {}): SeenFlow {
  const { from, to, fromPod = "held", toPod, aheadMs = 0, ...record } = changes;
  const at = realisedMs + 60 * second;
  return {
    record: {
      verdict: { kind: "forwarded" },
      from: { address: "10.1.0.7", entity: undefined, ...from },
      to: { address: "203.0.113.9", entity: "world", ...to },
      protocol: "TCP",
      fromPort: 40_000,
      toPort: 443,
      direction: "egress",
      isReply: false,
      isNew: true,
      fromMs: at,
      toMs: at,
      unit: "events",
      ...record,
    },
    fromPod: fromPod === "nobody" ? undefined : { uid: fromPod },
    toPod: toPod === undefined ? undefined : { uid: toPod },
    aheadMs,
  };
}

const inward = {
  fromPod: "other",
  toPod: "held",
  from: { address: "10.1.0.9" },
  to: { address: "10.1.0.7", entity: undefined },
  direction: "ingress",
} as const;
const leak = { kind: "leak", sure: true };
const perhaps = { kind: "leak", sure: false };

describe("what got through and began after the pod was cut off", () => {
  const cases: [string, Changes, unknown][] = [
    ["out to the world", {}, leak],
    ["out to the world over IPv6", { from: { address: "fd00::7" }, to: { address: "2001:db8::1" } }, leak],
    ["in from another pod", inward, leak],
    ["out, and told by the side to which it came", { direction: "ingress", toPod: "other" }, leak],
    ["out, of a source that tells no side", { direction: undefined }, leak],
    ["from another node", { ...inward, from: { address: "192.0.2.11", entity: "remote-node" } }, leak],
    ["to the metadata service, which is link-local", { to: { address: "169.254.169.254", entity: undefined } }, leak],
    ["between two pods that are cut off", { toPod: "held-too", to: { address: "10.1.0.8", entity: undefined } }, leak],
    ["what an audit mode would have denied", { verdict: { kind: "audited" } }, leak],
    [
      "connections that began within a window",
      { isNew: undefined, unit: "connections", toMs: realisedMs + 75 * second },
      leak,
    ],
    ["a request to a high port", { toPort: 50_051 }, leak],
    ["a moment after the margin", { fromMs: realisedMs + 5_001, toMs: realisedMs + 5_001 }, leak],
    ["packets that may be of an older connection", { isNew: undefined }, perhaps],
    [
      "a window of packets that begins afterwards",
      { isNew: undefined, unit: "packets", toMs: realisedMs + 90 * second },
      perhaps,
    ],
  ];
  test.each(cases)("%s", (_name, changes, expected) => {
    expect(observationOf(flow(changes), holding)).toEqual(expected);
  });

  test("is only perhaps a leak where nobody could tell what the card lists", () => {
    expect(observationOf(flow(), { ...holding, isListed: () => undefined })).toEqual(perhaps);
  });

  test("is none where the card lists it as open, port by port", () => {
    const isListed: Holding["isListed"] = ({ record }, _pod, direction) =>
      direction === "egress" && record.toPort === 9_200;
    expect(observationOf(flow({ toPort: 9_200 }), { ...holding, isListed })).toEqual({ kind: "listed" });
    expect(observationOf(flow({ toPort: 9_201 }), { ...holding, isListed })).toEqual(leak);
  });
});

describe("what proves nothing, and why", () => {
  const later = realisedMs + 60 * second;
  const cases: [string, Changes, string][] = [
    ["a reply", { isReply: true }, "it is a reply"],
    ["what looks like a reply", { isReply: undefined, fromPort: 53, toPort: 41_000 }, "it may be a reply"],
    ["an open connection", { isNew: false }, "its connection was open already"],
    ["a moment before", { fromMs: realisedMs - 1, toMs: realisedMs - 1 }, "it was seen before the pod was cut off"],
    [
      "a window that straddles",
      { fromMs: realisedMs - 10 * second, toMs: later },
      "its window begins before the pod was cut off",
    ],
    [
      "a moment within the margin",
      { fromMs: realisedMs + 4_999, toMs: realisedMs + 4_999 },
      "its window begins before the pod was cut off",
    ],
    ["a time that is not known", { fromMs: Number.NaN }, "when it was seen is not known"],
    ["an end that is not known", { toMs: Number.POSITIVE_INFINITY }, "when it was seen is not known"],
    ["a clock that is ahead", { aheadMs: 5 * second + 1 }, "it was seen in the future: a clock is wrong"],
    [
      "kubelet's probe, by address",
      { ...inward, from: { address: "192.0.2.10" } },
      "it is between the pod and its own node",
    ],
    [
      "kubelet's probe, by entity",
      { ...inward, from: { address: undefined, entity: "host" } },
      "it is between the pod and its own node",
    ],
    ["to its own node", { to: { address: "192.0.2.10", entity: undefined } }, "it is between the pod and its own node"],
    [
      "a probe of Cilium",
      { ...inward, from: { address: "10.1.0.200", entity: "health" } },
      "it is a probe of the network plugin",
    ],
    ["itself, by address", { to: { address: "fd00::7" } }, "it is between the pod and itself"],
    [
      "itself, by name",
      { toPod: "held", to: { address: undefined, entity: undefined } },
      "it is between the pod and itself",
    ],
    [
      "multicast",
      { to: { address: "239.255.255.250" }, protocol: "UDP" },
      "it is multicast, broadcast or neighbour discovery",
    ],
    [
      "neighbour discovery",
      { to: { address: "fe80::1" }, protocol: "ICMPv6", fromPort: undefined, toPort: undefined },
      "it is multicast, broadcast or neighbour discovery",
    ],
    ["a drop for another reason", { verdict: { kind: "dropped" } }, "no policy dropped it"],
    [
      "let out by its sender alone",
      { ...inward, direction: "egress" },
      "it was not decided on the side of a pod that is cut off",
    ],
    [
      "told by nobody's side",
      { ...inward, direction: undefined },
      "it was not decided on the side of a pod that is cut off",
    ],
    [
      "pods of others",
      { fromPod: "other", toPod: "another" },
      "it was not decided on the side of a pod that is cut off",
    ],
    [
      "a pod of that name that is another one",
      { fromPod: "reborn" },
      "it was not decided on the side of a pod that is cut off",
    ],
    [
      "an address that nobody could place",
      { fromPod: "nobody" },
      "it was not decided on the side of a pod that is cut off",
    ],
  ];
  test.each(cases)("%s", (_name, changes, why) => {
    expect(observationOf(flow(changes), holding)).toEqual({ kind: "nothing", why });
  });
});

describe("what was denied", () => {
  const denied = { verdict: { kind: "denied" } } as const;
  const cases: [string, Changes, unknown][] = [
    ["as it left the pod", denied, { kind: "denied" }],
    ["as it came to the pod", { ...inward, ...denied }, { kind: "denied" }],
    ["of a source that tells no side", { ...inward, ...denied, direction: undefined }, { kind: "denied" }],
    [
      "by the other side",
      { ...denied, direction: "ingress" },
      { kind: "nothing", why: "it was not decided on the side of a pod that is cut off" },
    ],
    ["as a reply", { ...denied, isReply: true }, { kind: "nothing", why: "it is a reply" }],
    [
      "by a clock that is ahead",
      { ...denied, aheadMs: 5 * second + 1 },
      { kind: "nothing", why: "it was seen in the future: a clock is wrong" },
    ],
    [
      "before",
      { ...denied, fromMs: realisedMs - 1 },
      { kind: "nothing", why: "it was seen before the pod was cut off" },
    ],
  ];
  test.each(cases)("%s", (_name, changes, expected) => {
    expect(observationOf(flow(changes), holding)).toEqual(expected);
  });
});
