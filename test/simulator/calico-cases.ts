import { expect } from "vitest";
import { parse } from "yaml";
import type { WireObject } from "../../src/simulator/model.ts";
import { createCluster, type PodInWords } from "./cluster.ts";

/*
 * The cluster of the cases that are worked out by hand from Calico's reference and documentation (docs.tigera.io: "GlobalNetworkPolicy", "NetworkPolicy",
 * "Tier", "EntityRule", …) and, where they are silent, from the source of Calico that is named.
 */

export const pods: Readonly<Record<string, PodInWords>> = {
  "shop/web": { labels: { app: "web", tier: "front" }, addresses: ["10.0.0.1"], serviceAccount: "web" },
  "shop/db": {
    labels: { app: "db" },
    addresses: ["10.0.0.2"],
    ports: [
      { name: "sql", protocol: "TCP", port: 5432 },
      { name: "dns", protocol: "UDP", port: 53 },
    ],
  },
  "ops/web": { labels: { app: "web" }, addresses: ["10.0.1.1"], serviceAccount: "web" },
  "ops/probe": { labels: { app: "probe" }, addresses: ["10.0.1.2"] },
};

export const namespaces = { shop: { team: "a" }, ops: { team: "b" } };

export function calico(kind: string, name: string, spec: string, apiVersion = "projectcalico.org/v3"): WireObject {
  const [namespace, own] = name.includes("/") ? name.split("/") : [undefined, name];
  const metadata = { name: own ?? "", ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion, kind, metadata, spec: parse(spec) as unknown };
}

export const tier = (name: string, spec: string) => calico("Tier", name, spec);
export const global = (name: string, spec: string) => calico("GlobalNetworkPolicy", name, spec);
export const local = (name: string, spec: string) => calico("NetworkPolicy", name, spec);

/** A set of nets with the label `zone`. */
export function netSet(name: string, zone: string, nets: readonly string[]): WireObject {
  const [namespace, own] = name.includes("/") ? name.split("/") : [undefined, name];
  const metadata = { name: own ?? "", labels: { zone }, ...(namespace === undefined ? {} : { namespace }) };
  const kind = namespace === undefined ? "GlobalNetworkSet" : "NetworkSet";
  return { apiVersion: "projectcalico.org/v3", kind, metadata, spec: { nets } };
}

export function kubernetes(kind: string, name: string, spec: string): WireObject {
  return calico(kind, name, spec, "networking.k8s.io/v1");
}

export function cluster(policies: readonly WireObject[]) {
  return createCluster({ pods, namespaces, policies });
}

/** `"shop/web shop/db 5432"` → allowed, denied, undecided, for each. */
export function verdicts(policies: readonly WireObject[], questions: readonly string[]): readonly string[] {
  const { simulator, ask } = cluster(policies);
  expect(simulator.problems).toEqual([]);
  return questions.map((question) => {
    const [from = "", to = "", port = ""] = question.split(" ");
    return ask(from, to, port).verdict;
  });
}

export function problemsIn(...policies: readonly WireObject[]): readonly string[] {
  const { problems } = cluster(policies).simulator;
  return problems.flatMap((each) => each.problems.map(({ field, message }) => `${field} ${message}`));
}

/** Lets pods named web into those named db. */
export const dbFromWeb = `{ selector: app == 'db', ingress: [{ action: Allow, source: { selector: app == 'web' } }] }`;
