import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/policy/canonical.ts";
import { waitFor } from "../wait.ts";
import { installPolicyApis, type PolicyApis } from "./crds.ts";
import { kubectl } from "./kubectl.ts";
import { createRollbackDesk, type RollbackDesk } from "./rollback-desk.ts";

/** Policies of other APIs than Kubernetes' own, cluster-scoped ones among them, are rolled back as NetworkPolicies are. */
const namespace = `rollback-apis-${randomBytes(4).toString("hex")}`;
const slowly = { timeoutMs: 20_000, everyMs: 50 };

const subject = { namespaces: { matchLabels: { team: "net" } } };
const pods = { podSelector: { matchLabels: { app: "web" } } };

/** Kind with API version, whether it lies in a namespace, its plural with group, its first spec, and what is changed of it. */
const kinds = [
  [
    "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy",
    false,
    "adminnetworkpolicies.policy.networking.k8s.io",
    { priority: 10, subject, ingress: [{ name: "one", action: "Deny", from: [{ namespaces: {} }] }] },
    { priority: 20 },
  ],
  [
    "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy",
    false,
    "clusternetworkpolicies.policy.networking.k8s.io",
    { tier: "Admin", priority: 10, subject, ingress: [{ name: "one", action: "Deny", from: [{ namespaces: {} }] }] },
    { priority: 20 },
  ],
  [
    "projectcalico.org/v3 GlobalNetworkPolicy",
    false,
    "globalnetworkpolicies.projectcalico.org",
    { selector: "app == 'web'", types: ["Ingress"], ingress: [{ action: "Deny" }], order: 10 },
    { order: 20 },
  ],
  [
    "crd.antrea.io/v1beta1 ClusterNetworkPolicy",
    false,
    "clusternetworkpolicies.crd.antrea.io",
    { priority: 10, appliedTo: [pods], ingress: [{ action: "Drop", from: [pods] }] },
    { priority: 20 },
  ],
  [
    "cilium.io/v2 CiliumNetworkPolicy",
    true,
    "ciliumnetworkpolicies.cilium.io",
    { endpointSelector: pods.podSelector, ingressDeny: [{ fromEntities: ["world"] }] },
    { ingressDeny: [{ fromEntities: ["all"] }] },
  ],
] as const;

let apis: PolicyApis;
let desk: RollbackDesk;

beforeAll(async () => {
  apis = await installPolicyApis();
  await kubectl(["create", "namespace", namespace]);
  desk = await createRollbackDesk([namespace, "*"]);
}, 120_000);

afterAll(async () => {
  await desk?.close();
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
  await apis?.remove();
}, 120_000);

describe.each(kinds)("A %s", (...row) => {
  const [of, isNamespaced, plural, spec, patch] = row;
  const [apiVersion = "", kind = ""] = of.split(" ");
  const name = `p-${randomBytes(3).toString("hex")}`;
  const place = { apiVersion, kind, metadata: { name, ...(isNamespaced ? { namespace } : {}) } };
  const at = [plural, name, ...(isNamespaced ? ["-n", namespace] : [])];
  const isRecordedAs = (undo: string) =>
    waitFor(
      async () => (await desk.newest(place))?.authors.some((one) => one.kind === "operation" && one.operation === undo),
      slowly,
    );

  test("that was made, changed and deleted is brought back from each, to the byte", async () => {
    const input = JSON.stringify({ ...place, spec });
    const made = await desk.recorded(place, () => kubectl(["create", "-f", "-"], { input }));
    const merge = JSON.stringify({ spec: patch });
    const changed = await desk.recorded(place, () => kubectl(["patch", ...at, "--type=merge", "-p", merge]));
    const undo = await desk.rollBack(changed.id);
    expect(canonicalJson(await desk.image(place))).toBe(canonicalJson(made.after));
    await isRecordedAs(undo);
    const again = await desk.rollBack(undo);
    expect(canonicalJson(await desk.image(place))).toBe(canonicalJson(changed.after));
    await isRecordedAs(again);
    const deleted = await desk.recorded(place, () => kubectl(["delete", ...at]));
    await desk.rollBack(deleted.id);
    expect(canonicalJson(await desk.image(place))).toBe(canonicalJson(changed.after));
  });

  test("that was made is deleted again", async () => {
    const other = { ...place, metadata: { ...place.metadata, name: `${name}-2` } };
    const input = JSON.stringify({ ...other, spec });
    const made = await desk.recorded(other, () => kubectl(["create", "-f", "-"], { input }));
    await desk.rollBack(made.id);
    expect(await desk.stored(other)).toBeUndefined();
  });
});
