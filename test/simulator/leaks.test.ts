import fc from "fast-check";
import { expect, test } from "vitest";
import { type Leak, leaks } from "../../src/simulator/leaks.ts";
import { portsByProtocol } from "../../src/simulator/ports.ts";
import { createCluster } from "./cluster.ts";
import { containment, differences, objectsOf } from "./contained.ts";

test("A quarantine of any random cluster leaves no connection but those it lists, and lists none that is closed", () => {
  fc.assert(
    fc.property(containment, (each) => {
      expect(differences(each)).toEqual([]);
    }),
    { numRuns: 15 },
  );
});

const quarantined = { labels: { "bulkhead.dev/quarantine": "q-1" }, node: "n1" };
const all = { TCP: [[1, 65_535]], UDP: [[1, 65_535]], SCTP: [[1, 65_535]] };

/** `ingress from 10.0.0.0-10.0.0.9 by allow-all`. */
function words({ subjects, direction, end, policy }: Leak): string {
  const other = "pods" in end ? end.pods.map(({ name }) => name).join("+") : "range" in end ? end.range : end.kind;
  return `${subjects.map(({ name }) => name).join("+")} ${direction} ${other} by ${policy?.name ?? "default"}`;
}

test("What a policy of the same name as ours opens is a leak, cut where ours would have ended", () => {
  const endpoint = {
    name: "e",
    purpose: "forensics",
    direction: "egress",
    peer: { ipBlock: { cidr: "10.0.0.0/8" } },
  } as const;
  const [ours] = objectsOf("networkpolicy", "shop", [{ ...endpoint, ports: [] }]);
  const altered = {
    ...ours!,
    spec: { podSelector: {}, policyTypes: ["Egress", "Ingress"], egress: [{ ports: [{ port: 443 }] }] },
  };
  const { simulator } = createCluster({ pods: { "shop/web": quarantined }, policies: [altered] });
  const found = leaks(simulator, simulator.snapshot.pods, [ours!]);
  expect(found.map(words)).toEqual([
    "web egress 0.0.0.0-9.255.255.255 by bulkhead-q-1",
    "web egress 11.0.0.0-255.255.255.255 by bulkhead-q-1",
    "web egress ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff by bulkhead-q-1",
  ]);
});

test("Nothing is told of the pod's own node, and all of another", () => {
  const host = { hostNetwork: true, addresses: ["192.168.0.1"] };
  const allowAll = { ...objectsOf("networkpolicy", "shop", [])[0]!, spec: { ingress: [{}] } };
  const named = { ...allowAll, metadata: { name: "allow-all", namespace: "shop" } };
  const ours = objectsOf("networkpolicy", "shop", []);
  const pods = { "shop/web": quarantined, "kube/near": { ...host, node: "n1" }, "kube/far": { ...host, node: "n2" } };
  const { simulator } = createCluster({ pods, policies: [named, ...ours] });
  const found = leaks(simulator, simulator.snapshot.pods.slice(0, 1), ours);
  expect(found.map(words)).toEqual([
    "web ingress far by allow-all",
    "web ingress 0.0.0.0-255.255.255.255 by allow-all",
    "web ingress ::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff by allow-all",
  ]);
  expect(found.map(({ ports }) => portsByProtocol(ports))).toEqual([all, all, all]);
});

test("Pods that are contained together are told together, with what they can do to each other", () => {
  const [ours] = objectsOf("networkpolicy", "shop", []);
  const lockdown = { ...ours!, spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } };
  const peers = { podSelector: { matchLabels: { app: "a" } } };
  const among = {
    ...peers,
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: [peers] }],
    egress: [{ to: [peers] }],
  };
  const policy = { ...lockdown, metadata: { name: "among", namespace: "shop" }, spec: among };
  const labels = { app: "a" };
  const pods = { "shop/a1": { labels }, "shop/a2": { labels }, "shop/b": {}, "other/a": { labels } };
  const { simulator } = createCluster({ pods, policies: [policy, lockdown] });
  const found = leaks(simulator, simulator.snapshot.pods.slice(0, 3), [lockdown]);
  expect(found.map(words)).toEqual(["a1+a2 ingress a1+a2 by among", "a1+a2 egress a1+a2 by among"]);
});

test("A pod of the host network, which no policy selects, is open altogether", () => {
  const ours = objectsOf("networkpolicy", "shop", []);
  const pods = { "shop/web": { ...quarantined, hostNetwork: true }, "shop/db": {} };
  const { simulator } = createCluster({ pods, policies: ours });
  const found = leaks(simulator, simulator.snapshot.pods.slice(0, 1), ours);
  expect(found.map(words)).toContain("web egress db by default");
});
