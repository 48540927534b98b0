import { describe, expect, test } from "vitest";
import type { Manifest } from "../../src/policy/manifest.ts";
import {
  imageOf,
  isRevisionIdPrefix,
  lineageOf,
  referenceOf,
  revisionId,
  sameImage,
  specHash,
} from "../../src/policy/revision.ts";

const stored: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: {
    name: "allow-dns",
    namespace: "payments",
    uid: "u1",
    resourceVersion: "7",
    generation: 2,
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { team: "net" },
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "bulkhead.dev/undo": "u-1234567" },
  },
  spec: { podSelector: {} },
  status: { conditions: [] },
};

describe("An image", () => {
  test("leaves out what the server sets and the mark of an undo, and keeps what kubectl applied last", () => {
    expect(imageOf(stored)).toEqual({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: {
        name: "allow-dns",
        namespace: "payments",
        labels: { team: "net" },
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
      },
      spec: { podSelector: {} },
    });
  });

  test("is the same with the mark of an undo as without any annotations", () => {
    const { annotations: _, ...metadata } = stored.metadata;
    const marked = { ...stored, metadata: { ...metadata, annotations: { "bulkhead.dev/undo": "u-1234567" } } };
    expect(sameImage(imageOf(marked), imageOf({ ...stored, metadata }))).toBe(true);
    expect(sameImage(imageOf(stored), imageOf(marked))).toBe(false);
    expect(sameImage(undefined, imageOf(stored))).toBe(false);
    expect(sameImage(undefined, undefined)).toBe(true);
  });

  test("has a hash that goes by the spec alone", () => {
    const { labels: _, ...metadata } = stored.metadata;
    expect(specHash(imageOf({ ...stored, metadata }))).toBe(specHash(imageOf(stored)));
    expect(specHash(imageOf({ ...stored, spec: { podSelector: {}, policyTypes: [] } }))).not.toBe(
      specHash(imageOf(stored)),
    );
  });
});

test("A lineage goes by group, kind and name, not by version or uid", () => {
  const key = { cluster: "prod", apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", namespace: "a", name: "b" };
  expect(lineageOf(key)).toBe(lineageOf({ ...key, apiVersion: "cilium.io/v3" }));
  expect(lineageOf(key)).not.toBe(lineageOf({ ...key, namespace: undefined }));
  expect(referenceOf(key).metadata).toEqual({ name: "b", namespace: "a" });
  expect(referenceOf({ ...key, namespace: undefined }).metadata).toEqual({ name: "b" });
});

test("A revision's id follows from the version, and is recognised by its beginning", () => {
  const id = revisionId("prod", "u1", "7");
  expect(id).toBe(revisionId("prod", "u1", "7"));
  expect(id).not.toBe(revisionId("prod", "u1", "deleted"));
  expect([id, id.slice(0, 4), "v-", "q-1234567", `${id}0`].map(isRevisionIdPrefix)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
