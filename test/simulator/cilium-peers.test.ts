import { runCases } from "./cilium-case.ts";

// Whom the L3 part of a rule matches.
runCases([
  {
    title: "An empty selector is all pods of the policy's namespace",
    source: "Layer 3 Policies, Egress Allow All Endpoints: examples/policies/l3/egress-allow-all/egress-allow-all.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  egress: [{ toEndpoints: [{}] }]
`,
    says: `
      frontend backend     80 allowed
      frontend cache       80 allowed
      frontend luke        80 denied
      frontend 203.0.113.7 80 denied
      frontend agent       80 denied
    `,
  },
  {
    title: "An empty selector of a clusterwide policy is all pods of the cluster, and no more",
    source: "Kubernetes constructs, Allow all ingress to kube-dns: kubernetes/clusterwide/wildcard-from-endpoints.yaml",
    policies: `
clusterwide: true
spec:
  endpointSelector: { matchLabels: { "k8s:io.kubernetes.pod.namespace": kube-system, k8s-app: kube-dns } }
  ingress:
    - fromEndpoints: [{}]
      toPorts: [{ ports: [{ port: "53", protocol: UDP }] }]
`,
    says: `
      frontend    dns     53/UDP allowed
      luke        dns     53/UDP allowed
      frontend    dns     53     denied
      203.0.113.7 dns     53/UDP denied
      agent       dns     53/UDP denied
      203.0.113.7 backend 53     allowed
    `,
  },
  {
    title: "An empty list of peers selects nobody, also beside ports",
    source: "pull request 29608; pkg/policy/utils, mergeEndpointSelectors",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromCIDR: [], toPorts: [{ ports: [{ port: "80" }] }] }]
  egress: [{ toEndpoints: [] }]
`,
    says: `
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      backend     cache   80 denied
    `,
  },
  {
    title: "An empty list beside one that is not empty selects nobody",
    source: "pkg/policy/utils, mergeEndpointSelectors: any list that is there and empty",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [], fromEntities: [all] }]
`,
    says: `
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
    `,
  },
  {
    title: "Labels of another source than Kubernetes are not known",
    source: "Policy language, EndpointSelector: label sources; pkg/labels, GetExtendedKeyFrom",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend, "container:tier": web } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache, "container:tier": web } }
  ingress: [{}]
---
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  ingress:
    - fromEndpoints:
        - matchExpressions:
            - { key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [ops] }
            - { key: "cidr:office", operator: DoesNotExist }
`,
    says: `
      203.0.113.7 frontend 80 undecided
      luke        frontend 80 denied
      frontend    backend 80 undecided
      cache       backend 80 denied
      203.0.113.7 backend 80 denied
      frontend    cache   80 undecided
    `,
  },
  {
    title: "Ports without peers are of everybody",
    source: "Layer 4 Policies, Example (L4): examples/policies/l4/l4.yaml; pull request 29608",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toPorts: [{ ports: [{ port: "80", protocol: TCP }] }] }]
`,
    says: `
      backend luke        80     allowed
      backend 203.0.113.7 80     allowed
      backend agent       80     allowed
      backend 203.0.113.7 443    denied
      backend 203.0.113.7 80/UDP denied
    `,
  },
  {
    title: "A namespace that is named reaches into that namespace, from any source or from k8s",
    source:
      "Kubernetes constructs, Expose pods across namespaces: kubernetes/namespace/namespace-policy.yaml; issue 4504",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": ops, name: luke } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchLabels: { io.kubernetes.pod.namespace: ops, "any:name": luke } }] }]
`,
    says: `
      luke     backend 80 allowed
      frontend backend 80 denied
      luke     cache   80 allowed
      frontend cache   80 denied
    `,
  },
  {
    title: "A namespace in an expression takes the policy's own away as well",
    source: "pkg/k8s/apis/cilium.io/utils/utils.go, getEndpointSelector: HasKey looks at matchExpressions too",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: In, values: [ops, kube-system] }] }]
`,
    says: `
      luke        backend 80 allowed
      dns         backend 80 allowed
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
    `,
  },
  {
    title: "NotIn on the namespace also takes in what has none: nodes and the world",
    source: "pkg/k8s/apis/cilium.io/utils/utils.go; Kubernetes' NotIn, which matches where the key is absent",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints: [{ matchExpressions: [{ key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [ops] }] }]
`,
    says: `
      frontend    backend 80 allowed
      dns         backend 80 allowed
      luke        backend 80 denied
      203.0.113.7 backend 80 allowed
      agent       backend 80 allowed
    `,
  },
  {
    title: "NotIn with Exists on the namespace takes in pods only",
    source: "facts: network-policy §2.3, cilium-with-forensics.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints:
        - matchExpressions:
            - { key: "k8s:io.kubernetes.pod.namespace", operator: Exists }
            - { key: "k8s:io.kubernetes.pod.namespace", operator: NotIn, values: [ops] }
`,
    says: `
      frontend    backend 80 allowed
      luke        backend 80 denied
      203.0.113.7 backend 80 denied
      agent       backend 80 denied
    `,
  },
  {
    title: "Expressions are ANDed with each other and with labels, selectors of a list are ORed",
    source: "Layer 3 Policies: examples/policies/l3/match-expressions/and-statement.yaml, or-statement.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress:
    - fromEndpoints:
        - matchLabels: { role: frontend }
          matchExpressions: [{ key: env, operator: In, values: [dev] }]
        - matchExpressions: [{ key: role, operator: In, values: [cache, other] }, { key: env, operator: Exists }]
`,
    says: `
      frontend backend 80 denied
      cache    backend 80 allowed
    `,
  },
  {
    title: "Labels of a namespace select across namespaces in a clusterwide policy",
    source: "Kubernetes constructs, Known Pitfalls: io.cilium.k8s.namespace.labels",
    policies: `
clusterwide: true
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.team": ops } }] }]
---
clusterwide: true
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress:
    - fromEndpoints:
        - matchExpressions: [{ key: io.cilium.k8s.namespace.labels.team, operator: DoesNotExist }]
`,
    says: `
      luke        backend 80 allowed
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      luke        cache   80 denied
      dns         cache   80 allowed
      203.0.113.7 cache   80 denied
    `,
  },
  {
    title: "Labels of a namespace take a namespaced policy's own namespace away, also where they only ask for absence",
    source:
      "utils.go, HasKeyPrefix; policy maps of Cilium 1.17 in cybozu-go/network-policy-viewer, e2e/inspect_test.go",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { "k8s:io.cilium.k8s.namespace.labels.team": ops } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress:
    - fromEndpoints:
        - matchExpressions: [{ key: io.cilium.k8s.namespace.labels.team, operator: DoesNotExist }]
`,
    says: `
      luke        backend 80 allowed
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      luke        cache   80 denied
      dns         cache   80 allowed
      203.0.113.7 cache   80 allowed
    `,
  },
  {
    title: "Service accounts are labels of the identity",
    source: "Kubernetes constructs, ServiceAccounts: kubernetes/serviceaccount/serviceaccount-policy.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { io.cilium.k8s.policy.serviceaccount: api } }
  ingress: [{ fromEndpoints: [{ matchLabels: { io.cilium.k8s.policy.serviceaccount: web } }] }]
`,
    says: `
      frontend backend 80 allowed
      cache    backend 80 denied
      cache    cache   80 allowed
      backend  cache   80 allowed
    `,
  },
  {
    title: "The name of the cluster is not known",
    source: "Kubernetes constructs, Multi-Cluster: kubernetes/clustermesh/cross-cluster-policy.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend, io.cilium.k8s.policy.cluster: east } }] }]
`,
    says: `
      frontend backend 80 undecided
      cache    backend 80 denied
    `,
  },
  {
    title: "A label that Cilium leaves out of identities by default selects perhaps",
    source: "Limiting Identity-Relevant Labels, default exceptions",
    policies: `
spec:
  endpointSelector: { matchLabels: { pod-template-hash: 6c8f } }
  ingress: [{}]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchLabels: { role: frontend, "k8s:pod-template-hash": 6c8f } }] }]
`,
    says: `
      cache    backend  80 undecided
      frontend cache    80 undecided
      backend  cache    80 denied
    `,
  },
  {
    title: "World is every address outside, and nothing inside",
    source: "Layer 3 Policies, Access to/from outside cluster: examples/policies/l3/entities/world.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEntities: [world] }]
`,
    says: `
      203.0.113.7 backend 80 allowed
      2001:db8::1 backend 80 allowed
      frontend    backend 80 denied
      agent       backend 80 denied
    `,
  },
  {
    title: "Cluster is every pod and node, and nothing outside",
    source: "Layer 3 Policies, Entities based: cluster",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toEntities: [cluster] }]
`,
    says: `
      backend luke        80 allowed
      backend agent       80 allowed
      backend 203.0.113.7 80 denied
    `,
  },
  {
    title: "Host and remote-node together are every node; one of them depends on whose node it is",
    source: "Layer 3 Policies, Access to/from all nodes: examples/policies/l3/entities/nodes.yaml; host.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEntities: [host, remote-node] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEntities: [host] }]
`,
    says: `
      agent       backend 80 allowed
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      agent       cache   80 undecided
      frontend    cache   80 denied
    `,
  },
  {
    title: "Remote-node alone is every node where traffic comes in, since that of the own node is not asked about",
    source: "Layer 3 Policies, Access to/from all nodes; option allow-localhost",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingressDeny: [{ fromEntities: [remote-node] }]
  enableDefaultDeny: { ingress: false }
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  egressDeny: [{ toEntities: [remote-node] }]
  enableDefaultDeny: { egress: false }
`,
    says: `
      agent    backend 80 denied
      frontend backend 80 allowed
      cache    agent   80 undecided
      cache    luke    80 allowed
    `,
  },
  {
    title: "Which address is the API server's is not known; it is no pod",
    source: "Layer 3 Policies, Access to/from kube-apiserver: examples/policies/l3/entities/apiserver.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toEntities: [kube-apiserver] }]
`,
    says: `
      backend 203.0.113.7 443 undecided
      backend agent       443 undecided
      backend frontend    443 denied
    `,
  },
  {
    title: "World of one IP family is told apart in clusters of both families only",
    source: "pkg/policy/api/entity.go, EntityWorldIPv4: 'to distinguish it from IPv6 in dual-stack mode'",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toEntities: [world-ipv4] }]
`,
    says: `
      backend 203.0.113.7 443 undecided
      backend 2001:db8::1 443 denied
      backend frontend    443 denied
    `,
  },
  {
    title: "Health, init, ingress, unmanaged and none are no workloads",
    source: "Layer 3 Policies, Entities based; pkg/policy/api/entity.go",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEntities: [health, init, ingress, unmanaged, none] }]
`,
    says: `
      frontend    backend 80 denied
      agent       backend 80 denied
      203.0.113.7 backend 80 denied
    `,
  },
  {
    title: "A selector by a reserved label is left as it is",
    source: "pkg/k8s/apis/cilium.io/utils/utils.go: 'The k8s prefix must not be added to reserved labels'",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { "reserved:host": "" } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromEndpoints: [{ matchExpressions: [{ key: "reserved:health", operator: DoesNotExist }] }] }]
---
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  ingress: [{ fromEndpoints: [{ matchLabels: { $world: "" } }] }]
`,
    says: `
      agent       backend 80 undecided
      frontend    backend 80 denied
      203.0.113.7 backend 80 denied
      luke        cache   80 allowed
      203.0.113.7 cache   80 allowed
      agent       cache   80 allowed
      203.0.113.7 frontend 80 undecided
      agent       frontend 80 denied
      backend     frontend 80 denied
    `,
  },
  {
    title: "A CIDR with exceptions, beside one address",
    source: "Layer 3 Policies, Allow to external CIDR block: examples/policies/l3/cidr/cidr.yaml",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress:
    - toCIDR: [20.1.1.1/32]
    - toCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.96.0.0/12] }]
`,
    says: `
      backend 20.1.1.1   80 allowed
      backend 20.1.1.2   80 denied
      backend 10.1.2.3   80 allowed
      backend 10.96.0.10 80 denied
      backend 10.112.0.1 80 allowed
    `,
  },
  {
    title: "An exception is of its own CIDR only",
    source: "pkg/policy/api/cidr.go, ExceptCIDRs: 'do not apply to any other CIDR prefixes'",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.96.0.0/12] }, { cidr: 10.96.0.0/16 }] }]
`,
    says: `
      backend 10.96.0.10 80 allowed
      backend 10.97.0.10 80 denied
    `,
  },
  {
    title: "A CIDR of everything is the world: no pod and no node",
    source: "Layer 3 Policies, world: 'identical to allowing to CIDR 0.0.0.0/0'; Selecting nodes with CIDR / ipBlock",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toCIDR: [0.0.0.0/0] }]
`,
    says: `
      backend 203.0.113.7 80 allowed
      backend 2001:db8::1 80 denied
      backend frontend    80 denied
      backend agent       80 denied
    `,
  },
  {
    title: "A deny of CIDRs with an exception leaves the exception denied by default",
    source: "issue 20914: Deny CIDR policy with except IP",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egressDeny: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.1.1.1/32] }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  enableDefaultDeny: { egress: false }
  egressDeny: [{ toCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.1.1.1/32] }] }]
`,
    says: `
      backend 10.1.1.2    80 denied
      backend 10.1.1.1    80 denied
      cache   10.1.1.2    80 denied
      cache   10.1.1.1    80 allowed
      cache   203.0.113.7 80 allowed
    `,
  },
  {
    title: "A CIDR group is looked up by its name or its labels; one that is not there decides nothing",
    source: "CiliumCIDRGroup; pkg/policy/api/cidr.go, CIDRGroupRef and CIDRGroupSelector",
    policies: `
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: { name: offices, labels: { site: office } }
spec: { externalCIDRs: [198.51.100.0/24, 203.0.113.0/24] }
---
spec:
  endpointSelector: { matchLabels: { role: backend } }
  ingress: [{ fromCIDRSet: [{ cidrGroupRef: offices, except: [203.0.113.128/25] }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  ingress: [{ fromCIDRSet: [{ cidrGroupSelector: { matchLabels: { site: office } } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  ingress: [{ fromCIDRSet: [{ cidrGroupRef: elsewhere }] }]
`,
    says: `
      203.0.113.7   backend  80 allowed
      203.0.113.200 backend  80 denied
      192.0.2.1     backend  80 denied
      198.51.100.9  cache    80 allowed
      192.0.2.1     cache    80 denied
      203.0.113.7   frontend 80 undecided
      backend       frontend 80 denied
    `,
  },
  {
    title: "Names are of addresses outside, perhaps; the DNS rule beside them opens DNS",
    source:
      "Layer 3 Policies, DNS based: examples/policies/l3/fqdn/fqdn.yaml; egress.go: not for IPs within the cluster",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress:
    - toEndpoints: [{ matchLabels: { "k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns } }]
      toPorts: [{ ports: [{ port: "53", protocol: ANY }], rules: { dns: [{ matchPattern: "*" }] } }]
    - toFQDNs: [{ matchName: my-remote-service.com }]
`,
    says: `
      backend dns         53/UDP allowed
      backend dns         53     allowed
      backend dns         80     denied
      backend 203.0.113.7 443    undecided
      backend frontend    443    denied
    `,
  },
  {
    title: "Services and cloud groups and node labels are not evaluated",
    source: "Layer 3 Policies, Services based (examples/policies/l3/service/service.yaml) and Node based; groups.go",
    policies: `
spec:
  endpointSelector: { matchLabels: { role: backend } }
  egress: [{ toServices: [{ k8sService: { serviceName: myservice, namespace: default } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: cache } }
  egress: [{ toGroups: [{ aws: { securityGroupsIds: [sg-1] } }] }]
---
spec:
  endpointSelector: { matchLabels: { role: frontend } }
  ingress: [{ fromNodes: [{ matchLabels: { node-role.kubernetes.io/control-plane: "" } }] }]
`,
    says: `
      backend     luke        80 undecided
      backend     203.0.113.7 80 undecided
      backend     agent       80 denied
      cache       203.0.113.7 80 undecided
      cache       luke        80 denied
      agent       frontend    80 undecided
      203.0.113.7 frontend    80 denied
    `,
  },
]);
