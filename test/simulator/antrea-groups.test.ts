import { acnp, clusterGroup, join, pods, testCases, webService } from "./antrea-cases.ts";

testCases([
  {
    title: "Groups stand for selectors and ipBlocks, in appliedTo and in peers",
    source: "ACNP with ClusterGroup reference; ClusterGroup CRD",
    policies: join(
      clusterGroup("databases", "{ podSelector: { matchLabels: { role: db } } }"),
      clusterGroup("prod", "{ namespaceSelector: { matchLabels: { env: prod } } }"),
      clusterGroup("third-party", "{ ipBlocks: [{ cidr: 10.0.10.0/24, except: [10.0.10.8/30] }] }"),
      acnp(`appliedTo: [{ group: databases }]
  ingress: [{ action: Allow, from: [{ group: prod }] }, { action: Drop }]
  egress: [{ action: Drop, to: [{ group: third-party }] }]`),
    ),
    answers: {
      "prod/web → dev/db:6000": "allowed",
      "dev/web → dev/db:6000": "denied",
      "dev/web → dev/web:80": "allowed",
      "dev/db → 10.0.10.1:80": "denied",
      "dev/db → 10.0.10.9:80": "allowed",
    },
  },
  {
    title: "A group of ipBlocks in appliedTo selects nothing",
    source: "The Antrea ClusterNetworkPolicy resource, appliedTo",
    policies: join(
      clusterGroup("pods", "{ ipBlocks: [{ cidr: 10.10.0.0/16 }] }"),
      acnp(`appliedTo: [{ group: pods }]
  ingress: [{ action: Drop }]`),
    ),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "A group has the members of its children; a Service's are its pods, on all ports",
    source: "ClusterGroup CRD, childGroups and serviceReference",
    services: [webService],
    policies: join(
      clusterGroup("of-service", "{ serviceReference: { name: db, namespace: prod } }"),
      clusterGroup("of-nothing", "{ serviceReference: { name: none, namespace: prod } }"),
      clusterGroup("outside", "{ ipBlocks: [{ cidr: 8.8.8.8/32 }] }"),
      clusterGroup("all", "{ childGroups: [of-service, of-nothing, outside] }"),
      acnp(`appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  egress: [{ action: Drop, to: [{ group: all }] }]`),
    ),
    answers: {
      "dev/web → prod/db:7": "denied",
      "dev/web → 8.8.8.8:53/UDP": "denied",
      "dev/web → dev/db:6000": "allowed",
    },
  },
  {
    title: "Groups of nodes, of external entities and of a Service without a selector hold no pods",
    source: "ClusterGroup CRD",
    services: [{ ...webService, selector: {} }],
    pods: { ...pods, "prod/agent": { hostNetwork: true, addresses: ["192.168.7.1"] } },
    policies: join(
      clusterGroup("nodes", "{ nodeSelector: { matchLabels: { role: main } } }"),
      clusterGroup("entities", "{ externalEntitySelector: {}, namespaceSelector: {} }"),
      clusterGroup("bare", "{ serviceReference: { name: db, namespace: prod } }"),
      acnp(`appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  egress:
    - { action: Drop, to: [{ group: nodes }], ports: [{ port: 1 }] }
    - { action: Drop, to: [{ group: entities }], ports: [{ port: 2 }] }
    - { action: Drop, to: [{ group: bare }], ports: [{ port: 3 }] }`),
    ),
    answers: {
      "dev/web → prod/agent:1": "undecided",
      "dev/web → prod/db:1": "allowed",
      "dev/web → 8.8.8.8:2": "undecided",
      "dev/web → prod/db:2": "allowed",
      "dev/web → prod/db:3": "allowed",
    },
  },
  {
    title: "A NetworkPolicy of Antrea's stays in its namespace: subject, podSelector and Group",
    source: "Antrea NetworkPolicy; Antrea NetworkPolicy with Group reference; Group CRD",
    policies: `
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: { name: test-annp, namespace: prod }
spec:
  priority: 5
  tier: securityops
  appliedTo: [{ group: databases }]
  ingress:
    - { action: Drop, from: [{ podSelector: { matchLabels: { app: web } } }] }
    - { action: Drop, from: [{ namespaceSelector: { matchLabels: { env: dev } } }], ports: [{ port: 99 }] }
---
apiVersion: crd.antrea.io/v1beta1
kind: Group
metadata: { name: databases, namespace: prod }
spec: { podSelector: { matchLabels: { role: db } } }
---
apiVersion: crd.antrea.io/v1beta1
kind: Group
metadata: { name: databases, namespace: dev }
spec: { podSelector: { matchLabels: { role: frontend } } }
`,
    answers: {
      "prod/web → prod/db:5432": "denied",
      "dev/web → prod/db:5432": "allowed",
      "dev/web → prod/db:99": "denied",
      "prod/web → dev/db:5432": "allowed",
      "dev/web → prod/web:80": "allowed",
    },
  },
]);
