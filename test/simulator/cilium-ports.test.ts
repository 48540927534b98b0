import { expect, test } from "vitest";
import { inShop, runCases } from "./cilium-case.ts";
import { createCluster } from "./cluster.ts";

// What the L4 part of a rule matches, and what L7 below it leaves open.
runCases([
  {
    title: "Peers and ports of one rule must both match",
    source: "Layer 4 Policies, Labels-dependent Layer 4 rule: examples/policies/l4/l3_l4_combined.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
      toPorts: [{ ports: [{ port: "80", protocol: TCP }] }]
`,
    says: `
      frontend backend 80     allowed
      frontend backend 81     denied
      frontend backend 80/UDP denied
      cache    backend 80     denied
    `,
  },
  {
    title: "CIDR and ports of one rule must both match",
    source: "Layer 4 Policies, CIDR-dependent Layer 4 Rule: examples/policies/l4/cidr_l4_combined.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress:
    - toCIDR: [192.0.2.0/24]
      toPorts: [{ ports: [{ port: "80", protocol: TCP }] }]
`,
    says: `
      backend 192.0.2.9   80  allowed
      backend 192.0.2.9   443 denied
      backend 203.0.113.7 80  denied
    `,
  },
  {
    title: "A range of ports has both its ends",
    source: "Layer 4 Policies, Example Port Ranges: examples/policies/l4/l4_port_range.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toPorts: [{ ports: [{ port: "80", endPort: 444, protocol: TCP }] }] }]
`,
    says: `
      backend 203.0.113.7 79      denied
      backend 203.0.113.7 80      allowed
      backend 203.0.113.7 444     allowed
      backend 203.0.113.7 445     denied
      backend 203.0.113.7 100/UDP denied
    `,
  },
  {
    title: "No protocol, or ANY, is TCP, UDP and SCTP",
    source: "Layer 4 Policies: 'If omitted or empty, any protocol matches'; pkg/policy/rule.go merges all three",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ toPorts: [{ ports: [{ port: "80" }, { port: "81", protocol: ANY }, { port: "82", protocol: SCTP }] }] }]
`,
    says: `
      frontend backend 80      allowed
      frontend backend 80/UDP  allowed
      frontend backend 80/SCTP allowed
      frontend backend 81/UDP  allowed
      frontend backend 82      denied
      frontend backend 82/SCTP allowed
    `,
  },
  {
    title: "Port 0 is every port of its protocol",
    source: "pkg/policy/testutils/simulate.go: 'wildcard port'; issue 965",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ toPorts: [{ ports: [{ port: "0", protocol: UDP }] }] }]
`,
    says: `
      frontend backend 1/UDP     allowed
      frontend backend 65535/UDP allowed
      frontend backend 80        denied
    `,
  },
  {
    title: "An empty list of ports is all of them",
    source: "pkg/policy/api/rule.go: 'If omitted or empty, the member will have no effect on the rule'",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }], toPorts: [] }]
`,
    says: `
      frontend backend 80/UDP allowed
      cache    backend 80     denied
    `,
  },
  {
    title: "A name is that of the destination's port, of its protocol, in any case; endPort is ignored beside it",
    source: "Layer 4 Policies: 'EndPort is ignored if Port is a named port'; rule_validation.go, case-insensitive",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ toPorts: [{ ports: [{ port: HTTP, endPort: 9000, protocol: TCP }, { port: syslog }] }] }]
`,
    says: `
      frontend backend 8080     allowed
      frontend backend 8081     denied
      frontend backend 8080/UDP denied
      frontend backend 514/UDP  allowed
      frontend backend 514      denied
    `,
  },
  {
    title: "A name is resolved on the destination at egress too, and is nothing outside",
    source: "Layer 4 Policies, named ports; cilium-cli manifests/client-egress-to-echo-named-port-deny.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  enableDefaultDeny: { egress: false }
  egressDeny: [{ toEntities: [all], toPorts: [{ ports: [{ port: http, protocol: TCP }] }] }]
`,
    says: `
      frontend backend     8080 denied
      frontend backend     80   allowed
      frontend cache       8080 allowed
      frontend 203.0.113.7 8080 allowed
    `,
  },
  {
    title: "ICMP rules allow no TCP, UDP or SCTP, and deny all of it by default",
    source: "Layer 4 Policies, Limit ICMP/ICMPv6 types: examples/policies/l4/icmp.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ icmps: [{ fields: [{ type: 8, family: IPv4 }, { type: EchoRequest, family: IPv6 }] }] }]
`,
    says: `
      backend frontend    80     denied
      backend 203.0.113.7 80/UDP denied
    `,
  },
  {
    title: "Protocols without ports allow no TCP, UDP or SCTP",
    source: "pkg/policy/api/l4.go, extended IP protocols",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ toPorts: [{ ports: [{ protocol: VRRP }, { port: "0", protocol: GRE }] }] }]
`,
    says: `
      frontend backend 80 denied
    `,
  },
  {
    title: "HTTP rules let the connection be made perhaps, and only on their port",
    source: "Layer 7 Policies; examples/policies/kubernetes/serviceaccount/serviceaccount-policy.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
      toPorts:
        - ports: [{ port: "80", protocol: TCP }]
          rules: { http: [{ method: GET, path: /public }] }
        - ports: [{ port: "81", protocol: TCP }]
`,
    says: `
      frontend backend 80 undecided
      frontend backend 81 allowed
      frontend backend 82 denied
      cache    backend 80 denied
    `,
  },
  {
    title: "What is allowed without L7 elsewhere is allowed",
    source: "Policy Enforcement Modes, Rule Basics: the broader of two rules allows",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ method: GET }] } }]
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
`,
    says: `
      frontend backend 80 allowed
      cache    backend 80 undecided
    `,
  },
  {
    title: "A deny wins over an allow with L7",
    source: "Deny Policies, second column of the table",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ method: GET }] } }] }]
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
`,
    says: `
      frontend backend 80 undecided
      cache    backend 80 denied
    `,
  },
  {
    title: "L7 rules may stop what they do not let through even where default deny is off",
    source: "Policy Enforcement Modes, warning at EnableDefaultDeny; pull request 38841",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false }
  ingress:
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
      toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ method: GET }] } }]
`,
    says: `
      frontend backend 80 undecided
      frontend backend 81 allowed
      cache    backend 80 allowed
    `,
  },
  {
    title: "What L7 rules may stop without default deny, another policy may allow",
    source: "Policy Enforcement Modes, Rule Basics and the warning at EnableDefaultDeny",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false }
  ingress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ method: GET }] } }] }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: frontend-in, namespace: shop }
spec:
  podSelector: { matchLabels: { role: backend } }
  ingress: [{ from: [{ podSelector: { matchLabels: { role: frontend } } }] }]
`,
    says: `
      frontend backend 80 allowed
      cache    backend 80 undecided
      cache    backend 81 denied
    `,
  },
  {
    title: "DNS of every name, without default deny, stops nothing",
    source: "Policy Enforcement Modes, intercept-all-dns",
    policies: `
clusterwide: true
spec:
  endpointSelector:
    matchExpressions:
      - { key: io.kubernetes.pod.namespace, operator: NotIn, values: [kube-system] }
      - { key: k8s-app, operator: NotIn, values: [kube-dns] }
  enableDefaultDeny: { egress: false, ingress: false }
  egress:
    - toEndpoints: [{ matchLabels: { io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns } }]
      toPorts:
        - ports: [{ port: "53", protocol: TCP }, { port: "53", protocol: UDP }]
          rules: { dns: [{ matchPattern: "*" }] }
`,
    says: `
      frontend dns         53/UDP allowed
      frontend 203.0.113.7 443    allowed
      luke     backend     80     allowed
    `,
  },
  {
    title: "TLS names, TLS contexts and listeners let the connection be made perhaps",
    source: "Layer 4 Policies, Limit TLS Server Name Indication (l4_sni.yaml), Redirect traffic to an Envoy listener",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress:
    - toPorts:
        - ports: [{ port: "443", protocol: TCP }]
          serverNames: [one.one.one.one]
        - ports: [{ port: "444", protocol: TCP }]
          originatingTLS: { secret: { name: ca, namespace: shop } }
        - ports: [{ port: "80", protocol: TCP }]
          listener: { envoyConfig: { kind: CiliumClusterwideEnvoyConfig, name: proxy }, name: add-header }
`,
    says: `
      backend 203.0.113.7 443 undecided
      backend 203.0.113.7 444 undecided
      backend 203.0.113.7 80  undecided
      backend 203.0.113.7 22  denied
    `,
  },
  {
    title: "Required authentication lets the connection be made perhaps; disabled is as none",
    source: "Mutual Authentication; pkg/policy/api/rule.go, Authentication: examples/policies/auth/auth.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }], authentication: { mode: required } }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }], authentication: { mode: disabled } }]
`,
    says: `
      frontend backend 80 undecided
      luke     backend 80 denied
      frontend cache   80 allowed
    `,
  },
  {
    title: "An entry of ports without a port, and an empty deny rule, are not evaluated",
    source: "neither is documented; pkg/policy/types and pkg/policy/testutils/simulate.go read the latter differently",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }], toPorts: [{}] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
  ingressDeny: [{}]
`,
    says: `
      frontend backend 80 undecided
      luke     backend 80 denied
      frontend cache   80 undecided
      luke     cache   80 denied
    `,
  },
]);

test("What is not evaluated is told with the rule that asks it", () => {
  const policies = inShop(`
spec:
  endpointSelector: {}
  ingress:
    - toPorts: [{ ports: [{ port: "80", protocol: TCP }], rules: { http: [{ path: /public }] } }]
    - toPorts: [{ ports: [{ port: "90", protocol: TCP }], rules: { http: [{}] } }]
    - icmps: [{ fields: [{ type: 8 }] }]
    - fromEntities: [cluster]
      toPorts: [{ ports: [{ port: "22" }] }]
`);
  const { ask } = createCluster({ pods: { "shop/web": {}, "shop/api": {} }, policies });
  const { notEvaluated, because } = ask("shop/web", "shop/api", 80).ingress;
  expect(notEvaluated.map(({ what }) => what)).toEqual([
    "ingress[0].toPorts[0]: L7 rules (http) are not evaluated",
    "ingress[1].toPorts[0]: its proxy lets only HTTP through",
    "ingress[2]: ICMP is not evaluated",
    "ingress[3]: an API server outside belongs to the entity cluster too, and is not known",
  ]);
  expect(because.map((reason) => reason.kind)).toEqual(["rule", "isolated"]);
});
