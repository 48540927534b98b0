import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deniesOf } from "../../src/engines/engines.ts";
import { type Cluster, createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { DenyEngine, Ways } from "../../src/policy/engine.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import { aDenial, ofNamespace, ofWorkload, someEndpoints } from "../engines/denials.ts";
import { installPolicyApis, type PolicyApis } from "./crds.ts";
import { kubectl } from "./kubectl.ts";

/** What each engine writes, on a real API server with the definitions of its API. */
const namespace = `engines-${randomBytes(4).toString("hex")}`;

let apis: PolicyApis;
let cluster: Cluster;

beforeAll(async () => {
  apis = await installPolicyApis();
  await kubectl(["create", "namespace", namespace]);
  const source = { kind: "files", paths: [process.env["KUBECONFIG"] ?? ""] } as const;
  const connection = createConnection({ source, now: Date.now });
  cluster = await createCluster("real", connection, { now: Date.now, watch: false });
}, 120_000);

afterAll(async () => {
  await cluster?.close();
  await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
  await apis?.remove();
}, 120_000);

const subjects = { pod: aDenial().subject, workload: ofWorkload, namespace: ofNamespace, "all pods": {} };

type Case = { readonly engine: DenyEngine; readonly target: keyof typeof subjects };

const namespaced = (["cilium", "calico", "antrea", "cluster-network-policy", "admin-network-policy"] as const).flatMap(
  (engine) => (Object.keys(subjects) as (keyof typeof subjects)[]).map((target): Case => ({ engine, target })),
);

test.each(namespaced)(
  "The server takes what $engine writes for $target, and gives it back as it was",
  async ({ engine, target }) => {
    await comesBack(objectsFor(engine, target, apis.served));
  },
);

test.each([
  ["calico", ["projectcalico.org/v3/globalnetworkpolicies", "projectcalico.org/v3/tiers"]],
  ["antrea", ["crd.antrea.io/v1beta1/clusternetworkpolicies"]],
] as const)("Where only the cluster-wide kind of %s is served, that is taken too", async (engine, served) => {
  const objects = objectsFor(engine, "workload", served);
  expect(objects.at(-1)?.kind).toMatch(/^(Global|Cluster)NetworkPolicy$/);
  await comesBack(objects);
});

function objectsFor(engine: DenyEngine, target: keyof typeof subjects, served: readonly string[]): readonly Manifest[] {
  const ways: Ways = { served, calicoTiers: [], writesCalicoStorage: false };
  return deniesOf(engine, aDenial({ namespace, subject: subjects[target], endpoints: someEndpoints }), ways).objects;
}

/** Created, read, and deleted at the version that was read. */
async function comesBack(objects: readonly Manifest[]): Promise<void> {
  expect(objects.length).toBeGreaterThan(0);
  for (const object of objects) {
    expect(await cluster.createObject(object)).toMatchObject({ kind: "created" });
    const stored = await cluster.getObject(object);
    expect({ spec: stored?.spec, metadata: stored?.metadata }).toEqual({
      spec: object.spec,
      metadata: { ...stored?.metadata, ...object.metadata },
    });
  }
  for (const object of objects.toReversed()) {
    const { uid = "", resourceVersion = "" } = (await cluster.getObject(object))?.metadata ?? {};
    expect(await cluster.deleteObject(object, { uid, resourceVersion })).toEqual({ kind: "deleted" });
    expect(await cluster.getObject(object)).toBeUndefined();
  }
}
