import { describe, expect, test } from "vitest";
import { allowObjects } from "../src/engines/allow.ts";
import { bindTemplate } from "../src/policy/bind-template.ts";
import type { Endpoint } from "../src/policy/endpoint.ts";
import { marks } from "../src/policy/marks.ts";
import { resolveOpenings } from "../src/policy/openings.ts";
import type { WireObject } from "../src/simulator/model.ts";
import { loadTemplates, shippedTemplates } from "../src/templates.ts";
import { createCluster, type PodInWords } from "./simulator/cluster.ts";

const { templates } = loadTemplates(shippedTemplates);

const dns: readonly Endpoint[] = [
  {
    name: "cluster-dns",
    purpose: "dns",
    direction: "egress",
    peer: {
      podSelector: { matchLabels: { app: "dns" } },
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    },
    ports: [{ protocol: "UDP", port: 5353 }],
  },
];

/** Every namespace denies everything by default; a pod's app is its name, and one of each app's replicas is in quarantine. */
const names = ["payments/checkout", "payments/cart", "db/postgres", "kube-system/dns", "ingress-nginx/controller"];
const pods: Readonly<Record<string, PodInWords>> = Object.fromEntries(
  [...names, "monitoring/prometheus"].flatMap((name) => {
    const app = name.split("/")[1] ?? "";
    return [
      [name, { labels: { app } }],
      [`${name}-held`, { labels: { app, [marks.quarantine]: "q-1" } }],
    ];
  }),
);
const namespaces = [...new Set(Object.keys(pods).map((name) => name.split("/")[0] ?? ""))];
const denied = namespaces.map((namespace) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "default-deny", namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
})) as readonly WireObject[];

const outside = ["203.0.113.7", "203.0.113.200", "10.20.31.7", "10.20.31.8", "169.254.169.254"];
const ports = ["443", "5432", "5353/UDP", "8080", "9090"];

/** All connections that are open, as `payments/checkout → db/postgres:5432`. */
function openWith(objects: readonly WireObject[]): readonly string[] {
  const { ask } = createCluster({ pods, policies: [...denied, ...objects] });
  const ends = [...Object.keys(pods), ...outside];
  return ends.flatMap((from) =>
    ends
      .filter((to) => to !== from && (pods[to] !== undefined || pods[from] !== undefined))
      .flatMap((to) => ports.flatMap((port) => (isOpen(ask(from, to, port)) ? [`${from} → ${to}:${port}`] : []))),
  );
}

function isOpen({ verdict }: { readonly verdict: string }): boolean {
  if (verdict === "undecided") throw new Error("the simulator does not know");
  return verdict === "allowed";
}

function objectsOf(name: string, values: Readonly<Record<string, string>>): readonly WireObject[] {
  const template = templates.find((one) => one.name === name);
  if (template === undefined) throw new Error(`no template ${name}`);
  const bound = bindTemplate(template, values);
  if ("refusals" in bound) throw new Error(JSON.stringify(bound.refusals));
  const found = resolveOpenings(bound, {
    workload: ({ namespace, name: app }) => ({ namespace, selector: { matchLabels: { app } }, name: app }),
    dns,
  });
  if ("refusals" in found) throw new Error(JSON.stringify(found.refusals));
  const metadata = (index: number) => ({ name: `bulkhead-a-1-${index}` });
  return allowObjects({ openings: found.openings, halves: "all", metadata }) as readonly WireObject[];
}

/** A template, values for it, and everything that it is to open. */
const intended: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  ["dns", { workload: "payments/checkout" }, ["payments/checkout → kube-system/dns:5353/UDP"]],
  [
    "identity-provider",
    { workload: "payments/checkout", cidr: "203.0.113.0/28" },
    ["payments/checkout → 203.0.113.7:443"],
  ],
  [
    "from-ingress",
    { workload: "payments/checkout", port: "8080" },
    ["ingress-nginx/controller → payments/checkout:8080"],
  ],
  [
    "database-failover",
    { workload: "payments/checkout", cidr: "10.20.31.7/32" },
    ["payments/checkout → 10.20.31.7:5432"],
  ],
  [
    "egress-to-cidr",
    { workload: "payments/checkout", cidr: "203.0.113.0/24" },
    ["payments/checkout → 203.0.113.7:443", "payments/checkout → 203.0.113.200:443"],
  ],
  [
    "monitoring-scrapes",
    { namespace: "payments", port: "9090" },
    ["monitoring/prometheus → payments/checkout:9090", "monitoring/prometheus → payments/cart:9090"],
  ],
  [
    "between-workloads",
    { from: "payments/checkout", to: "db/postgres", port: "5432" },
    ["payments/checkout → db/postgres:5432"],
  ],
  [
    "between-workloads",
    { from: "payments/checkout", to: "payments/cart", port: "5353", protocol: "UDP" },
    ["payments/checkout → payments/cart:5353/UDP"],
  ],
];

test("Without an allowance everything is closed", () => {
  expect(openWith([])).toEqual([]);
});

describe("A template that ships opens exactly the intended path", () => {
  test.each(intended)("%s %j", (name, values, expected) => {
    expect(openWith(objectsOf(name, values)).toSorted()).toEqual(expected.toSorted());
  });

  test("pause-default-deny opens all of one namespace that is not in quarantine, where the other side lets it", () => {
    const opened = openWith(objectsOf("pause-default-deny", { namespace: "payments" }));
    const own = ["payments/checkout", "payments/cart"];
    const within = own.flatMap((from) => own.filter((to) => to !== from).map((to) => [from, to]));
    const around = own.flatMap((pod) =>
      outside.flatMap((address) => [
        [pod, address],
        [address, pod],
      ]),
    );
    const expected = [...within, ...around].flatMap(([from, to]) => ports.map((port) => `${from} → ${to}:${port}`));
    expect(opened.toSorted()).toEqual(expected.toSorted());
  });

  test("from-ingress opens from no namespace but an ingress controller's", () => {
    const values = { workload: "payments/checkout", port: "8080", controller: "db" };
    expect(() => objectsOf("from-ingress", values)).toThrow(/controller=db is not one of ingress-nginx, traefik/);
  });

  test("no template is left out", () => {
    const tried = [...intended.map(([name]) => name), "pause-default-deny"];
    expect(new Set(tried)).toEqual(new Set(templates.map(({ name }) => name)));
  });
});
