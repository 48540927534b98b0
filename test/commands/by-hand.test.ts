import fc from "fast-check";
import { expect, test } from "vitest";
import { releaseLines } from "../../src/commands/by-hand.ts";
import { marks } from "../../src/policy/marks.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";

const policyWith = (snapshot: string | undefined): NetworkPolicy => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: {
    name: "bulkhead-q-1",
    namespace: "payments",
    ...(snapshot === undefined ? {} : { annotations: { [marks.snapshot]: snapshot } }),
  },
  spec: { podSelector: {} },
});

test("Labels come back sorted, before ours goes and then the policy", () => {
  const lines = releaseLines(
    policyWith('{"tier":"web","app.kubernetes.io/name":"checkout","empty":""}'),
    "checkout-1",
    2_000,
  );
  expect(lines).toEqual([
    "kubectl label pod checkout-1 -n payments --overwrite app.kubernetes.io/name=checkout empty= tier=web",
    "sleep 2",
    "kubectl label pod checkout-1 -n payments bulkhead.dev/quarantine-",
    "kubectl delete networkpolicy bulkhead-q-1 -n payments",
  ]);
});

test("What a stronger engine was given is deleted too, before the policy that names it", () => {
  const policy = policyWith("{}");
  const denies = "ciliumnetworkpolicies.cilium.io/bulkhead-q-1 tiers.projectcalico.org/x";
  const annotations = { ...policy.metadata.annotations, [marks.denies]: denies };
  const lines = releaseLines({ ...policy, metadata: { ...policy.metadata, annotations } }, "checkout-1", 2_000);
  expect(lines?.slice(-3)).toEqual([
    "kubectl delete tiers.projectcalico.org/x -n payments",
    "kubectl delete ciliumnetworkpolicies.cilium.io/bulkhead-q-1 -n payments",
    "kubectl delete networkpolicy bulkhead-q-1 -n payments",
  ]);
  const hostile = { ...policy.metadata.annotations, [marks.denies]: "pods/x;id" };
  expect(
    releaseLines({ ...policy, metadata: { ...policy.metadata, annotations: hostile } }, "a", 2_000),
  ).toBeUndefined();
});

test("A policy of somebody else's that was changed is to be edited first", () => {
  const policy = policyWith("{}");
  const annotations = { ...policy.metadata.annotations, [marks.changed]: "allow-all b;id" };
  const lines = releaseLines({ ...policy, metadata: { ...policy.metadata, annotations } }, "checkout-1", 2_000);
  expect(lines?.[0]).toBe("kubectl edit networkpolicy allow-all -n payments");
  expect(lines?.join()).not.toContain("b;id");
});

test("A pod that had no label gets none back", () => {
  expect(releaseLines(policyWith("{}"), "checkout-1", 2_000)?.[0]).toBe("sleep 2");
});

test.each([
  ["no snapshot", undefined, "checkout-1"],
  ["a snapshot that is no JSON", "{", "checkout-1"],
  ["a value that a shell would run", '{"app":"x; rm -rf /"}', "checkout-1"],
  ["a key that a shell would expand", '{"$(id)":"x"}', "checkout-1"],
  ["a key that is an option", '{"--all":"x"}', "checkout-1"],
  ["a pod's name that a shell would run", '{"app":"x"}', "checkout-1;id"],
])("No line is printed for %s", (_what, snapshot, pod) => {
  expect(releaseLines(policyWith(snapshot), pod, 2_000)).toBeUndefined();
});

test("Whatever the snapshot holds, a line has nothing that a shell gives a meaning to", () => {
  const labels = fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(labels, fc.string(), (snapshot, pod) => {
      const lines = releaseLines(policyWith(JSON.stringify(snapshot)), pod, 2_000) ?? [];
      expect(lines.every((line) => /^[-a-zA-Z0-9_./= ]*$/.test(line))).toBe(true);
    }),
  );
});
