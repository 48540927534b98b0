import fc from "fast-check";
import type { Denial } from "../../src/engines/denial.ts";
import { deniesOf } from "../../src/engines/engines.ts";
import { denyByNetworkPolicy } from "../../src/engines/networkpolicy.ts";
import { keysToRemove, labelsDuring } from "../../src/policy/detach.ts";
import type { Endpoint as Exempt } from "../../src/policy/endpoint.ts";
import { type DenyEngine, denyEngines } from "../../src/policy/engine.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import { change } from "../../src/simulator/change.ts";
import { compile } from "../../src/simulator/compile.ts";
import { decide, type Endpoint, type Traffic, type Verdict } from "../../src/simulator/decide.ts";
import { type Leak, leaks } from "../../src/simulator/leaks.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { hasPort } from "../../src/simulator/ports.ts";
import type { SimulatedPod } from "../../src/simulator/snapshot.ts";
import { noWays, settingsOf } from "../engines/random-denial.ts";
import { anywhere, type Case, externals, networkPolicyPeer, networkPolicyPort, randomCase } from "./random-cluster.ts";

/** A quarantine of one pod of a random cluster. */
export type Containment = {
  readonly given: Case;
  readonly which: number;
  readonly exempt: readonly Exempt[];
  readonly detach: boolean;
  readonly engine: DenyEngine;
};

const exempt: fc.Arbitrary<Exempt> = fc.record({
  name: fc.constant("endpoint"),
  purpose: fc.constant("forensics"),
  direction: fc.constantFrom("ingress", "egress"),
  peer: networkPolicyPeer as fc.Arbitrary<Exempt["peer"]>,
  ports: fc.array(networkPolicyPort as fc.Arbitrary<Exempt["ports"][number]>, { maxLength: 2 }),
});

export const containment: fc.Arbitrary<Containment> = fc.record({
  given: randomCase,
  which: fc.nat(7),
  exempt: fc.array(exempt, { maxLength: 2 }),
  detach: fc.boolean(),
  engine: fc.constantFrom(...denyEngines),
});

/** Where the list of leaks and the verdicts of single connections differ: a line each. */
export function differences({ given, which, exempt: endpoints, detach, engine }: Containment): readonly string[] {
  const { cluster, ipBlockMatchesPods } = given;
  const subjects = cluster.pods.filter(({ hostNetwork }) => !hostNetwork);
  const pod = subjects[which % subjects.length];
  if (pod === undefined) return [];
  const settings = settingsOf(engine, ipBlockMatchesPods);
  const isolated = { ...pod, labels: labelsDuring(pod.labels, detach ? keysOff(given, pod) : [], "q-1") };
  const ours = objectsOf(engine, pod.namespace, endpoints);
  const changed = change(compile(cluster, settings), { added: ours, pods: new Map([[pod, isolated]]) });
  const told = leaks(changed, [isolated], ours);
  const pods = cluster.pods.map((each) => (each === pod ? isolated : each));
  const actual = compile({ ...cluster, pods, policies: [...cluster.policies, ...ours] }, settings);
  const ideal = compile({ ...cluster, pods, policies: ours.slice(0, 1) }, settings);
  return questions(isolated, pods).flatMap(({ direction, other, traffic }) => {
    const expected = expectedOf(decide(actual, traffic).verdict, decide(ideal, traffic).verdict);
    const found = listed(told, direction, other, traffic);
    return found === expected
      ? []
      : [`${direction} ${nameOf(other)} ${traffic.protocol} ${traffic.port}: ${found} instead of ${expected}`];
  });
}

/** The NetworkPolicy first. */
export function objectsOf(engine: DenyEngine, namespace: string, endpoints: readonly Exempt[]): readonly WireObject[] {
  const denial: Denial = {
    operation: "q-1",
    namespace,
    subject: { matchLabels: { "bulkhead.dev/quarantine": "q-1" } },
    endpoints,
    labels: {},
    annotations: {},
  };
  const objects = [denyByNetworkPolicy(denial), ...deniesOf(engine, denial, noWays).objects];
  return objects.map((object) => ({ ...object }) as unknown as WireObject);
}

function keysOff({ cluster }: Case, pod: SimulatedPod): readonly string[] {
  const policies = cluster.policies.filter(
    ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.namespace === pod.namespace,
  ) as unknown as readonly NetworkPolicy[];
  return keysToRemove(pod.labels, { services: [], workloads: [], policies });
}

type Question = {
  readonly direction: "ingress" | "egress";
  readonly other: Endpoint;
  readonly traffic: Traffic;
};

function questions(pod: SimulatedPod, pods: readonly SimulatedPod[]): readonly Question[] {
  const own: Endpoint = { kind: "pod", pod };
  const others: Endpoint[] = [
    ...pods.filter((each) => each !== pod).map((each) => ({ kind: "pod" as const, pod: each })),
    ...[...new Set([...anywhere, ...externals])].map((address) => ({ kind: "external" as const, address })),
  ];
  const asked = [
    ...[80, 81, 82, 443, 444].map((port) => ({ protocol: "TCP" as const, port })),
    ...[80, 444].map((port) => ({ protocol: "UDP" as const, port })),
    { protocol: "SCTP" as const, port: 81 },
  ];
  return others.flatMap((other) =>
    asked.flatMap((port): Question[] => [
      { direction: "ingress", other, traffic: { from: other, to: own, ...port } },
      { direction: "egress", other, traffic: { from: own, to: other, ...port } },
    ]),
  );
}

type Listing = "surely open" | "perhaps open" | "not listed";

function expectedOf(actual: Verdict, ideal: Verdict): Listing {
  if (actual === "allowed") return ideal === "allowed" ? "not listed" : "surely open";
  return actual === "undecided" && ideal === "denied" ? "perhaps open" : "not listed";
}

function listed(told: readonly Leak[], direction: string, other: Endpoint, { protocol, port }: Traffic): Listing {
  const of = told.filter(
    (leak) => leak.direction === direction && isEnd(leak.end, other) && hasPort(leak.ports, protocol, port),
  );
  if (of.length === 0) return "not listed";
  return of.some(({ sure }) => sure) ? "surely open" : "perhaps open";
}

function isEnd(end: Leak["end"], other: Endpoint): boolean {
  if (end.kind === "absent pods" || end.kind === "absent nodes") return false;
  if (end.kind === "range") return other.kind === "external" && isWithin(end.range, other.address);
  return other.kind === "pod" && end.pods.includes(other.pod);
}

/** By the text of their bytes, so that it shares nothing with what it checks. */
function isWithin(range: string, address: string): boolean {
  const [first = "", last = ""] = range.split("-").map(hexOf);
  const asked = hexOf(address);
  return asked.length === first.length && first <= asked && asked <= last;
}

function hexOf(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((part) => Number(part).toString(16).padStart(2, "0"))
      .join("");
  const [head = "", tail] = address.split("::");
  const [left, right] = [head, tail ?? ""].map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - left!.length - right!.length }, () => "0");
  return [...left!, ...zeros, ...right!].map((group) => group.padStart(4, "0")).join("");
}

function nameOf(end: Endpoint): string {
  return end.kind === "pod" ? `${end.pod.namespace}/${end.pod.name}` : end.kind === "external" ? end.address : "node";
}
