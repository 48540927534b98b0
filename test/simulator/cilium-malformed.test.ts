import { expect, test } from "vitest";
import { parse } from "yaml";
import { ciliumTranslator } from "../../src/simulator/cilium.ts";
import type { WireObject } from "../../src/simulator/model.ts";
import { createCluster } from "./cluster.ts";

const head = { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", metadata: { name: "case", namespace: "shop" } };

function problems(object: object): readonly string[] {
  const wire = { ...head, ...object } as WireObject;
  const translation = ciliumTranslator([]).translate(wire);
  return "problems" in translation ? translation.problems.map(({ field, message }) => `${field} ${message}`) : [];
}

const ofSpec = (yaml: string) => problems({ spec: parse(`{ endpointSelector: {}, ${yaml} }`) as unknown });

test.each<[string, string, string]>([
  ["an unknown field", "ingres: [{}], ingress: [{}]", "spec.ingres is no field here"],
  ["an unknown field of a rule", "ingress: [{ fromEndpoint: [{}] }]", "spec.ingress[0].fromEndpoint is no field here"],
  ["peers of the other direction", "ingress: [{ toEntities: [all] }]", "spec.ingress[0].toEntities is no field here"],
  [
    "names in a deny rule",
    "egressDeny: [{ toFQDNs: [{ matchName: a.com }] }]",
    "spec.egressDeny[0].toFQDNs is no field here",
  ],
  [
    "L7 in a deny rule",
    'egressDeny: [{ toPorts: [{ ports: [{ port: "80" }], rules: { http: [{}] } }] }]',
    "spec.egressDeny[0].toPorts[0].rules is no field here",
  ],
  ["no rule at all", "ingress: []", "spec has no rule in ingress, ingressDeny, egress or egressDeny"],
  [
    "both selectors",
    "nodeSelector: {}, ingress: [{}]",
    "spec needs exactly one of endpointSelector, nodeSelector, but endpointSelector and nodeSelector are there",
  ],
  ["rules that are no list", "ingress: {}", "spec.ingress is a mapping; it must be a list"],
  [
    "an unknown entity",
    "ingress: [{ fromEntities: [internet] }]",
    "spec.ingress[0].fromEntities[0] must be all, world, world-ipv4",
  ],
  [
    "a port that is a number",
    "ingress: [{ toPorts: [{ ports: [{ port: 80 }] }] }]",
    "ports[0].port is a number; it must be text",
  ],
  [
    "a port out of range",
    'ingress: [{ toPorts: [{ ports: [{ port: "65536" }] }] }]',
    "ports[0].port is no port: 0 to 65535",
  ],
  ["an octal port", 'ingress: [{ toPorts: [{ ports: [{ port: "010" }] }] }]', "ports[0].port is no port: 0 to 65535"],
  ["no port", "ingress: [{ toPorts: [{ ports: [{ protocol: TCP }] }] }]", "ports[0].port is missing"],
  [
    "a range that ends before it begins",
    'ingress: [{ toPorts: [{ ports: [{ port: "90", endPort: 80 }] }] }]',
    "ports[0].endPort must be at least the port, 90",
  ],
  [
    "a port for a protocol without ports",
    'ingress: [{ toPorts: [{ ports: [{ port: "90", protocol: GRE }] }] }]',
    "ports[0].port must be absent or 0 with GRE",
  ],
  [
    "a protocol in lower case",
    'ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: tcp }] }] }]',
    "ports[0].protocol must be TCP, UDP, SCTP, ANY",
  ],
  ["a CIDR without a prefix", "ingress: [{ fromCIDR: [10.0.0.1] }]", "spec.ingress[0].fromCIDR[0] is no CIDR such as"],
  [
    "an exception outside of its CIDR",
    "egress: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, except: [192.0.2.0/24] }] }]",
    "spec.egress[0].toCIDRSet[0].except[0] must lie inside 10.0.0.0/8",
  ],
  [
    "a CIDR and a group in one",
    "egress: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, cidrGroupRef: a }] }]",
    "spec.egress[0].toCIDRSet[0] needs exactly one of cidr, cidrGroupRef, cidrGroupSelector",
  ],
  [
    "two kinds of peers in one rule",
    "ingress: [{ fromEndpoints: [{}], fromEntities: [world] }]",
    "spec.ingress[0].fromEntities cannot stand beside fromEndpoints in one rule",
  ],
  [
    "ICMP and ports in one rule",
    'ingress: [{ toPorts: [{ ports: [{ port: "80" }] }], icmps: [{ fields: [{ type: 8 }] }] }]',
    "spec.ingress[0].icmps cannot stand beside toPorts in one rule",
  ],
  [
    "what was removed",
    "ingress: [{ fromRequires: [{ matchLabels: { env: prod } }] }]",
    "spec.ingress[0].fromRequires was removed in Cilium 1.19",
  ],
  [
    "DNS rules at ingress",
    'ingress: [{ toPorts: [{ ports: [{ port: "53" }], rules: { dns: [{ matchPattern: "*" }] } }] }]',
    "spec.ingress[0].toPorts[0].rules.dns is for egress only",
  ],
  [
    "a listener at ingress",
    'ingress: [{ toPorts: [{ ports: [{ port: "80" }], listener: { envoyConfig: { name: a }, name: b } }] }]',
    "spec.ingress[0].toPorts[0].listener is for egress only",
  ],
  [
    "L7 rules of two kinds",
    'egress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{}], kafka: [{}] } }] }]',
    "spec.egress[0].toPorts[0].rules has http and kafka; only one may be there",
  ],
  [
    "HTTP rules on any protocol",
    'egress: [{ toPorts: [{ ports: [{ port: "80" }], rules: { http: [{}] } }] }]',
    "ports[0].protocol must be TCP with L7 rules",
  ],
  [
    "L7 rules on every port",
    'egress: [{ toPorts: [{ ports: [{ port: "0", protocol: TCP }], rules: { http: [{}] } }] }]',
    "ports[0].port must not be 0 with L7 rules",
  ],
  [
    "too many ports",
    `ingress: [{ toPorts: [{ ports: [${'{ port: "1" }, '.repeat(41)}] }] }]`,
    "spec.ingress[0].toPorts[0].ports must have at most 40 entries",
  ],
  [
    "a label key that is none",
    'ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:-app": a } }] }]',
    "is no label key such as app, k8s:app or reserved:host",
  ],
  [
    "an operator without its values",
    "ingress: [{ fromEndpoints: [{ matchExpressions: [{ key: app, operator: In }] }] }]",
    "matchExpressions[0].values must have a value, as the operator is In",
  ],
  [
    "an authentication mode that is none",
    "ingress: [{ authentication: { mode: always } }]",
    "spec.ingress[0].authentication.mode must be disabled, required or test-always-fail",
  ],
  [
    "default deny that is no switch",
    'enableDefaultDeny: { ingress: "false" }, ingress: [{}]',
    "spec.enableDefaultDeny.ingress is text; it must be true or false",
  ],
])("Of a policy with %s the field is told", (_, yaml, problem) => {
  const found = ofSpec(yaml);
  expect(found.filter((each) => each.includes(problem))).toHaveLength(1);
  expect(found.filter((each) => !each.includes(problem))).toEqual([]);
});

test("A policy of no spec, of another version, or for nodes in a namespace is told", () => {
  expect(problems({})).toEqual(["spec is missing, and so is specs"]);
  expect(problems({ specs: [{ endpointSelector: {}, ingress: [{}] }, { ingress: [{}] }] })).toEqual([
    "specs[1] needs exactly one of endpointSelector, nodeSelector, but none is there",
  ]);
  expect(problems({ apiVersion: "cilium.io/v3", spec: { endpointSelector: {}, ingress: [{}] } })).toEqual([
    "apiVersion must be cilium.io/v2",
  ]);
  expect(problems({ spec: { nodeSelector: {}, ingress: [{}] } })).toEqual([
    "spec.nodeSelector is for CiliumClusterwideNetworkPolicy only",
  ]);
  expect(problems({ kind: "CiliumCIDRGroup", spec: { externalCIDRs: ["10.0.0.0/33"] } })).toEqual([
    "spec.externalCIDRs[0] is no CIDR such as 10.1.0.0/16",
  ]);
});

test("A null is as absent, not as an empty list", () => {
  expect(ofSpec("ingress: [{ fromEndpoints: null, toPorts: null, icmps: null }], egress: null")).toEqual([]);
});

test("Only the policies and CIDR groups of cilium.io are read", () => {
  const { reads } = ciliumTranslator([]);
  const kinds = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "CiliumCIDRGroup", "CiliumEndpoint"];
  expect(kinds.map((kind) => reads({ ...head, kind }))).toEqual([true, true, true, false]);
  expect(reads({ ...head, apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" })).toBe(false);
});

test("What a policy that cannot be read may select is undecided", () => {
  const policies = [{ ...head, spec: { endpointSelector: {}, ingress: [{ fromEntity: ["all"] }] } }];
  const { ask } = createCluster({ pods: { "shop/web": {}, "shop/api": {}, "ops/luke": {} }, policies });
  expect(ask("shop/web", "shop/api", 80).verdict).toBe("undecided");
  expect(ask("ops/luke", "203.0.113.7", 80).verdict).toBe("allowed");
});
