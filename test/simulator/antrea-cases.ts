import { expect, test } from "vitest";
import type { Verdict } from "../../src/simulator/decide.ts";
import type { SimulatedService } from "../../src/simulator/snapshot.ts";
import { type ClusterInWords, createCluster, type PodInWords } from "./cluster.ts";

/**
 * Worked out by hand from Antrea's docs/antrea-network-policy.md; `source` is the section there, or another file of
 * Antrea's repository. Where nothing is said of a connection, no policy speaks of it, and it is allowed.
 */
export type Case = Partial<ClusterInWords> & {
  readonly title: string;
  readonly source: string;
  /** `"from → to:port"`, with a protocol if it is not TCP: `"a/b → c/d:53/UDP"`. */
  readonly answers: Readonly<Record<string, Verdict>>;
};

export const namespaces = { prod: { env: "prod" }, dev: { env: "dev" } };

export const pods: Readonly<Record<string, PodInWords>> = {
  "prod/web": { labels: { app: "web", role: "frontend" }, addresses: ["10.10.0.1"] },
  "prod/db": {
    labels: { app: "db", role: "db" },
    addresses: ["10.10.0.2"],
    ports: [{ name: "sql", protocol: "TCP", port: 5432 }],
  },
  "dev/web": { labels: { app: "web", role: "frontend" }, addresses: ["10.10.1.1"], serviceAccount: "sa-1" },
  "dev/db": {
    labels: { app: "db", role: "db" },
    addresses: ["10.10.1.2"],
    serviceAccount: "sa-2",
    ports: [{ name: "sql", protocol: "TCP", port: 6000 }],
  },
};

/** Its pods are prod/db. */
export const webService: SimulatedService = {
  namespace: "prod",
  name: "db",
  selector: { role: "db" },
  ports: [{ name: undefined, protocol: "TCP", port: 80, targetPort: "sql" }],
};

/** A ClusterNetworkPolicy in tier application, priority 5, unless `more` says otherwise. */
export function acnp(rules: string, more = "priority: 5", name = "one"): string {
  return `
apiVersion: crd.antrea.io/v1beta1
kind: ClusterNetworkPolicy
metadata: { name: ${name} }
spec:
  ${more}
  ${rules.trim()}
`;
}

export function tier(name: string, priority: number): string {
  return `
apiVersion: crd.antrea.io/v1beta1
kind: Tier
metadata: { name: ${name} }
spec: { priority: ${priority}, description: of our own }
`;
}

export function clusterGroup(name: string, spec: string): string {
  return `
apiVersion: crd.antrea.io/v1beta1
kind: ClusterGroup
metadata: { name: ${name} }
spec: ${spec}
`;
}

export const onDb = "appliedTo: [{ podSelector: { matchLabels: { role: db } } }]";

export const join = (...documents: readonly string[]): string => documents.join("---");

/** One test a case, in the cluster of `pods` unless it has its own. */
export function testCases(cases: readonly Case[]): void {
  test.each(cases)("$title ($source)", ({ answers, ...words }) => {
    const { simulator, ask } = createCluster({ pods, namespaces, ...words });
    expect(simulator.problems).toEqual([]);
    const asked = Object.keys(answers).map((line) => {
      const [, from = "", to = "", port = ""] = /^(\S+) → (\S+):(\S+)$/.exec(line) ?? [];
      return [line, ask(from, to, port).verdict];
    });
    expect(Object.fromEntries(asked)).toEqual(answers);
  });
}
