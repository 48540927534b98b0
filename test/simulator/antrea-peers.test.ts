import { acnp, join, onDb, pods, testCases, webService } from "./antrea-cases.ts";

/** Selects prod/db alone, and allows nothing. */
const denyIngress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: prod }
spec: { podSelector: { matchLabels: { role: db } } }
`;

testCases([
  {
    title: "Peers are alternatives; both selectors in one peer must hold",
    source: "Behavior of to and from selectors",
    policies: acnp(`${onDb}
  ingress:
    - action: Allow
      from:
        - { podSelector: { matchLabels: { role: db } } }
        - { podSelector: { matchLabels: { role: frontend } }, namespaceSelector: { matchLabels: { env: prod } } }
    - { action: Drop }`),
    answers: {
      "dev/db → prod/db:5432": "allowed",
      "prod/web → prod/db:5432": "allowed",
      "dev/web → prod/db:5432": "denied",
    },
  },
  {
    title: "A namespaceSelector selects pods, and never what is outside",
    source: "Behavior of to and from selectors",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, from: [{ namespaceSelector: {} }] }]`),
    answers: { "dev/web → prod/db:5432": "denied", "8.8.8.8 → prod/db:5432": "allowed" },
  },
  {
    title: "An ipBlock without its exceptions matches, and what is in them is left to later rules",
    source: "Behavior of to and from selectors, ipBlock",
    policies: acnp(`${onDb}
  egress: [{ action: Drop, to: [{ ipBlock: { cidr: 10.168.0.0/16, except: [10.168.128.0/24] } }] }]`),
    answers: {
      "prod/db → 10.168.1.1:80": "denied",
      "prod/db → 10.168.128.1:80": "allowed",
      "prod/db → 10.169.0.1:80": "allowed",
    },
  },
  {
    title: "An ipBlock matches pods by their addresses",
    source: "crd_utils.go, matchAllPeer: what matches everything, pods too, is the ipBlock 0.0.0.0/0",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, from: [{ ipBlock: { cidr: 10.10.1.0/24 } }] }]`),
    answers: { "dev/web → prod/db:5432": "denied", "prod/web → prod/db:5432": "allowed" },
  },
  {
    title: "Self passes what stays in a namespace, whichever it is",
    source: "ACNP for strict Namespace isolation",
    policies: join(
      acnp(`appliedTo: [{ namespaceSelector: {} }]
  ingress:
    - { action: Pass, from: [{ namespaces: { match: Self } }] }
    - { action: Drop, from: [{ namespaceSelector: {} }] }`),
      denyIngress,
    ),
    answers: {
      "dev/web → dev/db:5432": "allowed",
      "prod/web → prod/db:5432": "denied",
      "prod/db → prod/web:80": "allowed",
      "dev/web → prod/web:80": "denied",
      "8.8.8.8 → prod/web:80": "allowed",
    },
  },
  {
    title: "Self with a podSelector, and two policies together",
    source: "Selecting Pods in the same Namespace with Self (allow-self-ns, deny-self-ns-a-to-b)",
    namespaces: {},
    pods: Object.fromEntries(
      ["x", "y"].flatMap((namespace) =>
        ["a", "b", "c"].map((app) => [`${namespace}/${app}`, { labels: { app } }] as const),
      ),
    ),
    policies: join(
      acnp(
        `appliedTo: [{ namespaceSelector: {} }]
  ingress: [{ action: Allow, from: [{ namespaces: { match: Self } }] }, { action: Drop }]
  egress: [{ action: Allow, to: [{ namespaces: { match: Self } }] }, { action: Drop }]`,
        "tier: platform\n  priority: 1",
        "allow-self-ns",
      ),
      acnp(
        `appliedTo: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: b } } }]
  ingress: [{ action: Drop, from: [{ namespaces: { match: Self }, podSelector: { matchLabels: { app: a } } }] }]`,
        "tier: securityops\n  priority: 1",
        "deny-self-ns-a-to-b",
      ),
    ),
    answers: {
      "x/a → x/b:80": "denied",
      "x/a → x/c:80": "allowed",
      "x/c → x/b:80": "allowed",
      "y/a → y/b:80": "denied",
      "x/a → y/c:80": "denied",
      "x/a → y/b:80": "denied",
    },
  },
  {
    title: "Namespaces with equal values of all the keys of sameLabels belong together",
    source: "Selecting Namespaces with the same label values using SameLabels (isolation-based-on-org)",
    namespaces: {
      accounting1: { org: "accounting", region: "us-west" },
      accounting2: { org: "accounting", region: "us-east" },
      sales1: { org: "sales", region: "us-west" },
      "kube-system": {},
    },
    pods: { "accounting1/a": {}, "accounting2/a": {}, "sales1/a": {}, "kube-system/a": {} },
    policies: acnp(`appliedTo: [{ namespaceSelector: { matchExpressions: [{ key: org, operator: Exists }] } }]
  ingress: [{ action: Allow, from: [{ namespaces: { sameLabels: [org] } }] }, { action: Drop }]
  egress: [{ action: Allow, to: [{ namespaces: { sameLabels: [org] } }] }, { action: Drop }]`),
    answers: {
      "accounting1/a → accounting2/a:80": "allowed",
      "accounting1/a → sales1/a:80": "denied",
      "kube-system/a → sales1/a:80": "denied",
    },
  },
  {
    title: "One key of sameLabels that differs sets namespaces apart",
    source: "Selecting Namespaces with the same label values using SameLabels ([org, region])",
    namespaces: {
      accounting1: { org: "accounting", region: "us-west" },
      accounting2: { org: "accounting", region: "us-east" },
    },
    pods: { "accounting1/a": {}, "accounting1/b": {}, "accounting2/a": {} },
    policies: acnp(`appliedTo: [{ namespaceSelector: {} }]
  ingress: [{ action: Allow, from: [{ namespaces: { sameLabels: [org, region] } }] }, { action: Drop }]`),
    answers: { "accounting1/a → accounting2/a:80": "denied", "accounting1/a → accounting1/b:80": "allowed" },
  },
  {
    title: "In a namespace without the labels the other rules count perhaps: the documentation says no, the code yes",
    source: "SameLabels (no-op); antreaclusternetworkpolicy.go, processRules",
    namespaces: { sales1: { org: "sales" }, "kube-system": {} },
    pods: { "sales1/a": {}, "kube-system/a": {} },
    policies: acnp(`appliedTo: [{ namespaceSelector: {} }]
  ingress: [{ action: Allow, from: [{ namespaces: { sameLabels: [org] } }] }, { action: Drop }]`),
    answers: { "sales1/a → kube-system/a:80": "undecided", "kube-system/a → sales1/a:80": "denied" },
  },
  {
    title: "Names of domains are not evaluated",
    source: "FQDN based filtering (acnp-fqdn-all-foobar)",
    policies: acnp(`appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  egress:
    - { action: Allow, to: [{ fqdn: "*foobar.com" }], ports: [{ protocol: TCP, port: 8080 }] }
    - { action: Drop }`),
    answers: { "dev/web → 8.8.8.8:8080": "undecided", "dev/web → 8.8.8.8:80": "denied" },
  },
  {
    title: "A nodeSelector peer speaks of nodes alone",
    source: "Node Selector (egress-control-plane)",
    pods: { ...pods, "prod/agent": { hostNetwork: true, addresses: ["192.168.7.1"] } },
    policies: acnp(`appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  egress: [{ action: Drop, to: [{ nodeSelector: { matchLabels: { role: main } } }], ports: [{ port: 6443 }] }]`),
    answers: {
      "dev/web → prod/agent:6443": "undecided",
      "dev/web → prod/agent:443": "allowed",
      "dev/web → prod/db:6443": "allowed",
    },
  },
  {
    title: "toServices matches perhaps, the pods of the Service on their target port, and nothing else",
    source: "toServices egress rules",
    services: [webService],
    policies: acnp(`appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  egress: [{ action: Drop, toServices: [{ name: db, namespace: prod }] }]`),
    answers: {
      "dev/web → prod/db:5432": "undecided",
      "dev/web → prod/db:80": "allowed",
      "dev/web → dev/db:6000": "allowed",
      "prod/db → dev/web:5432": "allowed",
    },
  },
  {
    title: "toServices of another cluster, or of a Service without a selector, matches perhaps whatever it is",
    source: "pkg/apis/crd/v1beta1/types.go, Rule (toServices)",
    services: [{ ...webService, selector: {} }],
    policies: acnp(`ingress: []
  egress:
    - action: Drop
      appliedTo: [{ namespaceSelector: { matchLabels: { env: dev } } }]
      toServices: [{ name: db, namespace: prod }]
    - action: Drop
      appliedTo: [{ podSelector: { matchLabels: { role: frontend } } }]
      toServices: [{ name: db, namespace: elsewhere, scope: ClusterSet }]
    - action: Drop
      appliedTo: [{ podSelector: { matchLabels: { role: db } } }]
      toServices: [{ name: none, namespace: prod }]`),
    answers: {
      "dev/db → 8.8.8.8:80": "undecided",
      "prod/web → 8.8.8.8:80": "undecided",
      "prod/db → 8.8.8.8:80": "allowed",
    },
  },
  {
    title: "toServices of a NetworkPolicy of Antrea's are in its own namespace, unless they say otherwise",
    source: "crd_utils.go, svcRefToPeerForCRD",
    services: [webService],
    policies: acnp(`appliedTo: [{ podSelector: {} }]
  egress: [{ action: Drop, toServices: [{ name: db }] }]`)
      .replace("ClusterN", "N")
      .replace("name: one", "name: one, namespace: prod"),
    answers: { "prod/web → prod/db:5432": "undecided", "prod/web → prod/db:80": "allowed" },
  },
  {
    title: "The scope ClusterSet adds pods of other clusters, which are outside of this one",
    source: "pkg/apis/crd/v1beta1/types.go, NetworkPolicyPeer (scope)",
    policies: acnp(`${onDb}
  ingress:
    - { action: Drop, from: [{ scope: ClusterSet, podSelector: { matchLabels: { app: web } } }], ports: [{ port: 1 }] }
    - { action: Drop, from: [{ scope: ClusterSet, namespaces: { match: Self } }], ports: [{ port: 2 }] }
    - { action: Drop, from: [{ podSelector: { matchLabels: { app: web } } }], ports: [{ port: 3 }] }`),
    answers: {
      "dev/web → prod/db:1": "denied",
      "8.8.8.8 → prod/db:1": "undecided",
      "prod/web → prod/db:2": "denied",
      "dev/web → prod/db:2": "allowed",
      "8.8.8.8 → prod/db:2": "undecided",
      "8.8.8.8 → prod/db:3": "allowed",
    },
  },
  {
    title: "External entities are outside, and not evaluated",
    source: "pkg/apis/crd/v1beta1/types.go, NetworkPolicyPeer (externalEntitySelector)",
    policies: acnp(`${onDb}
  ingress:
    - { action: Drop, from: [{ externalEntitySelector: {}, namespaceSelector: {} }], ports: [{ port: 1 }] }
    - { action: Drop, from: [{ externalEntitySelector: {}, namespaces: { match: Self } }], ports: [{ port: 2 }] }`),
    answers: {
      "8.8.8.8 → prod/db:1": "undecided",
      "8.8.8.8 → prod/db:2": "undecided",
      "prod/web → prod/db:1": "allowed",
      "prod/web → prod/db:2": "allowed",
    },
  },
]);
