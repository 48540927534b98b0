import { describe, expect, test } from "vitest";
import { type AccessRule, decideAccess, grantsOf } from "../../src/policy/access.ts";
import type { Principal } from "../../src/policy/principal.ts";

const jane: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "jane" };
const rules: readonly AccessRule[] = [
  { principals: ["slack:T1/U1"], verbs: ["quarantine", "status"], namespaces: ["payments", "team-*"] },
  { principals: ["terminal:jane"], verbs: ["*"], namespaces: ["*"] },
];

describe("one function decides who may (invariant 7)", () => {
  test("a rule that names principal, verb and namespace grants", () => {
    expect(decideAccess(rules, jane, "quarantine", "payments")).toEqual({ allowed: true, rule: 1 });
    expect(decideAccess(rules, jane, "quarantine", "team-a").allowed).toBe(true);
  });

  const refusals: [string, readonly AccessRule[], Principal, "release" | "quarantine", string][] = [
    ["an empty list means nobody", [], jane, "quarantine", "payments"],
    ["another verb", rules, jane, "release", "payments"],
    ["another namespace", rules, jane, "quarantine", "shop"],
    ["the same user id of another team", rules, { ...jane, team: "T2" }, "quarantine", "payments"],
    [
      "the display name of a granted person",
      rules,
      { ...jane, user: "U9", displayName: "jane" },
      "quarantine",
      "payments",
    ],
    [
      "a terminal whose user nobody knows",
      [{ principals: ["terminal:undefined"], verbs: ["*"], namespaces: ["*"] }],
      { kind: "terminal", user: undefined, source: "unknown" },
      "quarantine",
      "payments",
    ],
    [
      "an empty list of principals",
      [{ principals: [], verbs: ["*"], namespaces: ["*"] }],
      jane,
      "quarantine",
      "payments",
    ],
    [
      "an empty list of verbs",
      [{ principals: ["slack:T1/U1"], verbs: [], namespaces: ["*"] }],
      jane,
      "quarantine",
      "payments",
    ],
    [
      "an empty list of namespaces",
      [{ principals: ["slack:T1/U1"], verbs: ["*"], namespaces: [] }],
      jane,
      "quarantine",
      "payments",
    ],
  ];
  test.each(refusals)("%s is a no", (_, ...[given, principal, verb, namespace]) => {
    expect(decideAccess(given, principal, verb, namespace).allowed).toBe(false);
  });

  test("without a namespace the question is whether any is granted", () => {
    expect(decideAccess(rules, jane, "status", undefined).allowed).toBe(true);
    expect(decideAccess(rules, jane, "audit", undefined).allowed).toBe(false);
  });

  test("the grants of a principal are told with their rule", () => {
    expect(grantsOf(rules, jane).map(({ rule }) => rule)).toEqual([1]);
  });
});
