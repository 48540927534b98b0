import { acnp, onDb, testCases } from "./antrea-cases.ts";

testCases([
  {
    title: "endPort ends a range, both ends included",
    source: "ACNP with stand-alone selectors; ingress (endPort)",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, ports: [{ protocol: TCP, port: 8080, endPort: 9000 }, { protocol: TCP, port: 6379 }] }]`),
    answers: {
      "dev/web → prod/db:8079": "allowed",
      "dev/web → prod/db:8080": "denied",
      "dev/web → prod/db:9000": "denied",
      "dev/web → prod/db:9001": "allowed",
      "dev/web → prod/db:6379": "denied",
      "dev/web → prod/db:6379/UDP": "allowed",
    },
  },
  {
    title: "A port entry without a port is all ports of its protocol, TCP if it names none",
    source: "pkg/apis/crd/v1beta1/types.go, NetworkPolicyPort",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, ports: [{}] }]
  egress: [{ action: Drop, ports: [{ protocol: UDP }] }]`),
    answers: {
      "dev/web → prod/db:1": "denied",
      "dev/web → prod/db:1/SCTP": "allowed",
      "prod/db → dev/web:9/UDP": "denied",
      "prod/db → dev/web:9": "allowed",
    },
  },
  {
    title: "A port's name is that of the destination pod",
    source: "pkg/apis/crd/v1beta1/types.go, NetworkPolicyPort",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, ports: [{ port: sql }] }]`),
    answers: {
      "dev/web → prod/db:5432": "denied",
      "dev/web → dev/db:5432": "allowed",
      "dev/web → dev/db:6000": "denied",
    },
  },
  {
    title: "On egress a port's name is looked up in all pods, or in those that are selected, not by their address",
    source: "crd_utils.go, toAntreaPeerForCRD; pod_reconciler.go, filterUnresolvablePort",
    policies: acnp(`ingress: []
  egress:
    - { action: Drop, ports: [{ port: sql }], appliedTo: [{ namespaceSelector: { matchLabels: { env: dev } } }] }
    - action: Drop
      appliedTo: [{ namespaceSelector: { matchLabels: { env: prod } } }]
      to: [{ ipBlock: { cidr: 10.10.0.0/16 } }, { podSelector: { matchLabels: { app: web } } }]
      ports: [{ port: sql }, { port: 99 }]`),
    answers: {
      "dev/web → prod/db:5432": "denied",
      "dev/web → 8.8.8.8:5432": "allowed",
      "prod/web → prod/db:5432": "allowed",
      "prod/web → prod/db:99": "denied",
    },
  },
  {
    title: "On ingress a port's name is the subject's own, whoever it is that comes",
    source: "pod_reconciler.go, groupMembersByServices",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, from: [{ ipBlock: { cidr: 8.0.0.0/8 } }], ports: [{ port: sql }] }]`),
    answers: { "8.8.8.8 → prod/db:5432": "denied", "8.8.8.8 → prod/db:6000": "allowed" },
  },
  {
    title: "A source port is not evaluated",
    source: "pkg/apis/crd/v1beta1/types.go, NetworkPolicyPort (sourcePort)",
    policies: acnp(`${onDb}
  ingress: [{ action: Drop, ports: [{ port: 80 }, { port: 81, sourcePort: 49152, sourceEndPort: 65535 }] }]`),
    answers: {
      "dev/web → prod/db:80": "denied",
      "dev/web → prod/db:81": "undecided",
      "dev/web → prod/db:82": "allowed",
    },
  },
  {
    title: "A rule of ICMP alone matches no TCP, and one with ports beside it matches those",
    source: "ACNP for ICMP traffic; pkg/apis/crd/v1beta1/types.go, Rule",
    policies: acnp(`${onDb}
  ingress: [{ action: Reject, protocols: [{ icmp: { icmpType: 8, icmpCode: 0 } }] }]
  egress: [{ action: Drop, protocols: [{ icmp: {} }], ports: [{ port: 80 }] }]`),
    answers: {
      "dev/web → prod/db:80": "allowed",
      "prod/db → dev/web:80": "denied",
      "prod/db → dev/web:81": "allowed",
    },
  },
  {
    title: "What a layer 7 rule matches is allowed or dropped by its content, and later rules are not asked",
    source: "ACNP for HTTP traffic (ingress-allow-http-request-to-api-v2); antrea-l7-network-policy.md",
    policies: acnp(`${onDb}
  ingress:
    - action: Allow
      from: [{ podSelector: { matchLabels: { app: web } } }]
      l7Protocols: [{ http: { path: "/api/v2/*", host: foo.bar.com, method: GET } }]
    - { action: Allow, from: [{ namespaceSelector: {} }] }
    - { action: Drop }`),
    answers: {
      "dev/web → prod/db:80": "undecided",
      "dev/db → prod/db:80": "allowed",
      "8.8.8.8 → prod/db:80": "denied",
    },
  },
]);
