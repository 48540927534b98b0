import { expect, test } from "vitest";
import { createEvidence } from "../../src/flows/evidence.ts";
import type { Sighting } from "../../src/flows/sighting.ts";

const at = Date.UTC(2026, 0, 1);

function sighting(toPort: number, seen: Partial<Sighting["record"]> = {}): Sighting {
  const end = {
    address: "10.0.0.1",
    namespace: undefined,
    pod: undefined,
    workload: undefined,
    names: [],
    entity: undefined,
  };
  return {
    cluster: "sandbox",
    record: {
      format: "hubble",
      id: undefined,
      verdict: { kind: "denied", reason: "no-rule" },
      from: end,
      to: { ...end, address: "10.0.0.2" },
      protocol: "TCP",
      fromPort: 40_000,
      toPort,
      direction: "egress",
      isReply: false,
      isNew: true,
      fromMs: at,
      toMs: at,
      count: 1,
      unit: "events",
      atLeast: false,
      policies: [],
      node: undefined,
      dnsQuery: undefined,
      ...seen,
    },
    from: { kind: "range", cidr: "10.0.0.0/24" },
    to: { kind: "range", cidr: "10.0.0.0/24" },
    fromPod: undefined,
    toPod: undefined,
    aheadMs: 0,
    key: undefined,
  };
}

const always = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

test("the same within a second is one, with its count; another second, verdict or port is another", () => {
  const evidence = createEvidence();
  for (let each = 0; each < 3; each += 1)
    evidence.add(sighting(80, { fromPort: 40_000 + each, fromMs: at + each, toMs: at + each }));
  evidence.add(sighting(80, { fromMs: at + 1_000, toMs: at + 1_000, atLeast: true }));
  evidence.add(sighting(80, { verdict: { kind: "forwarded" } }));
  evidence.add(sighting(81));
  expect(evidence.around("sandbox", always).map(({ count, atLeast }) => [count, atLeast])).toEqual([
    [3, false],
    [1, true],
    [1, false],
    [1, false],
  ]);
});

test("is of one cluster and of the time that is asked for", () => {
  const evidence = createEvidence();
  evidence.add(sighting(80));
  expect(evidence.around("other", always)).toEqual([]);
  expect(evidence.around("sandbox", { fromMs: at + 1, toMs: at + 10 })).toEqual([]);
  expect(evidence.around("sandbox", { fromMs: at, toMs: at })).toHaveLength(1);
});

test("a flood makes it shorter, by number", () => {
  const evidence = createEvidence({ mostFlows: 100 });
  for (let port = 1; port <= 5_000; port += 1) evidence.add(sighting(port));
  const kept = evidence.around("sandbox", always).map(({ sighting: { record } }) => record.toPort);
  expect(kept).toEqual(Array.from({ length: 100 }, (_, index) => 4_901 + index));
});

test("a flood of long strings makes it shorter, by bytes, and what is too large by itself is left out", () => {
  const evidence = createEvidence({ mostBytes: 100_000 });
  const long = { ...sighting(1).record.from, names: ["x".repeat(5_000)] };
  for (let port = 1; port <= 500; port += 1) evidence.add(sighting(port, { from: long }));
  expect(evidence.around("sandbox", always).length).toBeLessThan(10);
  evidence.add(sighting(1, { from: { ...long, names: ["x".repeat(100_000)] } }));
  evidence.add(sighting(501));
  expect(evidence.around("sandbox", always).at(-1)?.sighting.record.toPort).toBe(501);
});
