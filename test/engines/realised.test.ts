import { describe, expect, test } from "vitest";
import { endpointRealised, realisedBy } from "../../src/engines/realised.ts";
import type { Manifest } from "../../src/policy/manifest.ts";

function stored(apiVersion: string, status: unknown, generation = 1): Manifest {
  return { apiVersion, kind: "NetworkPolicy", metadata: { name: "p", namespace: "a", generation }, spec: {}, status };
}

const where = { nodes: ["n1"], hasPods: true, last: false };

describe("Antrea's status", () => {
  const realised = { phase: "Realized", observedGeneration: 1, currentNodesRealized: 1, desiredNodesRealized: 1 };
  const says = (changes: object, given = where) =>
    realisedBy(stored("crd.antrea.io/v1beta1", { ...realised, ...changes }), given);

  test("is realised where every node that it spans has it", () => {
    expect(says({})).toBe("realised");
    expect(says({ currentNodesRealized: 0, desiredNodesRealized: 0 }, { nodes: [], hasPods: false, last: false })).toBe(
      "realised",
    );
  });

  test.each([
    ["another generation", { observedGeneration: 0 }],
    ["another phase", { phase: "Realizing" }],
    ["fewer nodes than it spans", { desiredNodesRealized: 2 }],
    ["no node, as before the pod bore the label", { currentNodesRealized: 0, desiredNodesRealized: 0 }],
  ])("is pending where it tells of %s", (_, changes) => {
    expect(says(changes)).toBe("pending");
  });

  test("is pending where it tells of no node, although the pods' nodes are not known", () => {
    expect(says({ currentNodesRealized: 0, desiredNodesRealized: 0 }, { nodes: [], hasPods: true, last: false })).toBe(
      "pending",
    );
  });

  test("is failed with its reason, and pending where there is none yet", () => {
    const conditions = [{ type: "RealizationFailure", status: "True", message: "no tables left" }];
    expect(says({ phase: "Failed", conditions })).toEqual({ failed: "no tables left" });
    expect(realisedBy(stored("crd.antrea.io/v1beta1", undefined), where)).toBe("pending");
  });
});

describe("A condition of an AdminNetworkPolicy", () => {
  const zone = (name: string, status: string, message = "") => ({ type: `Ready-In-Zone-${name}`, status, message });
  const says = (conditions: object[], given = where) =>
    realisedBy(stored("policy.networking.k8s.io/v1alpha1", { conditions }), given);

  test("counts for the zone of the pod's node alone", () => {
    expect(says([zone("n1", "True"), zone("n2", "Unknown")])).toBe("realised");
    expect(says([zone("n2", "True")])).toBe("pending");
    expect(says([zone("n1", "True")], { ...where, nodes: ["n1", "n2"] })).toBe("pending");
  });

  test("counts for all nodes where there is one zone, and by all that report where zones have other names, at last", () => {
    expect(says([zone("global", "True")])).toBe("realised");
    expect(says([zone("west", "True")])).toBe("pending");
    expect(says([zone("west", "True")], { ...where, last: true })).toBe("realised");
    expect(says([zone("west", "Unknown")], { ...where, last: true })).toBe("pending");
  });

  test("that is false fails it, in whatever zone", () => {
    expect(says([zone("n1", "True"), zone("n2", "False", "SetupFailed: too many")])).toEqual({
      failed: "Ready-In-Zone-n2: SetupFailed: too many",
    });
  });

  test("for all zones together is enough; none at all, or of a type that nobody knows, says nothing", () => {
    expect(says([{ type: "Ready", status: "True" }])).toBe("realised");
    expect(says([{ type: "Colour", status: "False" }])).toBe("no status");
    expect(says([])).toBe("no status");
    expect(realisedBy(stored("policy.networking.k8s.io/v1alpha2", "odd"), where)).toBe("no status");
  });
});

test("A CiliumNetworkPolicy that Cilium does not understand fails; one that it does says nothing of being in force", () => {
  const says = (status: unknown) => realisedBy(stored("cilium.io/v2", status), where);
  expect(says({ conditions: [{ type: "Valid", status: "False", message: "bad entity" }] })).toEqual({
    failed: "bad entity",
  });
  expect(says({ conditions: [{ type: "Valid", status: "True" }] })).toBe("no status");
  expect(says(undefined)).toBe("no status");
});

test("Calico's policies and NetworkPolicies have no status", () => {
  for (const apiVersion of ["projectcalico.org/v3", "crd.projectcalico.org/v1", "networking.k8s.io/v1"]) {
    expect(realisedBy(stored(apiVersion, { conditions: [{ type: "Ready", status: "True" }] }), where)).toBe(
      "no status",
    );
  }
});

describe("A CiliumEndpoint", () => {
  const side = { enforcing: true, state: "enforcing" };
  const status = {
    state: "ready",
    identity: { id: 7, labels: ["k8s:app=x", "k8s:bulkhead.dev/quarantine=q-1"] },
    policy: { ingress: side, egress: side },
  };
  const says = (changes: object, quarantine: string | undefined = "q-1") =>
    endpointRealised(stored("cilium.io/v2", { ...status, ...changes }), quarantine);

  test("is realised where it enforces both ways on an identity with the label", () => {
    expect(says({})).toBe("realised");
    expect(says({ policy: { ingress: { enforcing: true }, egress: { enforcing: true } } })).toBe("realised");
  });

  test.each([
    ["is not ready", { state: "regenerating" }],
    ["has an identity without the label", { identity: { labels: ["k8s:app=x"] } }],
    ["has the label of another operation", { identity: { labels: ["k8s:bulkhead.dev/quarantine=q-10"] } }],
    ["has no identity", { identity: undefined }],
    ["enforces one way", { policy: { ingress: side, egress: { enforcing: false } } }],
    ["has one way alone", { policy: { ingress: side } }],
    ["only audits", { policy: { ingress: side, egress: { enforcing: true, state: "audit" } } }],
  ])("is pending where it %s", (_, changes) => {
    expect(says(changes)).toBe("pending");
  });

  test("that is not there is pending; one that keeps the policy's state to itself says nothing", () => {
    expect(endpointRealised(undefined, "q-1")).toBe("pending");
    expect(says({ policy: undefined })).toBe("no status");
  });

  test("needs no label where none was set", () => {
    expect(endpointRealised(stored("cilium.io/v2", { ...status, identity: { labels: [] } }), undefined)).toBe(
      "realised",
    );
  });
});
