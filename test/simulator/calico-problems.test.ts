import { describe, expect, test } from "vitest";
import type { WireObject } from "../../src/simulator/model.ts";
import { cluster, global, local, problemsIn, tier } from "./calico-cases.ts";

describe("What cannot be read", () => {
  const rule = (fields: string) => local("shop/p", `{ ingress: [{ action: Allow, ${fields} }] }`);
  const cases: readonly [title: string, object: WireObject, problem: RegExp][] = [
    [
      "a selector",
      local("shop/p", `{ selector: "app = 'a'" }`),
      /^spec\.selector is no selector of Calico: it cannot be read/,
    ],
    ["a rule's selector", rule("source: { selector: app }"), /^spec\.ingress\[0\]\.source\.selector is no selector/],
    [
      "global() outside of a namespaceSelector",
      rule("source: { selector: global() }"),
      /source\.selector must not use global/,
    ],
    ["global() with more", rule("source: { namespaceSelector: global() || has(a) }"), /combines global/],
    ["an unknown field", local("shop/p", "{ podSelector: {} }"), /^spec\.podSelector is no field here/],
    [
      "a field of GlobalNetworkPolicy only",
      local("shop/p", "{ namespaceSelector: all() }"),
      /^spec\.namespaceSelector is no/,
    ],
    ["an unknown field of a rule", rule("from: []"), /^spec\.ingress\[0\]\.from is no field here/],
    [
      "an unknown action",
      local("shop/p", "{ ingress: [{ action: Accept }] }"),
      /ingress\[0\]\.action must be Allow, Deny/,
    ],
    ["no action", local("shop/p", "{ ingress: [{ protocol: TCP }] }"), /ingress\[0\]\.action/],
    ["a protocol", rule("protocol: tcp"), /ingress\[0\]\.protocol/],
    ["a net", rule("source: { nets: [10.0.0.0/33] }"), /source\.nets\[0\] is no CIDR/],
    ["a port", rule("protocol: TCP, destination: { ports: ['80-90'] }"), /destination\.ports\[0\] is no port/],
    ["a range backwards", rule("protocol: TCP, destination: { ports: ['90:80'] }"), /destination\.ports\[0\]/],
    ["a port without a protocol", rule("destination: { ports: [80] }"), /destination\.ports needs protocol TCP, UDP/],
    ["a port of ICMP", rule("protocol: ICMP, destination: { ports: [sql] }"), /destination\.ports needs protocol TCP/],
    ["icmp of TCP", rule("protocol: TCP, icmp: { type: 8 }"), /icmp needs protocol ICMP/],
    [
      "services beside a selector",
      rule("source: { services: { name: a }, selector: all() }"),
      /selector must not stand beside/,
    ],
    [
      "services of the policy's own pods",
      rule("destination: { services: { name: a } }"),
      /services is only for the source/,
    ],
    [
      "services without a namespace in a GlobalNetworkPolicy",
      global("p", "{ egress: [{ action: Allow, destination: { services: { name: a } } }] }"),
      /^spec\.egress\[0\]\.destination\.services\.namespace is needed/,
    ],
    [
      "requests that go out",
      local("shop/p", "{ egress: [{ action: Allow, http: {} }] }"),
      /^spec\.egress\[0\]\.http is only for ingress rules/,
    ],
    [
      "requests that are denied",
      local("shop/p", "{ ingress: [{ action: Deny, http: {} }] }"),
      /http is only for the action Allow/,
    ],
    ["doNotTrack without applyOnForward", global("p", "{ doNotTrack: true }"), /^spec\.applyOnForward must be true/],
    ["an order", global("p", "{ order: first }"), /^spec\.order is text; it must be a number/],
    ["types", global("p", "{ types: [ingress] }"), /^spec\.types\[0\] must be Ingress or Egress/],
    ["a tier that is nowhere", global("p", "{ tier: nowhere }"), /^spec\.tier names the tier nowhere, which is not/],
    ["a tier's order", tier("t", "{ order: '5' }"), /^spec\.order is text/],
    ["a tier's action", tier("t", "{ defaultAction: Allow }"), /^spec\.defaultAction must be Pass or Deny/],
    [
      "a version that nobody knows",
      { ...global("p", "{}"), apiVersion: "projectcalico.org/v1" },
      /^apiVersion must be projectcalico\.org\/v3 or crd\.projectcalico\.org\/v1$/,
    ],
    ["a spec that is a list", global("p", "[]"), /^spec is a list; it must be a mapping/],
  ];

  for (const [title, object, problem] of cases)
    test(`${title} is a problem at its field, and what the policy may select is undecided`, () => {
      expect(problemsIn(object)).toEqual([expect.stringMatching(problem)]);
      expect(cluster([object]).ask("ops/web", "shop/db", 80).verdict).toBe("undecided");
    });
});
