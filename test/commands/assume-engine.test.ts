import { expect, test } from "vitest";
import { assumeEngine } from "../../src/commands/assume-engine.ts";

test.each([
  [["apps", "cilium.io"], "cilium", false, /^Cilium is assumed to enforce, since the cluster serves cilium\.io\./],
  [["crd.projectcalico.org"], "calico", true, /^Calico is assumed .* serves crd\.projectcalico\.org\./],
  [["crd.projectcalico.org", "projectcalico.org"], "calico", true, /crd\.projectcalico\.org and projectcalico\.org/],
  [["crd.antrea.io"], "antrea", true, /^Antrea is assumed/],
  [["cilium.io", "crd.antrea.io"], undefined, "unknown", /^The cluster serves APIs of Cilium and Antrea: which/],
  [["apps", "policy.networking.k8s.io"], undefined, "unknown", /^Which network plugin enforces is not known/],
  [[], undefined, "unknown", /its APIs was not read\. .*both readings/],
] as const)("Of a cluster that serves %j the engine is taken to be %s", (groups, engine, ipBlockMatchesPods, words) => {
  const assumed = assumeEngine(groups);
  expect(assumed.settings).toEqual({ engine, ipBlockMatchesPods });
  expect(assumed.words).toMatch(words);
});
