import fc from "fast-check";
import { expect, test } from "vitest";
import { change } from "../../src/simulator/change.ts";
import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { decide, type Endpoint } from "../../src/simulator/decide.ts";
import { delta } from "../../src/simulator/delta.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { hasPort, portsByProtocol } from "../../src/simulator/ports.ts";
import { type ReachedEnd, reach } from "../../src/simulator/reach.ts";
import type { SimulatedPod } from "../../src/simulator/snapshot.ts";
import { createCluster } from "./cluster.ts";

const all = { TCP: [[1, 65_535]], UDP: [[1, 65_535]], SCTP: [[1, 65_535]] };

function nameOf(end: ReachedEnd): string {
  return end.kind === "range" ? end.range : end.pods.map(({ namespace, name }) => `${namespace}/${name}`).join("+");
}

const quarantine: WireObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "quarantine", namespace: "shop" },
  spec: { podSelector: { matchLabels: { quarantine: "q-1" } }, policyTypes: ["Ingress", "Egress"] },
};

test("A quarantine closes what the pod had, and leaves its siblings what they have", () => {
  const { simulator } = createCluster({
    pods: { "shop/web-1": { labels: { app: "web" } }, "shop/web-2": { labels: { app: "web" } }, "shop/db": {} },
  });
  const pod = simulator.snapshot.pods[0]!;
  const isolated = { ...pod, labels: { quarantine: "q-1" } };
  const after = change(simulator, { added: [quarantine], pods: new Map([[pod, isolated]]) });
  const rows = delta(simulator, after, new Map([[isolated, pod]]));
  expect(rows.map(({ from, to }) => [nameOf(from), nameOf(to)])).toEqual([
    ["shop/web-1", "shop/web-2+shop/db"],
    ["shop/web-2+shop/db", "shop/web-1"],
    ["shop/web-1", "0.0.0.0-255.255.255.255"],
    ["shop/web-1", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["0.0.0.0-255.255.255.255", "shop/web-1"],
    ["::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "shop/web-1"],
  ]);
  for (const row of rows) {
    expect(portsByProtocol(row.closed)).toEqual(all);
    expect([row.opened, row.unsure]).toEqual([[], []]);
  }
  expect(reach(after, isolated)).toEqual({ to: [], from: [] });
});

test("What a policy opens to a range outside is told by just that range", () => {
  const rule = { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 443 }] };
  const spec = { podSelector: {}, policyTypes: ["Egress"], egress: [rule] };
  const before = createCluster({
    pods: { "shop/web": {} },
    policies: [{ ...quarantine, spec: { ...spec, egress: [] } }],
  });
  const after = change(before.simulator, {
    added: [{ ...quarantine, metadata: { name: "more", namespace: "shop" }, spec }],
  });
  const rows = delta(before.simulator, after, new Map());
  expect(rows.map(({ to, opened }) => [nameOf(to), portsByProtocol(opened)])).toEqual([
    ["10.0.0.0-10.255.255.255", { TCP: [[443, 443]] }],
  ]);
});

test("What Cilium denies to a pod's own node is told where it is the change that says Cilium enforces", () => {
  const denyAll: WireObject = { ...quarantine, spec: { podSelector: {}, policyTypes: ["Egress"] } };
  const { simulator } = createCluster({
    pods: { "shop/web": { node: "n1" }, "shop/agent": { node: "n1", hostNetwork: true } },
    policies: [denyAll],
  });
  const policy = {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "c", namespace: "shop" },
  };
  const spec = { endpointSelector: { matchLabels: { app: "none" } }, ingress: [{}] };
  const after = change(simulator, { added: [{ ...policy, spec }] });
  const rows = delta(simulator, after, new Map());
  expect(rows.map(({ from, to, closed }) => [nameOf(from), nameOf(to), portsByProtocol(closed)])).toEqual([
    ["shop/web", "shop/agent", all],
  ]);
});

const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), { maxKeys: 2 });
const selector = fc.record({ matchLabels: labels });
const peers = fc.array(
  fc.oneof(
    fc.record({ podSelector: selector }),
    fc.record({ namespaceSelector: fc.constant({}), podSelector: selector }),
    fc.record({ ipBlock: fc.record({ cidr: fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "fd00::/8") }) }),
  ),
  { minLength: 1, maxLength: 2 },
);
const ports = fc.constantFrom([{ port: 80 }], [{ port: "http" }], []);
const policy = fc.record({
  apiVersion: fc.constant("networking.k8s.io/v1"),
  kind: fc.constant("NetworkPolicy"),
  metadata: fc.record({ name: fc.constant("p"), namespace: fc.constantFrom("x", "y") }),
  spec: fc.record({
    podSelector: selector,
    policyTypes: fc.constantFrom(["Ingress"], ["Egress"], ["Ingress", "Egress"]),
    ingress: fc.array(fc.record({ from: peers, ports }), { maxLength: 2 }),
    egress: fc.array(fc.record({ to: peers, ports }), { maxLength: 2 }),
  }),
});
const podInWords = fc.record({
  labels,
  hostNetwork: fc.constantFrom(false, false, true),
  node: fc.constantFrom("n1", "n2", undefined),
  addresses: fc.constantFrom([], ["10.1.0.1"], ["10.2.0.1", "fd00::1"]),
  ports: fc.constantFrom([], [{ name: "http", protocol: "TCP" as const, port: 80 }]),
});
const names = ["x/1", "x/2", "y/3", "y/4"];
const pods = fc
  .tuple(podInWords, podInWords, podInWords, podInWords)
  .map((words) => Object.fromEntries(names.map((name, i) => [name, words[i]!])));

type Case = {
  readonly pods: Readonly<Record<string, { readonly labels: Record<string, string> }>>;
  readonly policies: readonly WireObject[];
  readonly added: readonly WireObject[];
  readonly relabelled: readonly (Record<string, string> | null)[];
  readonly ipBlockMatchesPods: boolean | "unknown";
};

const anyCase: fc.Arbitrary<Case> = fc.record({
  pods,
  policies: fc.array(policy, { maxLength: 3 }),
  added: fc.array(policy, { maxLength: 2 }),
  relabelled: fc.tuple(...names.map(() => fc.option(labels, { freq: 2 }))),
  ipBlockMatchesPods: fc.constantFrom(true, false, "unknown" as const),
});

/** Verdicts of everything that could be asked, by one question at a time. */
function verdicts(simulator: Simulator, list: readonly SimulatedPod[]): Map<string, string> {
  const outside = ["10.1.2.3", "10.3.0.1", "fd00::9", "2001:db8::1"];
  const ends: Endpoint[] = [
    ...list.map((pod) => ({ kind: "pod" as const, pod })),
    ...outside.map((address) => ({ kind: "external" as const, address })),
  ];
  const name = (end: Endpoint) =>
    end.kind === "pod" ? `${end.pod.namespace}/${end.pod.name}` : (end as { address: string }).address;
  const found = new Map<string, string>();
  const pairs = ends.flatMap((from) => ends.filter((to) => from !== to).map((to) => ({ from, to })));
  for (const { from, to } of pairs.filter((pair) => pair.from.kind === "pod" || pair.to.kind === "pod"))
    for (const port of [80, 81])
      found.set(`${name(from)} ${name(to)} ${port}`, decide(simulator, { from, to, protocol: "TCP", port }).verdict);
  return found;
}

function beginning({ pods: inWords, policies, ipBlockMatchesPods }: Case): Simulator {
  return createCluster({ pods: inWords, policies, settings: { ipBlockMatchesPods } }).simulator;
}

/** What rows say of one question, as a new verdict; undefined where they say nothing. */
function fromRows(rows: ReturnType<typeof delta>, from: string, to: string, port: number): string | undefined {
  const isIn = (end: ReachedEnd, name: string): boolean =>
    end.kind === "pods" ? end.pods.some((pod) => `${pod.namespace}/${pod.name}` === name) : inRange(end.range, name);
  const row = rows.find((each) => isIn(each.from, from) && isIn(each.to, to));
  if (row === undefined) return undefined;
  if (hasPort(row.opened, "TCP", port)) return "allowed";
  if (hasPort(row.closed, "TCP", port)) return "denied";
  return hasPort(row.unsure, "TCP", port) ? "undecided" : undefined;
}

function inRange(range: string, address: string): boolean {
  const [first = "", last = ""] = range.split("-");
  if (first.includes(":") !== address.includes(":")) return false;
  const number = (text: string) =>
    text.includes(":")
      ? BigInt(`0x${expand(text)}`)
      : text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  return !address.includes("/") && number(first) <= number(address) && number(address) <= number(last);
}

function expand(text: string): string {
  const [head = "", tail = ""] = text.split("::");
  const [before, after] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const middle = text.includes("::") ? Array.from({ length: 8 - before!.length - after!.length }, () => "0") : [];
  return [...before!, ...middle, ...after!].map((group) => group.padStart(4, "0")).join("");
}

test("A changed cluster answers as one that is compiled anew, and the delta is just what answers differently", () => {
  fc.assert(
    fc.property(anyCase, (each) => {
      const before = beginning(each);
      const asked = verdicts(before, before.snapshot.pods);
      const moved = new Map<SimulatedPod, SimulatedPod>();
      const now = before.snapshot.pods.map((pod, i) => {
        const labelsNow = each.relabelled[i];
        if (labelsNow === null || labelsNow === undefined) return pod;
        const relabelled = { ...pod, labels: labelsNow };
        moved.set(relabelled, pod);
        return relabelled;
      });
      const removed = each.policies.slice(0, 1);
      const after = change(before, {
        removed,
        added: each.added,
        pods: new Map([...moved].map(([is, was]) => [was, is])),
      });
      const fresh = compile(
        { ...before.snapshot, pods: now, policies: [...each.policies.slice(1), ...each.added] },
        before.settings,
      );
      const [changed, anew] = [verdicts(after, now), verdicts(fresh, now)];
      expect(changed).toEqual(anew);
      const rows = delta(before, after, moved);
      for (const [question, verdict] of changed) {
        const [from = "", to = "", port] = question.split(" ");
        expect([question, fromRows(rows, from, to, Number(port))]).toEqual([
          question,
          verdict === asked.get(question) ? undefined : verdict,
        ]);
      }
      expect(verdicts(before, before.snapshot.pods)).toEqual(asked);
    }),
    { numRuns: 60 },
  );
});
