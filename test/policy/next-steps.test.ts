import { expect, test } from "vitest";
import { denyEngines, type EngineState } from "../../src/policy/engine.ts";
import { type Left, nextSteps } from "../../src/policy/next-steps.ts";

function states(enforced: readonly EngineState["engine"][]): readonly EngineState[] {
  return denyEngines.map((engine) => ({
    engine,
    served: true,
    state: enforced.includes(engine) ? "enforced" : "unknown",
    because: "",
  }));
}

const left: Left = {
  target: { cluster: "prod", namespace: "payments", pod: "checkout-1" },
  stage: "plan",
  engine: "networkpolicy",
  choices: undefined,
  engines: states([]),
  residual: [{ policy: "allow-all", allows: "in from anywhere" }],
  changesPolicies: false,
};

test("Nothing is to be done where nothing stays open", () => {
  expect(nextSteps({ ...left, engines: states(["cilium"]), residual: [] })).toEqual([]);
});

test("Engines that are stronger and enforced are offered, strongest first, by the command to type", () => {
  const engine = "admin-network-policy";
  const engines = states(["antrea", "calico", "networkpolicy", engine]);
  expect(nextSteps({ ...left, engine, engines, stage: "in-force" })).toEqual([
    "Release it, and deny with a stronger engine: /np quarantine prod:payments/checkout-1 --engine calico",
    "Release it, and deny with a stronger engine: /np quarantine prod:payments/checkout-1 --engine antrea",
  ]);
});

test("A workload and a namespace are typed as what they are", () => {
  const engines = states(["cilium"]);
  const place = { cluster: "prod", namespace: "payments" };
  const workload = { ...place, workload: { kind: "Deployment", name: "checkout" } } as const;
  expect(nextSteps({ ...left, target: workload, engines })).toEqual([
    "Cancel this, and deny with a stronger engine: /np quarantine prod:payments/deployment/checkout --engine cilium",
  ]);
  expect(nextSteps({ ...left, target: place, engines, stage: "in-force" })).toEqual([
    "Release it, and deny with a stronger engine: /np lockdown prod:payments --engine cilium",
  ]);
  expect(nextSteps({ ...left, target: place })[0]).toContain("quarantine single pods");
});

test("The command keeps what was chosen before, without which it could be refused", () => {
  const choices = { engine: undefined, detach: false, confirm: "checkout-1" } as const;
  expect(nextSteps({ ...left, choices, engines: states(["cilium"]), changesPolicies: true })).toEqual([
    "Cancel this, and deny with a stronger engine: /np quarantine prod:payments/checkout-1 --engine cilium --no-detach --confirm checkout-1",
    "Cancel this, and see a plan that also changes these policies so that they let the pod go: /np quarantine prod:payments/checkout-1 --no-detach --change-policies --confirm checkout-1",
  ]);
});

test("Changing the policies is offered where that can be done", () => {
  expect(nextSteps({ ...left, changesPolicies: true })).toEqual([
    "Cancel this, and see a plan that also changes these policies so that they let the pod go: /np quarantine prod:payments/checkout-1 --change-policies",
  ]);
});

test("Where there is neither, that is said", () => {
  expect(nextSteps(left)).toEqual([
    "No stronger engine is known to be enforced here: change these policies, or delete the pod.",
  ]);
});
