import { parseAllDocuments } from "yaml";
import type { ClusterView } from "../../src/commands/cluster-view.ts";
import { denyEngines } from "../../src/policy/engine.ts";
import type { Image } from "../../src/policy/revision.ts";
import type { SimulatedPod } from "../../src/simulator/snapshot.ts";
import { type ClusterInWords, createCluster } from "../simulator/cluster.ts";

/** `shop/web`, a pod of Deployment web with label app=web. */
export function deployment(key: string): Partial<SimulatedPod> {
  const [namespace = "", name = ""] = key.split("/");
  return { labels: { app: name }, workload: { namespace, name, kind: "Deployment" } };
}

/** All of the cluster but `unread`, where every engine is enforced. */
export function viewOf(words: Omit<ClusterInWords, "settings">, unread: ClusterView["unread"] = []): ClusterView {
  const engines = denyEngines.map((engine) => ({ engine, served: true, state: "enforced" as const, because: "" }));
  return {
    snapshot: createCluster(words).simulator.snapshot,
    unread,
    isWhole: true,
    detection: {
      engines,
      plugin: undefined,
      openConnections: "unknown",
      simulated: { engine: undefined, ipBlockMatchesPods: false },
      ways: { served: [], calicoTiers: [], writesCalicoStorage: false },
    },
  };
}

/** YAML, several with `---`. */
export function images(text: string): Image[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Image);
}
