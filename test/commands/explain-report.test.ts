import { describe, expect, test } from "vitest";
import { type Query, reportJson, reportOn, reportText } from "../../src/commands/explain-report.ts";
import { compile } from "../../src/simulator/compile.ts";
import { readManifests } from "../../src/simulator/manifests.ts";

const template = (app: string, port: number) =>
  `template: {metadata: {labels: {app: ${app}}}, spec: {containers: [{ports: [{name: main, containerPort: ${port}}]}]}}`;

const text = `
{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout, namespace: payments}, spec: {${template("checkout", 80)}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: postgres, namespace: db}, spec: {${template("postgres", 5432)}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: old, namespace: db}, spec: {${template("postgres", 5433)}}}
---
{apiVersion: v1, kind: Service, metadata: {name: sql, namespace: db}, spec: {selector: {app: postgres}, ports: [{port: 1, targetPort: main}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: from-payments, namespace: db }
spec:
  podSelector: {}
  ingress:
    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: payments } } }]
      ports: [{ port: 5432 }]
`;

const { snapshot } = readManifests([{ path: "all.yaml", text }]);
const simulator = compile(snapshot, { engine: undefined, ipBlockMatchesPods: false });

function about(from: string, to: string, port: number): Query {
  return { from, to, port, protocol: "TCP" };
}

function textOf(query: Query): string {
  const report = reportOn(simulator, query);
  return "problem" in report ? report.problem : reportText(report);
}

describe("A report", () => {
  test("says yes or no, and by which policy and rule in each direction", () => {
    expect(textOf(about("payments/checkout", "db/postgres", 5432))).toBe(
      [
        "Yes: payments/checkout[Deployment] can connect to db/postgres[StatefulSet] on TCP 5432.",
        "",
        "Out of payments/checkout[Deployment]: allowed.",
        "  Allowed by default, since no policy that selects it speaks of this.",
        "",
        "Into db/postgres[StatefulSet]: allowed.",
        "  Allowed by NetworkPolicy db/from-payments, ingress[0].",
        "",
      ].join("\n"),
    );
  });

  test("has a case for each answer where pods behind a Service are treated differently", () => {
    const said = textOf(about("payments/checkout", "db/sql", 1));
    expect(said).toMatch(
      /^It depends: payments\/checkout\[Deployment\] can connect to Service db\/sql on TCP 1 in some/,
    );
    expect(said).toContain(
      "Yes: payments/checkout[Deployment] can connect to db/postgres[StatefulSet] on TCP 1 (the pod's port 5432).",
    );
    expect(said).toContain(
      "No: payments/checkout[Deployment] cannot connect to db/old[StatefulSet] on TCP 1 (the pod's port 5433).",
    );
  });

  test("as JSON has the verdict, and each case with reasons as data and in words", () => {
    const query = about("internet", "db/postgres", 5432);
    const report = reportOn(simulator, query);
    expect("problem" in report ? report : JSON.parse(reportJson(report, query))).toMatchObject({
      from: "internet",
      to: "db/postgres[StatefulSet]",
      protocol: "TCP",
      port: 5432,
      verdict: "denied",
      cases: [
        {
          verdict: "denied",
          egress: { verdict: "allowed", because: [{ kind: "not-a-pod" }] },
          ingress: {
            because: [
              { kind: "isolated", policies: [{ kind: "NetworkPolicy", namespace: "db", name: "from-payments" }] },
            ],
            words: [
              "Into db/postgres[StatefulSet]: denied.",
              "Denied by default, since NetworkPolicy db/from-payments selects it and no rule allows this.",
            ],
          },
        },
      ],
    });
  });

  test("suggests what was probably meant", () => {
    expect(textOf(about("payments/chekout", "db/postgres", 1))).toBe(
      "There is no pod, workload or Service payments/chekout. Did you mean checkout?",
    );
  });
});
