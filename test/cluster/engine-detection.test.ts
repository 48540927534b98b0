import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseEngine } from "../../src/engines/choose.ts";
import { detectEngines } from "../../src/engines/detect.ts";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { installPolicyApis, type PolicyApis } from "./crds.ts";
import { installPlugin } from "./network-plugins.ts";

/** With what a cluster runs that enforces each engine's API, as it is seen on a real API server. */
const engines = [
  "networkpolicy",
  "cilium",
  "calico",
  "antrea",
  "cluster-network-policy",
  "admin-network-policy",
] as const;

let apis: PolicyApis;

beforeAll(async () => {
  apis = await installPolicyApis();
}, 120_000);

afterAll(async () => {
  await apis?.remove();
}, 120_000);

describe.each(engines)("With %s", (engine) => {
  let cluster: Cluster;
  let uninstall: () => Promise<void>;

  beforeAll(async () => {
    uninstall = await installPlugin(engine);
    const source = { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] } as const;
    cluster = await createCluster("real", createConnection({ source, now: Date.now }), { now: Date.now, watch: false });
  }, 120_000);

  afterAll(async () => {
    await cluster?.close();
    await uninstall?.();
  }, 120_000);

  test("it is the strongest engine that is known to be enforced", async () => {
    const detection = detectEngines(await cluster.engineEvidence("fresh"), "unknown", { now: Date.now() });
    expect(chooseEngine(detection, undefined)).toEqual({ engine, warnings: [] });
  });
});
