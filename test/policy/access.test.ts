import { describe, expect, test } from "vitest";
import { type Access, type AccessRule, decideAccess, grantsOf, type Place } from "../../src/policy/access.ts";
import type { Principal } from "../../src/policy/principal.ts";

const jane: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "jane" };
const rules: readonly AccessRule[] = [
  { principals: ["slack:T1/U1"], verbs: ["quarantine", "status"], namespaces: ["payments", "team-*"] },
  { principals: ["terminal:jane"], verbs: ["*"], namespaces: ["*"] },
];

function access(given: readonly AccessRule[] = rules, people: Access["people"] = []): Access {
  return { rules: given, people };
}

function inNamespace(namespace: string | undefined, cluster: string | undefined = "a"): Place {
  return { cluster, namespace };
}

describe("one function decides who may (invariant 7)", () => {
  test("a rule that names principal, verb and namespace grants", () => {
    expect(decideAccess(access(), jane, "quarantine", inNamespace("payments"))).toEqual({ allowed: true, rule: 1 });
    expect(decideAccess(access(), jane, "quarantine", inNamespace("team-a")).allowed).toBe(true);
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
    expect(decideAccess(access(given), principal, verb, inNamespace(namespace)).allowed).toBe(false);
  });

  test("without a namespace the question is whether any is granted", () => {
    expect(decideAccess(access(), jane, "status", inNamespace(undefined)).allowed).toBe(true);
    expect(decideAccess(access(), jane, "audit", inNamespace(undefined)).allowed).toBe(false);
  });

  test("the grants of a principal are told with their rule", () => {
    expect(grantsOf(access(), jane).map(({ rule }) => rule)).toEqual([1]);
  });
});

describe("a rule may be for some clusters", () => {
  const everywhere = { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["*"] } as const;

  test.each([
    ["no list", undefined, true],
    ["its name", ["b", "a"], true],
    ["*", ["*"], true],
    ["another name", ["b"], false],
    ["an empty list", [], false],
  ] as const)("%s", (_, clusters, allowed) => {
    const rule = { ...everywhere, ...(clusters === undefined ? {} : { clusters }) };
    expect(decideAccess(access([rule]), jane, "release", inNamespace("payments")).allowed).toBe(allowed);
  });

  test("without a cluster the question is whether any is granted, and an empty list grants none", () => {
    const asked = inNamespace("payments", undefined);
    const decide = (clusters: readonly string[]) =>
      decideAccess(access([{ ...everywhere, clusters }]), jane, "release", { ...asked, cluster: undefined }).allowed;
    expect([decide(["b"]), decide([])]).toEqual([true, false]);
  });

  test("the reason names the cluster only where the rules tell clusters apart", () => {
    const reason = (given: readonly AccessRule[]) =>
      decideAccess(access(given), jane, "audit", inNamespace("payments"));
    expect(reason([])).toMatchObject({ reason: expect.stringMatching(/audit in namespace payments$/) });
    expect(reason([{ ...everywhere, clusters: ["b"] }])).toMatchObject({
      reason: expect.stringMatching(/audit in namespace payments of cluster a$/),
    });
  });
});

describe("a rule may name a person or a user group", () => {
  const rule = (principal: string): AccessRule => ({ principals: [principal], verbs: ["*"], namespaces: ["*"] });
  const people = [{ name: "jane", ids: ["slack:T1/U1", "terminal:jane@corp"] }];
  const allowed = (principal: Principal, key: string) =>
    decideAccess(access([rule(key)], people), principal, "release", inNamespace("payments")).allowed;

  test("every id of the person has the person's rights, and no other", () => {
    expect(allowed(jane, "person:jane")).toBe(true);
    expect(allowed({ kind: "terminal", user: "jane@corp", source: "self-subject-review" }, "person:jane")).toBe(true);
    expect(allowed({ ...jane, user: "U2" }, "person:jane")).toBe(false);
    expect(allowed({ kind: "terminal", user: "jane", source: "self-subject-review" }, "person:jane")).toBe(false);
  });

  test("a right of one id is not a right of the person's other ids", () => {
    expect(allowed(jane, "terminal:jane@corp")).toBe(false);
  });

  test("a member of the group has its rights; who is in no known group has not", () => {
    const key = "slack-group:T1/S1";
    expect(allowed({ ...jane, groups: ["slack-group:T1/S0", key] }, key)).toBe(true);
    expect(allowed({ ...jane, groups: [] }, key)).toBe(false);
    expect(allowed(jane, key)).toBe(false);
  });

  test("what stands among the groups can grant nothing but a group's rights", () => {
    expect(allowed({ ...jane, user: "U2", groups: ["person:jane", "slack:T1/U1"] }, "person:jane")).toBe(false);
    expect(allowed({ ...jane, user: "U2", groups: ["slack:T1/U1"] }, "slack:T1/U1")).toBe(false);
  });

  test("the grants tell which key the rule names", () => {
    const given = access([rule("person:jane"), rule("terminal:jane@corp"), rule("slack:T1/U1")], people);
    expect(grantsOf(given, jane).map(({ rule: position, by }) => [position, by])).toEqual([
      [1, "person:jane"],
      [3, "slack:T1/U1"],
    ]);
  });
});
