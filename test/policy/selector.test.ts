import { describe, expect, test } from "vitest";
import type { LabelSelector, Labels } from "../../src/policy/objects.ts";
import { requiredKeys, selectorQuery, selects } from "../../src/policy/selector.ts";

const labels: Labels = { app: "checkout", tier: "web" };

describe("a label selector", () => {
  const cases: [string, LabelSelector | undefined, boolean][] = [
    ["absent selects everything", undefined, true],
    ["empty selects everything", {}, true],
    ["matchLabels equal", { matchLabels: { app: "checkout" } }, true],
    ["matchLabels with another value", { matchLabels: { app: "cart" } }, false],
    ["matchLabels of an absent key", { matchLabels: { zone: "a" } }, false],
    ["matchLabels that name a member of every object", { matchLabels: { constructor: "x" } }, false],
    ["In with the value", { matchExpressions: [{ key: "tier", operator: "In", values: ["web", "db"] }] }, true],
    ["In of an absent key", { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }, false],
    ["NotIn with the value", { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["web"] }] }, false],
    ["NotIn of an absent key matches", { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, true],
    ["Exists", { matchExpressions: [{ key: "app", operator: "Exists" }] }, true],
    ["Exists of an absent key", { matchExpressions: [{ key: "zone", operator: "Exists" }] }, false],
    ["DoesNotExist of an absent key matches", { matchExpressions: [{ key: "zone", operator: "DoesNotExist" }] }, true],
    ["DoesNotExist of a present key", { matchExpressions: [{ key: "app", operator: "DoesNotExist" }] }, false],
    [
      "both parts are ANDed",
      { matchLabels: { app: "checkout" }, matchExpressions: [{ key: "tier", operator: "NotIn", values: ["web"] }] },
      false,
    ],
  ];
  test.each(cases)("%s", (_, selector, expected) => {
    expect(selects(selector, labels)).toBe(expected);
  });

  test("needs the keys of matchLabels, In and Exists, and of nothing negative", () => {
    const selector: LabelSelector = {
      matchLabels: { app: "x" },
      matchExpressions: [
        { key: "a", operator: "In", values: ["1"] },
        { key: "b", operator: "Exists" },
        { key: "c", operator: "NotIn", values: ["1"] },
        { key: "d", operator: "DoesNotExist" },
      ],
    };
    expect(requiredKeys(selector)).toEqual(["app", "a", "b"]);
    expect(selectorQuery(selector)).toBe("app=x,a in (1),b,c notin (1),!d");
  });
});
