import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closeObject } from "../../src/commands/close-allowance.ts";
import { readView } from "../../src/commands/cluster-view.ts";
import { judgedBy } from "../../src/commands/detection.ts";
import { marks } from "../../src/policy/marks.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { compile, type Simulator } from "../../src/simulator/compile.ts";
import { type DeltaRow, delta } from "../../src/simulator/delta.ts";
import { type PortSet, portsByProtocol } from "../../src/simulator/ports.ts";
import type { ReachedEnd } from "../../src/simulator/reach.ts";
import { loadTemplates, shippedTemplates } from "../../src/templates.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, type TestDesk, wordsIn } from "./desk.ts";

const { templates } = loadTemplates(shippedTemplates);

const everyPort = "TCP 1-65535 UDP 1-65535 SCTP 1-65535";
const wholeOfIpv6 = "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
const intoDb = (from: string): string => `${from} → db/postgres ${everyPort}`;
const outOfDb = (to: string): string => `db/postgres → ${to} ${everyPort}`;

/** What is typed of each template, and all that it opens: who, whom, on which ports. */
const rows: readonly (readonly [template: string, values: string, opens: readonly string[]])[] = [
  [
    "between-workloads",
    "from=payments/checkout to=db/postgres port=5432",
    ["payments/checkout → db/postgres TCP 5432"],
  ],
  [
    "database-failover",
    "workload=payments/ledger cidr=10.20.30.0/28 port=3306",
    ["payments/ledger → 10.20.30.0-10.20.30.15 TCP 3306"],
  ],
  [
    "dns",
    "workload=accounts/login",
    [
      // A cache on the node itself, where there is one.
      "accounts/login → 169.254.20.10-169.254.20.10 TCP 53 UDP 53",
      "accounts/login → kube-system/coredns TCP 53 UDP 53",
    ],
  ],
  [
    "egress-to-cidr",
    "workload=payments/checkout cidr=198.51.100.0/24",
    ["payments/checkout → 198.51.100.0-198.51.100.255 TCP 443"],
  ],
  ["from-ingress", "workload=payments/checkout port=8080", ["ingress-nginx/controller → payments/checkout TCP 8080"]],
  [
    "identity-provider",
    "workload=accounts/login cidr=192.0.2.64/26 port=636",
    ["accounts/login → 192.0.2.64-192.0.2.127 TCP 636"],
  ],
  ["monitoring-scrapes", "namespace=db port=9102", ["monitoring/prometheus → db/postgres TCP 9102"]],
  [
    "pause-default-deny",
    "namespace=db",
    [
      // What others forbid stays closed: payments lets nothing of db in, and shop/cart neither.
      ...["0.0.0.0-255.255.255.255", wholeOfIpv6, "ingress-nginx/controller", "kube-system/coredns"].map(intoDb),
      ...["monitoring/node-exporter", "monitoring/prometheus"].map(intoDb),
      ...["shop/cart", "shop/frontend", "shop/search"].map(intoDb),
      ...["0.0.0.0-255.255.255.255", wholeOfIpv6, "ingress-nginx/controller", "monitoring/node-exporter"].map(outOfDb),
      ...["monitoring/prometheus", "shop/frontend", "shop/search"].map(outOfDb),
      // These were open on one port already.
      "db/postgres → db/postgres TCP 1-5431,5433-65535 UDP 1-65535 SCTP 1-65535",
      "db/postgres → kube-system/coredns TCP 1-52,54-65535 UDP 1-52,54-65535 SCTP 1-65535",
    ],
  ],
];

let desk: TestDesk;
let passedMs = 0;
let before: Simulator | undefined;

beforeAll(async () => {
  desk = await startDesk({
    cluster: { now: () => Date.now() + passedMs, objects: [...seedObjects(), ...closedNamespace(), ...ingress()] },
    monotonic: () => performance.now() + passedMs,
    services: { templates: { all: () => templates, problems: () => [] } },
    settings: {
      access: {
        rules: [{ principals: ["slack:T1/U1", "slack:T1/U2"], verbs: ["*"], namespaces: ["*"] }],
        people: [],
      },
    },
  });
  await waitFor(() => desk.sandbox.objects("Pod").length >= 20);
  before = await simulated();
});

afterAll(() => desk.close());

/** One that does not even resolve names. */
function closedNamespace(): readonly object[] {
  const spec = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "accounts" } },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "default-deny", namespace: "accounts" },
      spec,
    },
    deployment("accounts", "login"),
  ];
}

function ingress(): readonly object[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "ingress-nginx" } },
    deployment("ingress-nginx", "controller"),
  ];
}

function deployment(namespace: string, name: string): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "x" }] } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace, name },
    spec: { replicas: 2, selector: { matchLabels: labels }, template },
  };
}

/** All that policies let through now; with the pods of before, which nothing here changes. */
async function simulated(): Promise<Simulator> {
  const { cluster } = clusterOfDesk();
  const namespace = "db";
  const facts = await cluster.facts(namespace, "fresh");
  const view = await readView(desk.services, "sandbox", { namespace, facts }, { nodes: [], principal: everybody });
  expect(view.unread).toEqual([]);
  const { pods } = (before ?? view).snapshot;
  expect(pods).toEqual(view.snapshot.pods);
  return compile({ ...view.snapshot, pods }, judgedBy(view.detection));
}

const everybody: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "alice" };

function clusterOfDesk() {
  const found = desk.services.clusters.get("sandbox");
  if (found === undefined) throw new Error("the desk has no cluster");
  return found;
}

function beforehand(): Simulator {
  if (before === undefined) throw new Error("nothing was simulated");
  return before;
}

function told(found: readonly DeltaRow[], portsOf: (row: DeltaRow) => PortSet): readonly string[] {
  const words = found.flatMap((row) => {
    const ports = portsOf(row);
    if (ports.length === 0) return [];
    return namesOf(row.from).flatMap((from) => namesOf(row.to).map((to) => `${from} → ${to}${portWords(ports)}`));
  });
  return [...new Set(words)].toSorted();
}

function namesOf(end: ReachedEnd): readonly string[] {
  if (end.kind === "range") return [end.range];
  return end.pods.map(({ workload }) => `${workload.namespace}/${workload.name}`);
}

function portWords(ports: PortSet): string {
  return Object.entries(portsByProtocol(ports))
    .map(([protocol, ranges]) => ` ${protocol} ${ranges.map((range) => [...new Set(range)].join("-")).join(",")}`)
    .join("");
}

/** Presses whatever is asked for, as whoever has to, until it is open; how often somebody else had to agree. */
async function open(text: string): Promise<number> {
  let approvals = 0;
  let reply = await desk.type(text);
  expect(reply.headline, wordsIn(reply)).toMatch(/^Plan: allow /);
  for (const _ of [1, 2, 3, 4]) {
    const action = ["approve", "confirm-again", "confirm"].find((one) => reply.buttons.some((b) => b.action === one));
    if (action === undefined) break;
    if (action === "approve") approvals += 1;
    reply = await desk.press(action, reply.operation, action === "approve" ? { principal: bob } : {});
  }
  expect(reply.headline, wordsIn(reply)).toMatch(/^OPEN until /);
  return approvals;
}

function ours() {
  return desk.sandbox.objects("NetworkPolicy").filter(({ metadata }) => metadata.labels?.[marks.kind] === "allowance");
}

/** What became of all of ours. */
async function closeAll(): Promise<readonly string[]> {
  const closed = await Promise.all(
    ours().map((reference) => closeObject(clusterOfDesk(), { reference, why: "expired" })),
  );
  return [...new Set(closed.map(({ kind }) => kind))];
}

test("Each template that ships has a row here", () => {
  expect(rows.map(([name]) => name)).toEqual(templates.map(({ name }) => name));
});

describe.each(rows)("Template %s", (name, values, opens) => {
  test("opens exactly what it says, closes nothing, and closes by its time", async () => {
    const approvals = await open(`allow ${name} ${values} for 20s an incident`);
    expect(approvals).toBe(templates.find((one) => one.name === name)?.approvals.count);
    const during = delta(beforehand(), await simulated(), new Map());
    expect(told(during, ({ opened }) => opened)).toEqual(opens.toSorted());
    expect(told(during, ({ closed }) => closed)).toEqual([]);
    expect(told(during, ({ unsure }) => unsure)).toEqual([]);
    passedMs += 10_000;
    expect(await closeAll()).toEqual(["not-yet"]);
    passedMs += 11_000;
    expect(await closeAll()).toEqual(["closed"]);
    expect(delta(beforehand(), await simulated(), new Map())).toEqual([]);
  });
});
