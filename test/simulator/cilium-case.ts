import { expect, test } from "vitest";
import { createCluster, type PodInWords } from "./cluster.ts";

/**
 * One case: `source` is where the rule is written down, in Cilium's documentation (docs.cilium.io) or repository; `says`
 * are the verdicts worked out by hand from it, a line each: `from to port verdict`. Ends are pods of the cluster below by
 * their names, or addresses.
 */
export type CiliumCase = {
  readonly title: string;
  readonly source: string;
  readonly policies: string;
  readonly says: string;
};

/**
 * Two namespaces, `shop` and `ops` (labelled team=ops), the cluster's DNS, and `agent`, which is on the host network of a
 * node where no other pod is. All policies without a namespace are of `shop`.
 */
const pods: Readonly<Record<string, PodInWords>> = {
  "shop/frontend": { labels: { role: "frontend", env: "prod" }, serviceAccount: "web" },
  "shop/backend": {
    labels: { role: "backend", env: "prod", "pod-template-hash": "6c8f" },
    serviceAccount: "api",
    ports: [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "syslog", protocol: "UDP", port: 514 },
    ],
  },
  "shop/cache": { labels: { role: "cache", env: "dev" } },
  "ops/luke": { labels: { role: "frontend", name: "luke" }, serviceAccount: "luke" },
  "kube-system/dns": { labels: { "k8s-app": "kube-dns" } },
  "kube-system/agent": { hostNetwork: true, node: "n9", addresses: ["10.0.0.9"] },
};

const namespaces = { ops: { team: "ops" } };
const byName = new Map(Object.keys(pods).map((key) => [key.slice(key.indexOf("/") + 1), key]));

export function runCases(cases: readonly CiliumCase[]): void {
  test.each(cases)("$title ($source)", ({ policies, says }) => {
    const { ask, simulator } = createCluster({ namespaces, pods, policies: inShop(policies) });
    expect(simulator.problems).toEqual([]);
    const wanted = linesOf(says);
    expect(wanted.length).toBeGreaterThan(0);
    const found = wanted.map((line) => {
      const [from = "", to = "", port = ""] = line.split(" ");
      return `${from} ${to} ${port} ${ask(end(from), end(to), port).verdict}`;
    });
    expect(found).toEqual(wanted);
  });
}

/** Of documents whose metadata is just a name, a full policy: `{ name: x }` stands for a CiliumNetworkPolicy of `shop`. */
export function inShop(policies: string): string {
  return policies
    .split(/^---$/m)
    .map((text) => {
      if (text.includes("apiVersion:")) return text;
      const clusterwide = text.includes("clusterwide: true");
      const kind = clusterwide ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy";
      const metadata = clusterwide ? "{ name: case }" : "{ name: case, namespace: shop }";
      const body = text.replace("clusterwide: true", "");
      return `apiVersion: cilium.io/v2\nkind: ${kind}\nmetadata: ${metadata}\n${body}`;
    })
    .join("\n---\n");
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim().replaceAll(/ +/g, " "))
    .filter((line) => line !== "");
}

function end(name: string): string {
  return byName.get(name) ?? name;
}
