import { expect, test } from "vitest";
import { detectionLines } from "../../src/commands/detection.ts";
import { chooseEngine } from "../../src/engines/choose.ts";
import { detectEngines } from "../../src/engines/detect.ts";
import type { EngineEvidence } from "../../src/policy/evidence.ts";
import { agent, evidenceOf, read, readAt } from "../engines/evidence.ts";

function lines(evidence: EngineEvidence): readonly string[] {
  return detectionLines(detectEngines(evidence, "unknown", { now: readAt }));
}

test("The state of engines is told with the strongest first, and the reason for whatever is not enforced", () => {
  const cilium = evidenceOf({ with: [agent("cilium")], configMaps: { "cilium-config": read({}) } });
  expect(lines(cilium)).toEqual([
    "strongest policy engine: cilium (Cilium). Cilium's agent is ready, and nothing in cilium-config turns enforcement off.",
    "enforced too: networkpolicy",
    "served and not enforced: calico (Cilium does not enforce this API); antrea (Cilium does not enforce this API); cluster-network-policy (Cilium leaves ClusterNetworkPolicy alone: enable-k8s-cluster-network-policy is not on); admin-network-policy (Cilium does not enforce this API)",
  ]);
});

test("Where no engine is known to be enforced the first line says why, and NetworkPolicy is what is written", () => {
  const nothing = evidenceOf({ served: read([]) });
  expect(lines(nothing)).toEqual([
    "no policy engine is known to be enforced: No network plugin that Bulkhead knows runs as a DaemonSet.",
  ]);
  expect(chooseEngine(detectEngines(nothing, "unknown", { now: readAt }), undefined)).toMatchObject({
    engine: "networkpolicy",
  });
});
