import { describe, expect, test } from "vitest";
import type { NetworkPolicySpec } from "../../src/policy/objects.ts";
import { policyTypes, residualAllows } from "../../src/policy/residual.ts";
import { aPolicy } from "./pods.ts";

const during = { "bulkhead.dev/quarantine": "q-1", team: "core" };

describe("what stays allowed for a quarantined pod", () => {
  const cases: [string, NetworkPolicySpec, string | undefined][] = [
    [
      "a policy that needs a label which is off selects nothing",
      { podSelector: { matchLabels: { app: "checkout" } }, ingress: [{}] },
      undefined,
    ],
    ["an empty selector with a rule stays", { podSelector: {}, ingress: [{}] }, "in from anywhere"],
    ["an absent selector is an empty one", { ingress: [{}] }, "in from anywhere"],
    ["a deny-all allows nothing", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }, undefined],
    [
      "a negative selector starts to match when its label goes",
      {
        podSelector: { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] },
        policyTypes: ["Egress"],
        egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }] }],
      },
      "out to 0.0.0.0/0 except 10.0.0.0/8",
    ],
    [
      "rules of a direction that policyTypes leaves out do not count",
      { policyTypes: ["Ingress"], egress: [{}] },
      undefined,
    ],
    [
      "peers and ports are told",
      {
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
                podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
              },
            ],
            ports: [
              { protocol: "UDP", port: 53 },
              { port: 8000, endPort: 9000 },
            ],
          },
        ],
      },
      "out to pods with k8s-app=kube-dns of namespaces with kubernetes.io/metadata.name=kube-system on UDP 53, TCP 8000-9000",
    ],
  ];
  test.each(cases)("%s", (_, spec, allows) => {
    expect(residualAllows([aPolicy("p", spec)], during)).toEqual(allows === undefined ? [] : [{ policy: "p", allows }]);
  });

  test("absent policyTypes are Ingress, and Egress only with egress rules", () => {
    expect(policyTypes(aPolicy("p", {}))).toEqual(["Ingress"]);
    expect(policyTypes(aPolicy("p", { egress: [] }))).toEqual(["Ingress"]);
    expect(policyTypes(aPolicy("p", { egress: [{}] }))).toEqual(["Ingress", "Egress"]);
  });
});
