import { acnp, join, pods, testCases, webService } from "./antrea-cases.ts";

testCases([
  {
    title: "A podSelector alone selects in all namespaces, and entries of appliedTo add up",
    source: "The Antrea ClusterNetworkPolicy resource, appliedTo (first example)",
    policies: acnp(`appliedTo:
    - podSelector: { matchLabels: { role: db } }
    - namespaceSelector: { matchLabels: { env: prod } }
  ingress: [{ action: Drop }]`),
    answers: {
      "prod/web → dev/db:5432": "denied",
      "dev/web → prod/web:80": "denied",
      "prod/web → dev/web:80": "allowed",
    },
  },
  {
    title: "Both selectors in one entry must hold",
    source: "The Antrea ClusterNetworkPolicy resource, appliedTo",
    policies: acnp(`appliedTo:
    - podSelector: { matchLabels: { role: db } }
      namespaceSelector: { matchLabels: { env: prod } }
  ingress: [{ action: Drop }]`),
    answers: { "prod/web → dev/db:5432": "allowed", "dev/web → prod/db:5432": "denied" },
  },
  {
    title: "appliedTo of a rule counts for that rule alone",
    source: "The Antrea ClusterNetworkPolicy resource, appliedTo per rule",
    policies: acnp(`ingress:
    - action: Drop
      appliedTo: [{ podSelector: { matchLabels: { app: db } } }]
      from: [{ podSelector: { matchLabels: { app: web } } }]
    - action: Drop
      appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
      from: [{ podSelector: { matchLabels: { app: db } } }]`),
    answers: {
      "dev/web → prod/db:5432": "denied",
      "dev/db → prod/web:80": "denied",
      "dev/db → prod/db:5432": "allowed",
      "dev/web → prod/web:80": "allowed",
    },
  },
  {
    title: "A serviceAccount selects the pods that run as it, in its namespace",
    source: "ServiceAccount based selection",
    policies: acnp(`appliedTo: [{ serviceAccount: { name: sa-1, namespace: dev } }]
  egress: [{ action: Drop, to: [{ serviceAccount: { name: sa-2, namespace: dev } }] }]`),
    answers: {
      "dev/web → dev/db:5432": "denied",
      "dev/web → prod/db:5432": "allowed",
      "prod/web → dev/db:5432": "allowed",
    },
  },
  {
    title: "A nodeSelector in appliedTo selects no pod",
    source: "antrea-node-network-policy.md",
    policies: acnp(`appliedTo: [{ nodeSelector: { matchLabels: { kubernetes.io/os: linux } } }]
  ingress: [{ action: Drop, from: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }]`),
    answers: { "8.8.8.8 → prod/db:5432": "allowed" },
  },
  {
    title: "A Service in appliedTo is about what comes through its NodePort",
    source: "Apply to NodePort Service",
    services: [webService],
    policies: acnp(`appliedTo: [{ service: { name: db, namespace: prod } }]
  ingress: [{ action: Drop, from: [{ ipBlock: { cidr: 1.1.1.0/24 } }] }]`),
    answers: {
      "1.1.1.7 → prod/db:5432": "undecided",
      "2.1.1.7 → prod/db:5432": "allowed",
      "1.1.1.7 → dev/db:6000": "allowed",
    },
  },
  {
    title: "A Service in the appliedTo of a rule is about its NodePort too; one without a selector has no pods",
    source: "Apply to NodePort Service",
    services: [webService, { ...webService, name: "bare", selector: {} }],
    policies: acnp(`ingress:
    - action: Drop
      appliedTo: [{ service: { name: db, namespace: prod } }]
      from: [{ ipBlock: { cidr: 1.1.1.0/24 } }]
    - { action: Drop, appliedTo: [{ service: { name: bare, namespace: prod } }] }`),
    answers: {
      "1.1.1.7 → prod/db:5432": "undecided",
      "2.1.1.7 → prod/db:5432": "allowed",
      "1.1.1.7 → prod/web:80": "allowed",
    },
  },
  {
    title: "External entities are no pods, whatever namespaces they are looked for in",
    source: "group_entity_index.go: a selector selects ExternalEntities only, once it has an externalEntitySelector",
    policies: join(
      acnp(`appliedTo: [{ externalEntitySelector: {}, namespaceSelector: {} }]
  ingress: [{ action: Drop }]`),
      acnp(
        `appliedTo: [{ externalEntitySelector: {} }]
  ingress: [{ action: Drop }]`,
        "priority: 5",
        "own",
      )
        .replace("ClusterN", "N")
        .replace("name: own", "name: own, namespace: prod"),
    ),
    answers: { "dev/web → prod/db:5432": "allowed" },
  },
  {
    title: "Self and sameLabels stay within the appliedTo of their rule",
    source: "antreaclusternetworkpolicy.go, processRules",
    policies: acnp(`ingress:
    - action: Drop
      appliedTo: [{ serviceAccount: { name: sa-1, namespace: dev } }]
      from: [{ namespaces: { match: Self } }]
    - action: Drop
      appliedTo: [{ namespaceSelector: { matchLabels: { env: prod } } }]
      from: [{ namespaces: { sameLabels: [env] } }]`),
    answers: {
      "dev/db → dev/web:80": "denied",
      "prod/db → dev/web:80": "allowed",
      "dev/web → dev/db:80": "allowed",
      "prod/web → prod/db:80": "denied",
      "dev/web → prod/db:80": "allowed",
    },
  },
  {
    title: "A pod of the host network is no subject and no selected peer, but its address is matched",
    source: "ClusterGroup CRD, nodeSelector; crd_utils.go, AddressGroupExcludedPodFilter",
    pods: { ...pods, "prod/agent": { labels: { role: "db" }, hostNetwork: true, addresses: ["192.168.7.1"] } },
    policies: acnp(`appliedTo: [{ podSelector: {} }]
  ingress:
    - { action: Drop, from: [{ ipBlock: { cidr: 192.168.7.0/24 } }], ports: [{ port: 81 }] }
    - { action: Drop, from: [{ podSelector: { matchLabels: { role: db } } }] }`),
    answers: {
      "prod/agent → prod/web:80": "allowed",
      "prod/agent → prod/web:81": "denied",
      "dev/db → prod/agent:80": "allowed",
      "dev/db → prod/web:80": "denied",
    },
  },
]);
