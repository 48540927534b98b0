import { describe, expect, test } from "vitest";
import { type Findings, verdict } from "../../src/policy/verdict.ts";

const proved: Findings = { mismatch: undefined, residual: [], enforcement: "enforced", cluster: "prod" };
const residual = [{ policy: "allow-dns", allows: "out to anywhere on UDP 53" }];

describe("the headline claims nothing that is not proved (invariant 5)", () => {
  const cases: [string, Partial<Findings>, string][] = [
    ["everything is proved", {}, "ISOLATED FOR NEW CONNECTIONS"],
    [
      "enforcement is not known",
      { enforcement: "unknown" },
      "UNKNOWN: whether cluster prod enforces NetworkPolicy is not known",
    ],
    ["nothing enforces", { enforcement: "not-enforced" }, "NOT ISOLATED: cluster prod does not enforce NetworkPolicy"],
    ["a policy still allows", { residual }, "NOT ISOLATED: policy allow-dns still lets traffic through"],
    [
      "a policy still allows and enforcement is not known",
      { residual, enforcement: "unknown" },
      "NOT ISOLATED: policy allow-dns still lets traffic through",
    ],
    ["the read-back differs", { mismatch: "the policy is gone again" }, "NOT ISOLATED: the policy is gone again"],
  ];
  test.each(cases)("where %s", (_, changes, headline) => {
    expect(verdict({ ...proved, ...changes }).headline).toBe(headline);
  });

  test("is 'isolated' in exactly one combination", () => {
    const states = (["enforced", "not-enforced", "unknown"] as const).flatMap((enforcement) =>
      [[], residual].flatMap((allows) =>
        [undefined, "x"].map((mismatch) => verdict({ ...proved, enforcement, residual: allows, mismatch }).state),
      ),
    );
    expect(states.filter((state) => state === "isolated")).toHaveLength(1);
  });
});
