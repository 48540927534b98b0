import { expect, test } from "vitest";
import { connections, type Party } from "../../src/simulator/connections.ts";
import { portsByProtocol } from "../../src/simulator/ports.ts";
import { createCluster } from "./cluster.ts";

const all = { TCP: [[1, 65_535]], UDP: [[1, 65_535]], SCTP: [[1, 65_535]] };

function rowsOf(cluster: ReturnType<typeof createCluster>) {
  return [...connections(cluster.simulator)].map(({ from, to, allow }) => [
    partyOf(from),
    partyOf(to),
    portsByProtocol(allow),
  ]);
}

function partyOf(party: Party): string {
  return party.kind === "range" ? party.range : `${party.workload.namespace}/${party.workload.name}`;
}

test("Each pair stands once, a workload to itself not at all, and the outside as the fewest ranges", () => {
  const policies = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: out-but-ten, namespace: shop }
spec:
  podSelector: { matchLabels: { app: web } }
  policyTypes: [Ingress, Egress]
  egress:
    - to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [10.0.0.0/8] } }, { ipBlock: { cidr: 10.0.0.0/9 } }]
      ports: [{ protocol: TCP, port: 443 }]
    - ports: [{ protocol: UDP, port: 53 }]
`;
  const cluster = createCluster({
    pods: {
      "shop/web": { labels: { app: "web" } },
      "shop/web-2": { labels: { app: "web" }, workload: { namespace: "shop", name: "web", kind: "Pod" } },
      "shop/db": {},
    },
    policies,
  });
  expect(rowsOf(cluster)).toEqual([
    ["shop/web", "shop/db", { UDP: [[53, 53]] }],
    ["shop/web", "0.0.0.0-10.127.255.255", { TCP: [[443, 443]], UDP: [[53, 53]] }],
    ["shop/web", "10.128.0.0-10.255.255.255", { UDP: [[53, 53]] }],
    ["shop/web", "11.0.0.0-255.255.255.255", { TCP: [[443, 443]], UDP: [[53, 53]] }],
    ["shop/db", "0.0.0.0-255.255.255.255", all],
    ["0.0.0.0-255.255.255.255", "shop/db", all],
  ]);
});
