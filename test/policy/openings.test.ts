import { expect, test } from "vitest";
import { bindTemplate } from "../../src/policy/bind-template.ts";
import type { Endpoint } from "../../src/policy/endpoint.ts";
import { refusal } from "../../src/policy/guard.ts";
import type { LabelSelector } from "../../src/policy/objects.ts";
import { type Lookup, namespacesOf, resolveOpenings } from "../../src/policy/openings.ts";
import { withPart } from "../template-texts.ts";
import { templateOf } from "./template-of.ts";

const dns: Endpoint = {
  name: "cluster-dns",
  purpose: "dns",
  direction: "egress",
  peer: {
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
  },
  ports: [{ protocol: "UDP", port: "dns" }],
};

function lookup(selector: LabelSelector, endpoints: readonly Endpoint[] = []): Lookup {
  return {
    workload: ({ namespace, name }) =>
      name === "none" ? refusal("there is none", "Look.") : { namespace, selector, name: `${namespace}/${name}` },
    dns: endpoints,
  };
}

const checkout = { matchLabels: { app: "checkout" } };

function resolved(text: string, values: Readonly<Record<string, string>>, known: Lookup) {
  const bound = bindTemplate(templateOf(text), values);
  if ("refusals" in bound) throw new Error(bound.refusals.map(({ reason }) => reason).join());
  return { ...resolveOpenings(bound, known), namespaces: namespacesOf(bound) };
}

const toNamespace = withPart(
  "{ cidr: $cidr }",
  "{ namespace: ingress-nginx, pods: { app: nginx } }",
  withPart("  cidr: { type: cidr, widest: { ipv4: 24, ipv6: 64 }, about: where to }\n", ""),
);
const toDns = withPart(
  "{ namespace: ingress-nginx, pods: { app: nginx } }, ports: [{ port: $port, protocol: TCP }]",
  "{ dns: true }",
  withPart("  port: { type: port, default: 443, oneOf: [443, 8443], about: the port there }\n", "", toNamespace),
);

test("A workload is its own selector, in its namespace", () => {
  expect(resolved(toNamespace, { workload: "payments/checkout" }, lookup(checkout))).toEqual({
    namespaces: ["ingress-nginx", "payments"],
    openings: [
      {
        from: { kind: "pods", namespace: "payments", selector: checkout, name: "payments/checkout" },
        to: {
          kind: "pods",
          namespace: "ingress-nginx",
          selector: { matchLabels: { app: "nginx" } },
          name: "app=nginx in namespace ingress-nginx",
        },
        ports: [{ protocol: "TCP", port: 443 }],
      },
    ],
  });
});

test("A workload that is not there, or whose selector is empty, is refused", () => {
  expect(resolved(toNamespace, { workload: "payments/none" }, lookup(checkout))).toMatchObject({
    refusals: [{ reason: "there is none" }],
  });
  expect(resolved(toNamespace, { workload: "payments/checkout" }, lookup({}))).toMatchObject({
    refusals: [{ reason: expect.stringMatching(/it would open every pod of namespace payments/) }],
  });
});

test("The cluster's DNS is an opening for each place where names are resolved, at its own ports", () => {
  const node: Endpoint = { ...dns, name: "node", peer: { ipBlock: { cidr: "169.254.20.10/32" } }, ports: [] };
  const odd: Endpoint = { ...dns, name: "odd", peer: { namespaceSelector: { matchLabels: { dns: "yes" } } } };
  const inward: Endpoint = { ...dns, direction: "ingress" };
  const known = lookup(checkout, [dns, node, odd, inward]);
  const result = resolved(toDns, { workload: "payments/checkout" }, known);
  expect("openings" in result ? result.openings?.map(({ to, ports }) => ({ to, ports })) : result).toEqual([
    {
      to: { kind: "pods", namespace: "kube-system", selector: dns.peer.podSelector, name: "cluster-dns" },
      ports: dns.ports,
    },
    { to: { kind: "block", cidr: "169.254.20.10/32", except: [] }, ports: undefined },
    { to: { kind: "peer", peer: odd.peer, name: "odd" }, ports: dns.ports },
  ]);
});

test("Where nobody knows how names are resolved, allowing it is refused", () => {
  expect(resolved(toDns, { workload: "payments/checkout" }, lookup(checkout))).toMatchObject({
    refusals: [{ next: "Set lockdown.dns in the configuration." }],
  });
});
