import { describe, expect, test } from "vitest";
import { type Leak, leaks } from "../../src/simulator/leaks.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { portsByProtocol } from "../../src/simulator/ports.ts";
import type { EngineName } from "../../src/simulator/snapshot.ts";
import { type ClusterInWords, createCluster } from "./cluster.ts";
import { objectsOf } from "./contained.ts";

/** What is left of a quarantine of shop/web by NetworkPolicy alone, the only pod, so that all others are absent. */
function absent(policies: readonly WireObject[], words: Partial<ClusterInWords> = {}): readonly Leak[] {
  const ours = objectsOf("networkpolicy", "shop", []);
  const pods = { "shop/web": { labels: { "bulkhead.dev/quarantine": "q-1" } }, ...words.pods };
  const { simulator } = createCluster({ ...words, pods, policies: [...policies, ...ours] });
  return leaks(simulator, simulator.snapshot.pods.slice(0, 1), ours);
}

function object(apiVersion: string, kind: string, spec: object, namespace: string | undefined = "shop"): WireObject {
  return { apiVersion, kind, metadata: { name: "p", namespace }, spec };
}

const networkPolicy = (spec: object) => object("networking.k8s.io/v1", "NetworkPolicy", spec);

/** `ingress from {app: x} in ns TCP 80`. */
function words({ direction, end, sure }: Leak): string {
  if (end.kind !== "absent pods") return `${direction} ${end.kind} ${sure}`;
  const { namespace, labels, serviceAccount } = end.like ?? {
    namespace: { name: "?" },
    labels: {},
    serviceAccount: "?",
  };
  const account = serviceAccount === "default" ? "" : ` as ${serviceAccount}`;
  return `${direction} ${JSON.stringify(labels)} of ${namespace.name}${account} ${sure}`;
}

describe("a rule that lets in pods which are not there is found", () => {
  const labelled = { podSelector: { matchLabels: { app: "x" } } };
  const named = (name: string) => ({ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } });
  const cases: [string, WireObject, EngineName | undefined, string[]][] = [
    [
      "of its own namespace",
      networkPolicy({ ingress: [{ from: [labelled] }] }),
      undefined,
      ['ingress {"app":"x"} of shop true'],
    ],
    [
      "of a namespace that is not there either",
      networkPolicy({ policyTypes: ["Egress"], egress: [{ to: [{ ...named("logs"), ...labelled }] }] }),
      undefined,
      ['egress {"app":"x"} of logs true'],
    ],
    [
      "by expressions of every kind",
      networkPolicy({
        ingress: [
          {
            from: [
              {
                podSelector: {
                  matchExpressions: [
                    { key: "a", operator: "In", values: ["1", "2"] },
                    { key: "a", operator: "NotIn", values: ["1"] },
                    { key: "b", operator: "Exists" },
                    { key: "b", operator: "NotIn", values: ["any"] },
                    { key: "c", operator: "DoesNotExist" },
                  ],
                },
              },
            ],
          },
        ],
      }),
      undefined,
      ['ingress {"a":"2","b":"other"} of shop true'],
    ],
    [
      "but not by a selector that selects nothing",
      networkPolicy({
        ingress: [
          {
            from: [
              { podSelector: { matchLabels: { a: "1" }, matchExpressions: [{ key: "a", operator: "DoesNotExist" }] } },
            ],
          },
        ],
      }),
      undefined,
      [],
    ],
    [
      "by the label of a namespace and a service account, of Cilium",
      object("cilium.io/v2", "CiliumNetworkPolicy", {
        endpointSelector: {},
        ingress: [
          {
            fromEndpoints: [
              {
                matchLabels: {
                  "k8s:io.cilium.k8s.namespace.labels.team": "red",
                  "io.cilium.k8s.policy.serviceaccount": "bot",
                  app: "x",
                },
              },
            ],
          },
        ],
      }),
      "cilium",
      ['ingress {"app":"x"} of elsewhere as bot true'],
    ],
    [
      "by nodes, of Cilium, but not by its own node",
      object("cilium.io/v2", "CiliumNetworkPolicy", {
        endpointSelector: {},
        ingress: [{ fromEntities: ["host"] }, { fromEntities: ["remote-node"] }],
      }),
      "cilium",
      ["ingress absent nodes true"],
    ],
    [
      "by Calico's selectors",
      object("projectcalico.org/v3", "NetworkPolicy", {
        tier: "default",
        order: 10,
        selector: "all()",
        types: ["Ingress"],
        ingress: [
          {
            action: "Allow",
            source: {
              namespaceSelector: "team == 'red'",
              selector: "(app in {'x', 'y'} || b == 'c') && has(d) && e != 'f'",
            },
          },
        ],
      }),
      "calico",
      ['ingress {"app":"x","d":"any"} of elsewhere true'],
    ],
    [
      "by Calico's selectors of which the first alternative cannot be, perhaps",
      object("projectcalico.org/v3", "NetworkPolicy", {
        tier: "default",
        order: 10,
        selector: "all()",
        types: ["Ingress"],
        ingress: [{ action: "Allow", source: { selector: "(a == 'x' && a != 'x') || b == 'y'" } }],
      }),
      "calico",
      ["ingress {} of ? as ? false"],
    ],
    [
      "by Antrea's rules",
      object("crd.antrea.io/v1beta1", "NetworkPolicy", {
        priority: 1,
        appliedTo: [{ podSelector: {} }],
        ingress: [{ action: "Allow", from: [labelled] }],
      }),
      "antrea",
      ['ingress {"app":"x"} of shop true'],
    ],
  ];
  test.each(cases)("%s", (_, policy, engine, expected) => {
    expect(absent([policy], { settings: { engine } }).map(words)).toEqual(expected);
  });
});

const scrape = networkPolicy({
  ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }], ports: [{ port: 9090 }] }],
});

test("Of several namespaces that are meant, those that are there are tried", () => {
  const [leak, ...more] = absent([scrape], { namespaces: { a: {}, b: { team: "ops" } } });
  expect(leak && words(leak)).toBe("ingress {} of b true");
  expect(portsByProtocol(leak!.ports)).toEqual({ TCP: [[9090, 9090]] });
  expect(more).toEqual([]);
});

test("A rule that lets in a pod which is there is told of that pod alone", () => {
  const found = absent([scrape], { namespaces: { b: { team: "ops" } }, pods: { "b/prometheus": {} } });
  expect(found.map(({ end }) => end.kind)).toEqual(["pods"]);
});

test("A rule whose pods are there, and are kept from it by their own policies, is told", () => {
  const closed = { ...networkPolicy({ policyTypes: ["Egress"] }), metadata: { name: "closed", namespace: "b" } };
  const found = absent([scrape, closed], { namespaces: { b: { team: "ops" } }, pods: { "b/prometheus": {} } });
  expect(found.map(words)).toEqual(["ingress {} of b true"]);
});

test("What our own endpoints let in is no leak, and what another policy lets the same pods do beyond it is", () => {
  const ours = objectsOf("networkpolicy", "shop", [
    {
      name: "prometheus",
      purpose: "monitoring",
      direction: "ingress",
      peer: { namespaceSelector: { matchLabels: { team: "ops" } } },
      ports: [{ port: 9090 }],
    },
  ]);
  const pods = { "shop/web": { labels: { "bulkhead.dev/quarantine": "q-1" } } };
  const found = [
    [],
    [scrape],
    [networkPolicy({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: "ops" } } }] }] })],
  ].map((policies) => {
    const { simulator } = createCluster({ pods, policies: [...policies, ...ours] });
    return leaks(simulator, simulator.snapshot.pods, ours).map(({ ports }) => portsByProtocol(ports).TCP);
  });
  expect(found).toEqual([
    [],
    [],
    [
      [
        [1, 9089],
        [9091, 65_535],
      ],
    ],
  ]);
});
