import { expect, test } from "vitest";
import { inShop, runCases } from "./cilium-case.ts";
import { createCluster } from "./cluster.ts";

// Which pods a policy selects, what it denies by default, and what wins over what.
runCases([
  {
    title: "A rule lets in whom it names, and by being there denies all others, in its direction only",
    source: "Layer 3 Policies, Simple Ingress Allow: examples/policies/l3/simple/l3.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
`,
    says: `
      frontend    backend     80     allowed
      frontend    backend     53/UDP allowed
      cache       backend     80     denied
      203.0.113.7 backend     80     denied
      agent       backend     80     denied
      backend     cache       80     allowed
      backend     203.0.113.7 80     allowed
      cache       frontend    80     allowed
    `,
  },
  {
    title: "An egress rule lets out to whom it names only",
    source: "Layer 3 Policies, Simple Egress Allow: examples/policies/l3/simple/l3_egress.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  egress: [{ toEndpoints: [{ matchLabels: { role: backend } }] }]
`,
    says: `
      frontend backend     80 allowed
      frontend cache       80 denied
      frontend 203.0.113.7 80 denied
      frontend agent       80 denied
      luke     cache       80 allowed
      cache    frontend    80 allowed
    `,
  },
  {
    title: "The empty egress rule denies all by default and allows nothing",
    source:
      "Layer 3 Policies, Ingress/Egress Default Deny: examples/policies/l3/egress-default-deny/egress-default-deny.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{}]
`,
    says: `
      backend  cache       80 denied
      backend  203.0.113.7 80 denied
      frontend backend     80 allowed
    `,
  },
  {
    title: "The empty ingress rule denies all by default and allows nothing",
    source: "cilium-cli/connectivity/builder/all_ingress_deny.go, manifests/deny-all-ingress.yaml",
    policies: `
spec:
  endpointSelector: {}
  ingress: [{}]
`,
    says: `
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      frontend    203.0.113.7 80 allowed
      frontend    luke    80 allowed
    `,
  },
  {
    title: "A policy without rules of a direction does not touch it, even where default deny is asked for",
    source: "issue 35558; Policy Enforcement Modes, Endpoint default policy",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: true, egress: true }
  ingress: []
  egress: [{ toEndpoints: [{}] }]
`,
    says: `
      203.0.113.7 backend     80 allowed
      backend     cache       80 allowed
      backend     203.0.113.7 80 denied
    `,
  },
  {
    title: "A policy that only denies also denies all others by default",
    source: "Deny Policies: pods enter default deny as soon as a single policy selects them; issue 20914",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
`,
    says: `
      cache    backend     80 denied
      frontend backend     80 denied
      backend  203.0.113.7 80 allowed
    `,
  },
  {
    title: "With default deny off, a policy that only denies takes away just what it names",
    source: "Policy Enforcement Modes, EnableDefaultDeny; pkg/policy/api/rule.go",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false }
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
`,
    says: `
      cache       backend 80 denied
      frontend    backend 80 allowed
      203.0.113.7 backend 80 allowed
    `,
  },
  {
    title: "Default deny is on for a pod if any one policy asks for it",
    source: "pkg/policy/api/rule.go, EnableDefaultDeny: 'enabled if any policy requests it'",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
---
spec:
  endpointSelector: {}
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
`,
    says: `
      cache       backend  80 allowed
      frontend    backend  80 allowed
      203.0.113.7 backend  80 denied
      cache       frontend 80 denied
    `,
  },
  {
    title: "A deny of a port wins over the allow of the pod, and leaves the other ports",
    source: "Deny Policies, second column of the table",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
    - toPorts: [{ ports: [{ port: "80", protocol: TCP }] }]
    - toPorts: [{ ports: [{ port: "81", protocol: TCP }] }]
  ingressDeny: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }] }] }]
`,
    says: `
      frontend backend 81     allowed
      frontend backend 80     denied
      frontend backend 80/UDP allowed
      cache    backend 81     allowed
      cache    backend 82     denied
    `,
  },
  {
    title: "A deny of the pod wins over every allow of its ports",
    source: "Deny Policies, third column of the table",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchLabels: { role: frontend } }]
    - toPorts: [{ ports: [{ port: "81", protocol: TCP }] }]
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
`,
    says: `
      frontend backend 81 denied
      frontend backend 80 denied
      cache    backend 81 allowed
    `,
  },
  {
    title: "A deny alone, of one port, leaves the rest denied by default",
    source: "Deny Policies, fifth column of the table",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingressDeny: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }] }] }]
`,
    says: `
      frontend backend 80 denied
      frontend backend 81 denied
    `,
  },
  {
    title: "Deny of the world for all pods, beside an allow of all",
    source: "Deny Policies: examples/policies/l3/entities/from_world_deny.yaml",
    policies: `
clusterwide: true
spec:
  endpointSelector: {}
  ingressDeny: [{ fromEntities: [world] }]
  ingress: [{ fromEntities: [all] }]
`,
    says: `
      203.0.113.7 backend     80 denied
      2001:db8::1 luke        80 denied
      frontend    luke        80 allowed
      agent       backend     80 allowed
      backend     203.0.113.7 80 allowed
    `,
  },
  {
    title: "A deny wins over the allow of a NetworkPolicy",
    source: "Deny Policies: 'or even a Kubernetes Network Policy'",
    policies: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: all-in, namespace: shop }
spec: { podSelector: {}, ingress: [{}] }
---
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false }
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
`,
    says: `
      cache       backend 80 denied
      frontend    backend 80 allowed
      203.0.113.7 backend 80 allowed
    `,
  },
  {
    title: "Allows of both kinds of policy are one union, and either isolates",
    source: "Policy Enforcement Modes, Rule Basics; Network Policy: policies of both kinds apply together",
    policies: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: cache-in, namespace: shop }
spec:
  podSelector: { matchLabels: { role: backend } }
  ingress: [{ from: [{ podSelector: { matchLabels: { role: cache } } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
`,
    says: `
      cache    backend 80 allowed
      frontend backend 80 allowed
      luke     backend 80 denied
    `,
  },
  {
    title: "An allow of default deny off adds to what others allow, and isolates nothing by itself",
    source: "Policy Enforcement Modes, EnableDefaultDeny",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  enableDefaultDeny: { ingress: false, egress: false }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
  egress: [{ toEntities: [world] }]
`,
    says: `
      cache   backend 80 allowed
      backend cache   80 allowed
    `,
  },
  {
    title: "Each of several specs is a rule of its own",
    source: "pkg/k8s/apis/cilium.io/v2/cnp_types.go, Specs; kubernetes/namespace/isolate-namespaces.yaml",
    policies: `
specs:
  - endpointSelector: { matchLabels: { role: backend } }
    ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
  - endpointSelector: { matchLabels: { role: cache } }
    ingress: [{ fromEndpoints: [{ matchLabels: { role: backend } }] }]
`,
    says: `
      frontend backend  80 allowed
      cache    backend  80 denied
      backend  cache    80 allowed
      frontend cache    80 denied
      cache    frontend 80 allowed
    `,
  },
  {
    title: "A namespaced policy selects pods of its own namespace, whatever namespace its selector names by k8s:",
    source: "Kubernetes constructs, Known Pitfalls; pkg/k8s/apis/cilium.io/utils/utils.go, ParseToCiliumRule",
    policies: `
spec:
  endpointSelector: { matchLabels: { "k8s:io.kubernetes.pod.namespace": ops, role: frontend } }
  ingress: [{}]
`,
    says: `
      cache frontend 80 denied
      cache luke     80 allowed
    `,
  },
  {
    title: "A clusterwide policy selects pods of all namespaces",
    source:
      "Kubernetes constructs, Clusterwide Policies: examples/policies/kubernetes/clusterwide/clusterscope-policy.yaml",
    policies: `
clusterwide: true
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: cache } }] }]
`,
    says: `
      cache   frontend 80 allowed
      cache   luke     80 allowed
      backend luke     80 denied
      backend cache    80 allowed
    `,
  },
  {
    title: "A clusterwide policy may leave out namespaces, by an expression on their name",
    source: "Policy Enforcement Modes, intercept-all-dns; Service Mesh, Default Deny Ingress Policy",
    policies: `
clusterwide: true
spec:
  endpointSelector:
    matchExpressions: [{ key: io.kubernetes.pod.namespace, operator: NotIn, values: [kube-system, ops] }]
  egress: [{ toEndpoints: [{ matchLabels: { io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns } }] }]
`,
    says: `
      frontend dns         53/UDP allowed
      frontend backend     80     denied
      frontend 203.0.113.7 80     denied
      luke     backend     80     allowed
      dns      backend     80     allowed
    `,
  },
  {
    title: "A quarantine with an exception carved out of its denies holds against allows of others",
    source: "Deny Policies; facts: network-policy §2.3, cilium-with-forensics.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": ops, name: luke } }]
      toPorts: [{ ports: [{ port: "8443", protocol: TCP }] }]
  ingressDeny:
    - fromEntities: [world, remote-node, kube-apiserver, ingress, health, init, unmanaged]
    - fromEndpoints:
        - matchExpressions:
            - { key: "k8s:io.kubernetes.pod.namespace", operator: Exists }
            - { key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [ops] }
        - matchLabels: { "k8s:io.kubernetes.pod.namespace": ops }
          matchExpressions: [{ key: name, operator: NotIn, values: [luke] }]
---
clusterwide: true
spec:
  endpointSelector: {}
  ingress: [{ fromEntities: [all] }]
`,
    says: `
      luke        backend 8443 allowed
      luke        backend 80   allowed
      frontend    backend 8443 denied
      dns         backend 8443 denied
      203.0.113.7 backend 8443 denied
      203.0.113.7 cache   8443 allowed
    `,
  },
  {
    title: "The Admin tier comes before a deny of Cilium's own, the Baseline tier after everything",
    source:
      "CFP-42904, ClusterNetworkPolicy: policies of Cilium and Kubernetes are the middle tier; facts: network-policy §2.2",
    policies: `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: first }
spec:
  tier: Admin
  priority: 10
  subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { role: backend } } } }
  ingress:
    - { action: Accept, from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { name: luke } } } }] }
    - { action: Pass, from: [{ namespaces: {} }] }
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: last }
spec:
  tier: Baseline
  priority: 10
  subject: { namespaces: {} }
  ingress: [{ action: Deny, from: [{ namespaces: {} }] }]
---
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingressDeny: [{ fromEntities: [cluster] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend } }] }]
`,
    says: `
      luke     backend  80 allowed
      frontend backend  80 denied
      frontend cache    80 allowed
      backend  cache    80 denied
      backend  frontend 80 denied
    `,
  },
  {
    title: "A host policy says nothing of pods",
    source: "Host Policies: nodeSelector selects nodes only",
    policies: `
clusterwide: true
spec:
  nodeSelector: { matchLabels: { type: worker } }
  ingress: [{ fromEntities: [cluster] }]
`,
    says: `
      203.0.113.7 backend 80 allowed
    `,
  },
]);

test("A denied connection names the deny, before the policy that would allow it", () => {
  const policies = inShop(`
specs:
  - endpointSelector: {}
    ingress: [{ fromEntities: [all] }]
  - endpointSelector: { matchLabels: { role: backend } }
    ingressDeny: [{ toPorts: [{ ports: [{ port: "22" }] }] }]
`);
  const pods = { "shop/web": {}, "shop/api": { labels: { role: "backend" } } };
  const { ask } = createCluster({ pods, policies });
  const policy = { kind: "CiliumNetworkPolicy", namespace: "shop", name: "case" };
  expect(ask("shop/web", "shop/api", 22).ingress.because).toEqual([
    { kind: "rule", policy, rule: "specs[1].ingressDeny[0]", action: "deny", maybe: undefined },
  ]);
  expect(ask("shop/web", "shop/api", 80).ingress.because).toEqual([
    { kind: "rule", policy, rule: "specs[0].ingress[0]", action: "allow", maybe: undefined },
  ]);
});

test("What is denied by default names each policy once, also one that both allows and denies", () => {
  const policies = inShop(`
spec:
  endpointSelector: {}
  ingress: [{ fromEntities: [host, remote-node] }]
  ingressDeny: [{ fromEntities: [world] }]
`);
  const { ask } = createCluster({ pods: { "shop/web": {}, "shop/api": {} }, policies });
  expect(ask("shop/web", "shop/api", 80).ingress.because).toEqual([
    {
      kind: "isolated",
      policies: [{ kind: "CiliumNetworkPolicy", namespace: "shop", name: "case" }],
      maybe: undefined,
    },
  ]);
});
