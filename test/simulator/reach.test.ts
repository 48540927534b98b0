import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { connections, type Party } from "../../src/simulator/connections.ts";
import { decide, type Endpoint, type Verdict } from "../../src/simulator/decide.ts";
import { isOwnNodeTraffic } from "../../src/simulator/own-node.ts";
import { hasPort } from "../../src/simulator/ports.ts";
import { type Reached, type ReachedEnd, reach } from "../../src/simulator/reach.ts";
import type { Openness } from "../../src/simulator/sides.ts";
import type { SimulatedPod } from "../../src/simulator/snapshot.ts";
import { randomCase } from "./random-cluster.ts";

/** First addresses of what the generator's ranges cut out, so that a range is told by its own beginning. */
const outside = ["0.0.0.0", "10.0.0.4", "10.0.0.8", "192.0.2.0"];
const asked = [
  { protocol: "TCP", port: 80 },
  { protocol: "TCP", port: 443 },
  { protocol: "UDP", port: 81 },
] as const;

function verdictOf({ allow, undecided }: Openness, { protocol, port }: (typeof asked)[number]): Verdict {
  if (hasPort(allow, protocol, port)) return "allowed";
  return hasPort(undecided, protocol, port) ? "undecided" : "denied";
}

const closed: Openness = { allow: [], undecided: [] };

function isEnd(end: ReachedEnd, wanted: Endpoint): boolean {
  if (end.kind === "pods") return wanted.kind === "pod" && end.pods.includes(wanted.pod);
  return wanted.kind === "external" && isInRange(end.range, wanted.address);
}

function isInRange(range: string, address: string): boolean {
  const number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const [first = "", last = ""] = range.split("-");
  return !first.includes(":") && number(first) <= number(address) && number(address) <= number(last);
}

function otherEnds({ snapshot }: Simulator, pod: SimulatedPod): readonly Endpoint[] {
  return [
    ...snapshot.pods.filter((other) => other !== pod).map((other) => ({ kind: "pod" as const, pod: other })),
    ...outside.map((address) => ({ kind: "external" as const, address })),
  ];
}

test("What a pod reaches and is reached by is what single questions say of every other end", () => {
  fc.assert(
    fc.property(randomCase, ({ cluster, ipBlockMatchesPods }) => {
      const simulator = compile(cluster, { engine: undefined, ipBlockMatchesPods });
      const pod = cluster.pods[0]!;
      const { to, from } = reach(simulator, pod);
      const self: Endpoint = { kind: "pod", pod };
      const find = (rows: readonly Reached[], end: Endpoint) => rows.find((row) => isEnd(row.end, end)) ?? closed;
      for (const end of otherEnds(simulator, pod))
        for (const what of asked) {
          expect(verdictOf(find(to, end), what)).toBe(decide(simulator, { from: self, to: end, ...what }).verdict);
          expect(verdictOf(find(from, end), what)).toBe(decide(simulator, { from: end, to: self, ...what }).verdict);
        }
    }),
    { numRuns: 60 },
  );
});

/** Without those of one node: where the first pods of two workloads happen to run says nothing of the workloads. */
test("The connections between workloads are what single questions between their first pods say", () => {
  fc.assert(
    fc.property(randomCase, ({ cluster, ipBlockMatchesPods }) => {
      const simulator = compile(cluster, { engine: undefined, ipBlockMatchesPods });
      const rows = [...connections(simulator)];
      const isParty = (party: Party, pod: SimulatedPod) => party.kind === "workload" && party.workload === pod.workload;
      const firsts = cluster.pods.filter(
        (pod) => pod === cluster.pods.find(({ workload }) => nameOf(workload) === nameOf(pod.workload)),
      );
      for (const pod of firsts)
        for (const other of firsts.filter((each) => each !== pod && !isOwnNodeTraffic(undefined, pod, each))) {
          const row = rows.find(({ from, to }) => isParty(from, pod) && isParty(to, other)) ?? closed;
          const ends = { from: { kind: "pod", pod }, to: { kind: "pod", pod: other } } as const;
          const answers = asked.map((what) => decide(simulator, { ...ends, ...what }).verdict);
          expect(asked.map((what) => verdictOf(row, what))).toEqual(answers);
        }
    }),
    { numRuns: 60 },
  );
});

function nameOf({ namespace, name, kind }: SimulatedPod["workload"]): string {
  return `${namespace}/${name}[${kind}]`;
}
