import { describe, expect, test } from "vitest";
import {
  parsePlaceReference,
  parsePodReference,
  type Target,
  targetKind,
  targetName,
  targetPath,
  targetReference,
} from "../../src/policy/target.ts";

describe("a pod as typed", () => {
  test.each([
    ["payments/checkout-7d9f", { cluster: undefined, namespace: "payments", pod: "checkout-7d9f" }],
    ["payments/checkout-", { cluster: undefined, namespace: "payments", pod: "checkout-" }],
    ["prod-eu:payments/checkout", { cluster: "prod-eu", namespace: "payments", pod: "checkout" }],
    ["eu.prod.1:payments/checkout", { cluster: "eu.prod.1", namespace: "payments", pod: "checkout" }],
  ])("%s", (text, reference) => {
    expect(parsePodReference(text)).toEqual(reference);
  });

  test.each([
    "checkout",
    ":payments/checkout",
    "Prod:payments/x",
    "a:b:payments/x",
    "eu:/x",
    "eu:payments/",
    "eu/x:payments/y",
  ])("%s is none", (text) => {
    expect(parsePodReference(text)).toBeUndefined();
  });
});

describe("A target is named", () => {
  const place = { cluster: "prod-eu", namespace: "payments" };
  test.each<[Target, kind: string, path: string, ...names: string[]]>([
    [
      { ...place, pod: "checkout-7d9f" },
      "Pod",
      "payments/checkout-7d9f",
      "payments/checkout-7d9f",
      "payments/checkout-7d9f",
    ],
    [
      { ...place, workload: { kind: "StatefulSet", name: "db" } },
      "StatefulSet",
      "payments/db",
      "payments/statefulset/db",
      "payments/statefulset/db",
    ],
    [place, "Namespace", "payments", "payments", "namespace payments"],
  ])("%o", (target, kind, path, ...names) => {
    expect([targetKind(target), targetPath(target)]).toEqual([kind, path]);
    expect([targetReference(target), targetName(target)]).toEqual(names);
  });
});

describe("a place as typed", () => {
  test.each([
    ["payments", { cluster: undefined, namespace: "payments" }],
    ["payments/", { cluster: undefined, namespace: "payments" }],
    ["prod-eu:payments", { cluster: "prod-eu", namespace: "payments" }],
    ["prod-eu:payments/", { cluster: "prod-eu", namespace: "payments" }],
    ["prod-eu:", { cluster: "prod-eu", namespace: undefined }],
  ])("%s", (text, reference) => {
    expect(parsePlaceReference(text)).toEqual(reference);
  });

  test.each(["", "/", ":", ":payments", "eu:/", "EU:payments", "eu:Payments", "eu:payments/x", "eu:a:b"])(
    "%j is none",
    (text) => {
      expect(parsePlaceReference(text)).toBeUndefined();
    },
  );
});
