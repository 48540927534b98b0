import { expect, test } from "vitest";
import { authorsOf } from "../../src/policy/authors.ts";
import { marks } from "../../src/policy/marks.ts";
import { imageOf, type ManagedFields, type RawPolicy } from "../../src/policy/revision.ts";

const lastApplied = { "f:annotations": { ".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {} } };

/** As a real API server (1.20) wrote them for the command of each. */
const byApply = entry("kubectl-client-side-apply", "22:26:06", {
  "f:metadata": lastApplied,
  "f:spec": { "f:ingress": {}, "f:policyTypes": {} },
});
const appliedLess = entry("kubectl-client-side-apply", "22:26:06", {
  "f:metadata": lastApplied,
  "f:spec": { "f:policyTypes": {} },
});
const byEdit = entry("kubectl-edit", "22:26:10", { "f:spec": { "f:ingress": {} } });
const byPatch = entry("kubectl-patch", "22:26:11", { "f:spec": { "f:ingress": {} } });
const byLabel = entry("kubectl-label", "22:26:13", { "f:metadata": { "f:labels": { ".": {}, "f:x": {} } } });
const whole = { "f:spec": { "f:ingress": {}, "f:podSelector": {}, "f:policyTypes": {} } };
const byArgo = entry("argocd-controller", "22:26:15", whole, "Apply");
const byHelm = entry("helm", "22:26:19", { "f:spec": { "f:ingress": {}, "f:policyTypes": {} } });

function entry(manager: string, time: string, fields: object, operation: "Apply" | "Update" = "Update"): ManagedFields {
  return { manager, operation, time: `2026-11-21T${time}Z`, fieldsV1: JSON.stringify(fields) };
}

function policy(port: number, managedFields: readonly ManagedFields[], metadata: object = {}): RawPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "shop", uid: "u", resourceVersion: "1", managedFields, ...metadata },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ port }] }] },
  };
}

function there(previous: RawPolicy | undefined, object: RawPolicy, continuous = true) {
  return { kind: "there", cluster: "c", object, previous, continuous, at: 1 } as const;
}

const managers = (...of: Parameters<typeof authorsOf>) =>
  authorsOf(...of).map((author) => (author.kind === "manager" ? author.manager : author));

test("Who creates a policy is its author, with operation and time", () => {
  expect(authorsOf(there(undefined, policy(80, [byApply])))).toEqual([
    {
      kind: "manager",
      manager: "kubectl-client-side-apply",
      operation: "Update",
      at: "2026-11-21T22:26:06Z",
    },
  ]);
});

test("Who takes a field over is the author, and not who lost it", () => {
  const applied = policy(81, [byApply]);
  const edited = policy(82, [appliedLess, byEdit]);
  expect(managers(there(applied, edited))).toEqual(["kubectl-edit"]);
  const patched = policy(83, [appliedLess, byPatch]);
  expect(managers(there(edited, patched))).toEqual(["kubectl-patch"]);
  const argo = policy(85, [byArgo]);
  expect(managers(there(patched, argo))).toEqual(["argocd-controller"]);
  expect(authorsOf(there(patched, argo))).toMatchObject([{ operation: "Apply" }]);
});

test("A manager that changes a field of its own is the author by the new time of its entry, or by owning what changed", () => {
  const later = { ...byArgo, time: "2026-11-21T22:26:16Z" };
  expect(managers(there(policy(85, [byArgo, byLabel]), policy(86, [later, byLabel])))).toEqual(["argocd-controller"]);
  expect(managers(there(policy(80, [byApply]), policy(81, [byApply])))).toEqual(["kubectl-client-side-apply"]);
  const twice = [appliedLess, byPatch];
  expect(managers(there(policy(83, twice), policy(84, twice)))).toEqual(["kubectl-patch"]);
  expect(managers(there(policy(80, [byHelm]), policy(90, [byHelm])))).toEqual(["helm"]);
});

test("Of several who own what changed, the author is the one whose entry changed", () => {
  const later = { ...byArgo, time: "2026-11-21T22:26:30Z" };
  expect(managers(there(policy(85, [byHelm, byArgo]), policy(86, [byHelm, later])))).toEqual(["argocd-controller"]);
});

test("After a gap, who owns what is different now is the author, and not who labelled meanwhile", () => {
  const now = policy(83, [appliedLess, byPatch, byLabel]);
  expect(managers(there(policy(80, [byApply]), now, false))).toEqual(["kubectl-patch"]);
  const again = policy(84, [appliedLess, byPatch, byLabel]);
  expect(managers(there(policy(83, [appliedLess, byPatch]), again, false))).toEqual(["kubectl-patch"]);
});

test("Where nothing is known of before, all may have made it so, newest first; by what was recorded, who owns what differs", () => {
  const now = policy(83, [appliedLess, byPatch, byLabel]);
  expect(managers(there(undefined, now, false))).toEqual([
    "kubectl-label",
    "kubectl-patch",
    "kubectl-client-side-apply",
  ]);
  const at = Date.parse("2026-11-21T22:26:07.400Z");
  const recorded = { image: imageOf(policy(80, [])), at };
  expect(managers(there(undefined, now, false), recorded)).toEqual(["kubectl-patch"]);
  const same = [appliedLess, byPatch];
  expect(managers(there(undefined, policy(84, same), false), { ...recorded, at: at + 60_000 })).toEqual([
    "kubectl-patch",
  ]);
  const withMore = { ...imageOf(now), spec: { ...now.spec, egress: [{}] } };
  expect(managers(there(undefined, now, false), { image: withMore, at })).toEqual(["kubectl-label", "kubectl-patch"]);
});

test("Of a field that somebody took away who owned nothing, and of a deletion, nobody is the author", () => {
  const selector = { ".": {}, "f:matchLabels": { ".": {}, "f:tier": {} } };
  const full = { "f:spec": { ".": {}, "f:endpointSelector": selector, "f:ingressDeny": {} } };
  const less = { "f:spec": { ".": {}, "f:endpointSelector": selector } };
  const spec = { endpointSelector: { matchLabels: { tier: "a" } } };
  const before = { ...policy(0, [entry("helm", "22:27:53", full)]), spec: { ...spec, ingressDeny: [{}] } };
  const after = { ...policy(0, [entry("helm", "22:27:53", less)]), spec };
  expect(authorsOf(there(before, after))).toEqual([]);
  const { object, cluster, continuous, at } = there(undefined, after);
  expect(authorsOf({ kind: "gone", object, cluster, continuous, at, resourceVersion: "9" })).toEqual([]);
});

test("What an engine writes as status is no change of the policy", () => {
  const status = { ...entry("cilium-agent", "22:30:00", { "f:status": {} }), subresource: "status" };
  const applied = { ...byApply, time: "2026-11-21T22:26:07Z" };
  expect(managers(there(policy(80, [byApply]), policy(81, [applied, status])))).toEqual(["kubectl-client-side-apply"]);
  expect(managers(there(undefined, policy(80, [byApply, status])))).toEqual(["kubectl-client-side-apply"]);
});

test("Fields within an object of a spec are told apart", () => {
  const at = (label: string) => ({ "f:spec": { "f:endpointSelector": { "f:matchLabels": { [`f:${label}`]: {} } } } });
  const labels = (app: string) => ({ endpointSelector: { matchLabels: { app, tier: "a" } } });
  const entries = [entry("helm", "22:27:53", at("tier")), entry("kubectl-patch", "22:27:53", at("app"))];
  const before = { ...policy(0, entries), spec: labels("web") };
  expect(managers(there(before, { ...policy(0, entries), spec: labels("api") }))).toEqual(["kubectl-patch"]);
});

test("What says that Bulkhead wrote it is claimed for its operation: of the mark of an undo only the write that put it there", () => {
  const byUs = (time: string) => entry("bulkhead", time, { "f:spec": { "f:ingress": {} } });
  const marked = { labels: { [marks.operation]: "a-1" }, annotations: { [marks.principal]: "slack:T1/U1" } };
  expect(authorsOf(there(undefined, policy(80, [byUs("22:30:00")], marked)))).toEqual([
    {
      kind: "operation",
      operation: "a-1",
      claimed: true,
      by: expect.objectContaining({ kind: "slack", team: "T1", user: "U1" }),
    },
  ]);
  const undone = { annotations: { [marks.undo]: "u-1" } };
  const restored = policy(80, [byUs("22:31:00")], undone);
  expect(managers(there(policy(81, [byEdit]), restored))).toEqual([
    { kind: "operation", operation: "u-1", by: undefined, claimed: true },
  ]);
  const later = policy(82, [byUs("22:32:00")], undone);
  expect(managers(there(restored, later))).toEqual(["bulkhead"]);
  expect(managers(there(restored, policy(82, [byEdit], undone)))).toEqual(["kubectl-edit"]);
  expect(managers(there(restored, policy(82, [byUs("22:32:00")], { annotations: { [marks.undo]: "u-2" } })))).toEqual([
    { kind: "operation", operation: "u-2", by: undefined, claimed: true },
  ]);
});

test("Managed fields that are missing, or no fields at all, make nobody an author", () => {
  expect(authorsOf(there(policy(80, []), policy(81, [])))).toEqual([]);
  const broken = { manager: "m", operation: "Update", time: "2026-11-21T22:26:06Z", fieldsV1: "{" } as const;
  expect(authorsOf(there(policy(80, [broken]), policy(81, [broken])))).toEqual([]);
});
