import { describe, expect, test } from "vitest";
import { parsePlaceReference, parsePodReference } from "../../src/policy/target.ts";

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
