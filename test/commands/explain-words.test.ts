import { describe, expect, test } from "vitest";
import { explain } from "../../src/commands/explain-words.ts";
import type { Answer, DirectionAnswer, Reason } from "../../src/simulator/decide.ts";

const question = { from: "payments/checkout", to: "db/postgres", protocol: "TCP" as const, port: 5432 };
const policy = { kind: "NetworkPolicy", namespace: "db", name: "postgres" };

function direction(verdict: DirectionAnswer["verdict"], ...because: readonly Reason[]): DirectionAnswer {
  return { verdict, because, notEvaluated: [] };
}

const byDefault = direction("allowed", { kind: "no-policy" });

function ingressWords(ingress: DirectionAnswer): readonly string[] {
  return explain({ verdict: ingress.verdict, egress: byDefault, ingress }, question).ingress;
}

function rule(action: "allow" | "deny" | "pass", maybe?: string, name = "ingress[0]"): Reason {
  return { kind: "rule", policy, rule: name, action, maybe };
}

describe("An answer in words", () => {
  test.each<[Answer["verdict"], string]>([
    ["allowed", "Yes: payments/checkout can connect to db/postgres on TCP 5432."],
    ["denied", "No: payments/checkout cannot connect to db/postgres on TCP 5432."],
    [
      "undecided",
      "Undecided: whether payments/checkout can connect to db/postgres on TCP 5432 depends on what is not evaluated.",
    ],
  ])("begins with the verdict: %s", (verdict, headline) => {
    expect(explain({ verdict, egress: byDefault, ingress: byDefault }, question).headline).toBe(headline);
  });

  test("names the policy and the rule", () => {
    expect(ingressWords(direction("allowed", rule("allow")))).toEqual([
      "Into db/postgres: allowed.",
      "Allowed by NetworkPolicy db/postgres, ingress[0].",
    ]);
    expect(ingressWords(direction("denied", rule("pass"), rule("deny", undefined, "ingress[1] (no)")))).toEqual([
      "Into db/postgres: denied.",
      "Passed on by NetworkPolicy db/postgres, ingress[0].",
      "Denied by NetworkPolicy db/postgres, ingress[1] (no).",
    ]);
  });

  test("says by which default", () => {
    const other = { kind: "CiliumClusterwideNetworkPolicy", namespace: undefined, name: "base" };
    const isolated: Reason = { kind: "isolated", policies: [policy, other], maybe: undefined };
    expect(ingressWords(direction("denied", isolated))[1]).toBe(
      "Denied by default, since NetworkPolicy db/postgres and CiliumClusterwideNetworkPolicy base select it and no rule allows this.",
    );
    expect(ingressWords(byDefault)[1]).toBe("Allowed by default, since no policy that selects it speaks of this.");
  });

  test("names five of many policies that isolate, and counts the others, so that the sentence keeps its end", () => {
    const policies = Array.from({ length: 40 }, (_, i) => ({ ...policy, name: `p${i}` }));
    const words = (count: number) =>
      ingressWords(direction("denied", { kind: "isolated", policies: policies.slice(0, count), maybe: undefined }))[1];
    expect(words(40)).toMatch(/p0, .* NetworkPolicy db\/p4 and 35 more policies select it and no rule allows this\.$/);
    expect(words(40)).not.toContain("db/p5");
    expect(words(6)).toContain("NetworkPolicy db/p4 and NetworkPolicy db/p5 select it");
  });

  test("says what is undecided, and what holds otherwise", () => {
    const isolated: Reason = { kind: "isolated", policies: [policy], maybe: undefined };
    expect(ingressWords(direction("undecided", rule("allow", "names are not evaluated"), isolated)).slice(1)).toEqual([
      "Perhaps allowed by NetworkPolicy db/postgres, ingress[0]: names are not evaluated.",
      "Otherwise denied by default, since NetworkPolicy db/postgres selects it and no rule allows this.",
    ]);
  });

  test("says that the order of equal priorities is not defined", () => {
    expect(ingressWords(direction("undecided", rule("allow"), rule("deny", undefined, "ingress[1]"))).slice(1)).toEqual(
      [
        "Allowed by NetworkPolicy db/postgres, ingress[0].",
        "Denied by NetworkPolicy db/postgres, ingress[1].",
        "These have the same priority, so which of them counts is not defined.",
      ],
    );
  });

  test("says what was not evaluated, once", () => {
    const noted: DirectionAnswer = { ...byDefault, notEvaluated: [{ policy, what: "icmp: not evaluated" }] };
    expect(explain({ verdict: "allowed", egress: noted, ingress: noted }, question).notEvaluated).toEqual([
      "NetworkPolicy db/postgres: icmp: not evaluated",
    ]);
  });
});
