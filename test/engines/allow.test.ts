import fc from "fast-check";
import { expect, test } from "vitest";
import { type Allowing, allowObjects } from "../../src/engines/allow.ts";
import { marks } from "../../src/policy/marks.ts";
import type { LabelSelector } from "../../src/policy/objects.ts";
import type { End, Opening, PodsEnd } from "../../src/policy/openings.ts";
import { selects } from "../../src/policy/selector.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { createCluster, type PodInWords } from "../simulator/cluster.ts";

const metadata: Allowing["metadata"] = (index) => ({ name: `bulkhead-a-1-${index}`, labels: {}, annotations: {} });

function pods(namespace: string, selector: LabelSelector): PodsEnd {
  return { kind: "pods", namespace, selector, name: namespace };
}

const web = pods("shop", { matchLabels: { app: "web" } });
const db = pods("db", { matchExpressions: [{ key: "app", operator: "In", values: ["pg", "my"] }] });
const tcp = [{ protocol: "TCP", port: 5432 }] as const;

const notQuarantined = { key: marks.quarantine, operator: "DoesNotExist" };

test("An opening between pods is an egress object on the one side and an ingress object on the other", () => {
  const objects = allowObjects({ openings: [{ from: web, to: db, ports: tcp }], halves: "all", metadata });
  expect(objects).toEqual([
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "bulkhead-a-1-0", namespace: "shop", labels: {}, annotations: {} },
      spec: {
        podSelector: { matchLabels: { app: "web" }, matchExpressions: [notQuarantined] },
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              {
                podSelector: { matchExpressions: [...(db.selector.matchExpressions ?? []), notQuarantined] },
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "db" } },
              },
            ],
            ports: tcp,
          },
        ],
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "bulkhead-a-1-1", namespace: "db", labels: {}, annotations: {} },
      spec: {
        podSelector: { matchExpressions: [...(db.selector.matchExpressions ?? []), notQuarantined] },
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [
              {
                podSelector: { matchLabels: { app: "web" }, matchExpressions: [notQuarantined] },
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
              },
            ],
            ports: tcp,
          },
        ],
      },
    },
  ]);
});

test("Only the halves that are wanted are written, and no object where none is", () => {
  const openings = [{ from: web, to: db, ports: tcp }];
  const ingressOnly = allowObjects({ openings, halves: (_, direction) => direction === "ingress", metadata });
  expect(ingressOnly.map(({ metadata: { namespace }, spec }) => [namespace, spec.policyTypes])).toEqual([
    ["db", ["Ingress"]],
  ]);
  expect(allowObjects({ openings, halves: ({ namespace }) => namespace === "elsewhere", metadata })).toEqual([]);
});

test("Openings of the same pods are one object, and what is said twice one rule", () => {
  const block: End = { kind: "block", cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] };
  const openings: Opening[] = [
    { from: web, to: block, ports: tcp },
    { from: { ...web, name: "the same" }, to: block, ports: tcp },
    { from: web, to: { kind: "anything" }, ports: undefined },
    { from: { kind: "anything" }, to: web, ports: undefined },
  ];
  const objects = allowObjects({ openings, halves: "all", metadata });
  expect(objects.map(({ spec: { policyTypes, egress, ingress } }) => ({ policyTypes, egress, ingress }))).toEqual([
    {
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }], ports: tcp }, {}],
      ingress: undefined,
    },
    { policyTypes: ["Ingress"], egress: undefined, ingress: [{}] },
  ]);
});

test("A DNS that configuration names by more than one namespace is a peer, and no object of its own", () => {
  const peer = { namespaceSelector: { matchLabels: { dns: "yes" } } };
  const openings: Opening[] = [{ from: web, to: { kind: "peer", peer, name: "dns" }, ports: tcp }];
  const objects = allowObjects({ openings, halves: "all", metadata });
  expect(objects.map(({ spec: { egress } }) => egress)).toEqual([
    [{ to: [{ ...peer, podSelector: { matchExpressions: [notQuarantined] } }], ports: tcp }],
  ]);
});

test("An empty list of ports is no opening of all ports", () => {
  const openings = [{ from: web, to: db, ports: [] }];
  expect(() => allowObjects({ openings, halves: "all", metadata })).toThrow(/undefined means all/);
});

const namespaces = ["shop", "db"];
const apps = ["web", "pg"];
const ports = [443, 5432, 5433];
const addresses = ["10.0.0.1", "10.1.0.1", "203.0.113.9"];

const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...apps).map((app) => ({ matchLabels: { app } })),
  fc.record({
    matchExpressions: fc.constantFrom<NonNullable<LabelSelector["matchExpressions"]>>(
      [{ key: "app", operator: "NotIn", values: ["web"] }],
      [{ key: "tier", operator: "Exists" }],
      [{ key: "tier", operator: "DoesNotExist" }],
    ),
  }),
);
const podsEnd = fc.tuple(fc.constantFrom(...namespaces), selector).map(([where, one]) => pods(where, one));
const end: fc.Arbitrary<End> = fc.oneof(
  { weight: 4, arbitrary: podsEnd },
  fc.constant<End>({ kind: "block", cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }),
  fc.constant<End>({ kind: "anything" }),
);
const opening: fc.Arbitrary<Opening> = fc.record({
  from: end,
  to: end,
  ports: fc.option(fc.constantFrom([{ protocol: "TCP", port: 5432 }], [{ port: 5432, endPort: 5433 }] as const), {
    nil: undefined,
  }) as fc.Arbitrary<Opening["ports"]>,
});

/** All pods of both namespaces are isolated in both directions, and one of each app is in quarantine. */
const cluster: Readonly<Record<string, PodInWords>> = Object.fromEntries(
  namespaces.flatMap((namespace) =>
    apps.flatMap((app, index) => [
      [`${namespace}/${app}`, { labels: { app, ...(index === 0 ? { tier: "1" } : {}) } }],
      [`${namespace}/${app}-held`, { labels: { app, tier: "1", [marks.quarantine]: "q-1" } }],
    ]),
  ),
);
const isolated = namespaces.map((namespace) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "deny", namespace },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
})) as readonly WireObject[];

/** Whether the end is meant, by its own words; a pod in quarantine never is, but for an end that is anything. */
function isMeant(meant: End, name: string): boolean {
  const labels = cluster[name]?.labels;
  if (meant.kind === "anything") return true;
  if (meant.kind === "block") return labels === undefined && name.startsWith("10.") && !name.startsWith("10.1.");
  if (meant.kind !== "pods" || labels === undefined || labels[marks.quarantine] !== undefined) return false;
  return name.startsWith(`${meant.namespace}/`) && selects(meant.selector, labels);
}

/** By the definition: some opening covers the source's way out, and some the destination's way in. */
function isOpen(openings: readonly Opening[], from: string, to: string, port: number): boolean {
  const covers = ({ from: source, to: target, ports: open }: Opening) =>
    isMeant(source, from) &&
    isMeant(target, to) &&
    (open === undefined || open.some((one) => Number(one.port) <= port && port <= (one.endPort ?? Number(one.port))));
  const out = cluster[from] === undefined || openings.some((one) => one.from.kind === "pods" && covers(one));
  const into = cluster[to] === undefined || openings.some((one) => one.to.kind === "pods" && covers(one));
  return out && into;
}

test("Read back by the simulator, the objects open what the openings say and nothing else", () => {
  const seen = { open: 0, closed: 0 };
  fc.assert(
    fc.property(fc.array(opening, { minLength: 1, maxLength: 3 }), (openings) => {
      const objects = allowObjects({ openings, halves: "all", metadata }) as readonly WireObject[];
      const { ask } = createCluster({ pods: cluster, policies: [...isolated, ...objects] });
      const ends = [...Object.keys(cluster), ...addresses];
      for (const [from, to] of ends.flatMap((one) => ends.map((other) => [one, other] as const))) {
        if (from === to || (cluster[from] === undefined && cluster[to] === undefined)) continue;
        const wrong = ports.filter((port) => {
          const expected = isOpen(openings, from, to, port);
          seen[expected ? "open" : "closed"] += 1;
          return ask(from, to, port).verdict !== (expected ? "allowed" : "denied");
        });
        expect({ from, to, wrong }).toEqual({ from, to, wrong: [] });
      }
    }),
    { numRuns: 15 },
  );
  expect(seen.open).toBeGreaterThan(20);
  expect(seen.closed).toBeGreaterThan(500);
});
