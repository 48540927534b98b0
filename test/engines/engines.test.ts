import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { deniesOf } from "../../src/engines/engines.ts";
import { aDenial, ofNamespace, ofWorkload, someEndpoints } from "./denials.ts";
import { noWays, stronger } from "./random-denial.ts";

test.each(stronger)("The objects of %s for a pod with forensics and monitoring are these, to the letter", (engine) => {
  const file = new URL(`goldens/${engine}.yaml`, import.meta.url);
  const wanted = parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJSON() as unknown);
  expect(deniesOf(engine, aDenial({ endpoints: someEndpoints }), noWays).objects).toEqual(wanted);
});

test("NetworkPolicy alone writes nothing beside itself", () => {
  expect(deniesOf("networkpolicy", aDenial(), noWays)).toEqual({ objects: [], notes: [] });
});

/** What of the object says whom it denies. */
const subjects = {
  cilium: (spec: Spec) => spec["endpointSelector"],
  calico: (spec: Spec) => spec["selector"],
  antrea: (spec: Spec) => spec["appliedTo"],
  "cluster-network-policy": (spec: Spec) => spec["subject"],
  "admin-network-policy": (spec: Spec) => spec["subject"],
};
type Spec = Readonly<Record<string, unknown>>;

function subjectIn(engine: keyof typeof subjects, subject: typeof ofWorkload): unknown {
  const { objects } = deniesOf(engine, aDenial({ subject }), noWays);
  return subjects[engine](objects.at(-1)!.spec);
}

const inShop = { matchLabels: { "kubernetes.io/metadata.name": "shop" } };

test("A workload's selector is said in each engine's language", () => {
  expect(subjectIn("cilium", ofWorkload)).toEqual({
    matchLabels: { "k8s:app": "checkout" },
    matchExpressions: [
      { key: "k8s:tier", operator: "In", values: ["web", "api"] },
      { key: "k8s:track", operator: "NotIn", values: ["canary"] },
      { key: "k8s:team", operator: "Exists" },
      { key: "k8s:bulkhead.dev/quarantine", operator: "DoesNotExist" },
    ],
  });
  expect(subjectIn("calico", ofWorkload)).toBe(
    'app == "checkout" && tier in {"web", "api"} && track != "canary" && has(team) && !has(bulkhead.dev/quarantine)',
  );
  expect(subjectIn("antrea", ofWorkload)).toEqual([{ podSelector: ofWorkload }]);
  const pods = { pods: { namespaceSelector: inShop, podSelector: ofWorkload } };
  expect(subjectIn("cluster-network-policy", ofWorkload)).toEqual(pods);
  expect(subjectIn("admin-network-policy", ofWorkload)).toEqual(pods);
});

test("A whole namespace, with and without what is in quarantine already, stays within the namespace", () => {
  for (const subject of [ofNamespace, {}]) {
    const pods = { pods: { namespaceSelector: inShop, podSelector: subject } };
    expect(subjectIn("admin-network-policy", subject)).toEqual(pods);
    expect(subjectIn("cluster-network-policy", subject)).toEqual(pods);
    expect(subjectIn("antrea", subject)).toEqual([{ podSelector: subject }]);
  }
  expect(subjectIn("calico", {})).toBe("all()");
  expect(subjectIn("cilium", {})).toEqual({});
  for (const engine of ["cilium", "calico", "antrea"] as const) {
    const { objects } = deniesOf(engine, aDenial({ subject: {} }), noWays);
    expect(objects.at(-1)?.metadata.namespace).toBe("shop");
  }
});

test("No rule is without peers where it allows, since that would be everything", () => {
  const nothing = { ipBlock: { cidr: "192.0.2.0/24", except: ["192.0.2.0/25", "192.0.2.128/25"] } };
  const [first] = someEndpoints;
  const endpoints = (["ingress", "egress"] as const).map((direction) => ({ ...first!, direction, peer: nothing }));
  for (const engine of ["antrea", "cluster-network-policy", "admin-network-policy"] as const) {
    const [object] = deniesOf(engine, aDenial({ endpoints }), noWays).objects;
    expect(JSON.stringify(object)).not.toContain("allow-");
  }
});
