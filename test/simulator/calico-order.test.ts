import { describe, expect, test } from "vitest";
import { calico, cluster, dbFromWeb, global, local, tier, verdicts } from "./calico-cases.ts";

describe("Order of policies", () => {
  const allow = (name: string, order: string) => global(name, `{ ${order} ingress: [{ action: Allow }] }`);
  const deny = (name: string, order: string) => global(name, `{ ${order} ingress: [{ action: Deny }] }`);

  test("The lowest order is first, also below zero and with a fraction (reference, spec.order)", () => {
    expect(verdicts([allow("a", "order: 10,"), deny("b", "order: 9.5,")], ["ops/web shop/db 80"])).toEqual(["denied"]);
    expect(verdicts([allow("a", "order: -1,"), deny("b", "order: 0,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("Without an order a policy is last (api, spec.order)", () => {
    expect(verdicts([deny("a", ""), allow("b", "order: 1000000,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("Policies of equal order stand by their names (felix/calc/policy_sorter.go, PolKVLess)", () => {
    expect(verdicts([deny("b", "order: 5,"), allow("a", "order: 5,")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
    expect(verdicts([allow("b", ""), deny("a", "")], ["ops/web shop/db 80"])).toEqual(["denied"]);
  });

  test("Names that versions of Calico order differently leave open what is decided, and are told of once (PolKVLess, of 2025 and of 2026)", () => {
    const own = (name: string, action: string) => local(name, `{ ingress: [{ action: ${action} }] }`);
    const asked = ["ops/web shop/db 80"];
    // By name "a" is before "z"; as "shop/default.a" and "default.z" it is not.
    expect(verdicts([own("shop/a", "Allow"), deny("z", "")], asked)).toEqual(["undecided"]);
    expect(verdicts([own("shop/z", "Allow"), deny("a", "")], asked)).toEqual(["denied"]);
    // "deny" is before "deny-all", and "deny//…" after "deny-all//…".
    expect(verdicts([allow("deny", ""), deny("deny-all", "")], asked)).toEqual(["undecided"]);
    const perhaps = global("a", "{ ingress: [{ action: Allow, protocol: TCP, http: { methods: [GET] } }] }");
    const { ask } = cluster([perhaps, allow("deny", ""), deny("deny-all", "")]);
    expect(ask("ops/web", "shop/db", 80).ingress.because).toHaveLength(3);
  });

  test("A name that is stored with its tier, default, stands without it (libcalico-go, determinePolicyName)", () => {
    const stored = calico(
      "GlobalNetworkPolicy",
      "default.z",
      `{ types: [Ingress], ingress: [{ action: Deny }] }`,
      "crd.projectcalico.org/v1",
    );
    expect(verdicts([stored, allow("m", "")], ["ops/web shop/db 80"])).toEqual(["allowed"]);
  });

  test("In a policy the first rule that matches decides, and Log decides nothing (documentation, Policy action rules)", () => {
    const rules = `ingress: [{ action: Log }, { action: Deny, source: { selector: app == 'probe' } }, { action: Allow }]`;
    const { ask } = cluster([global("p", `{ selector: app == 'db', ${rules} }`)]);
    expect(ask("ops/probe", "shop/db", 80).verdict).toBe("denied");
    const { verdict, ingress } = ask("ops/web", "shop/db", 80);
    expect(verdict).toBe("allowed");
    expect(ingress.because).toMatchObject([{ kind: "rule", rule: "ingress[2]" }]);
    expect(ingress.notEvaluated.map(({ what }) => what)).toEqual(["ingress[0]: logging"]);
  });

  test("A policy that decides nothing leaves it to the next of its tier, and the tier denies at its end", () => {
    const first = local("shop/a", `{ order: 1, ingress: [{ action: Allow, source: { selector: app == 'db' } }] }`);
    const second = local(
      "shop/b",
      `{ order: 2, selector: app == 'db', ingress: [{ action: Allow, source: { selector: app == 'web' } }] }`,
    );
    const asked = ["shop/db shop/web 80", "shop/web shop/db 80", "ops/web shop/db 80"];
    expect(verdicts([first, second], asked)).toEqual(["allowed", "allowed", "denied"]);
  });
});

describe("Tiers", () => {
  const denyIn = (name: string) => global(`${name}.deny`, `{ tier: ${name}, ingress: [{ action: Deny }] }`);
  const allowIn = (name: string) => global(`${name}.allow`, `{ tier: ${name}, ingress: [{ action: Allow }] }`);
  const asked = ["ops/web shop/db 80"];

  test("Tiers are asked by their order, those without one last (reference, Tier)", () => {
    const tiers = [tier("one", "{ order: 200 }"), tier("two", "{ order: 100.5 }"), tier("three", "{}")];
    expect(verdicts([...tiers, denyIn("one"), allowIn("two")], asked)).toEqual(["allowed"]);
    expect(verdicts([...tiers, denyIn("two"), allowIn("one")], asked)).toEqual(["denied"]);
    expect(verdicts([...tiers, denyIn("three"), allowIn("kube-baseline")], asked)).toEqual(["allowed"]);
  });

  test("Tiers of equal order are asked by their names (api, tier.go)", () => {
    const tiers = [tier("b", "{ order: 5 }"), tier("a", "{ order: 5 }")];
    expect(verdicts([...tiers, denyIn("b"), allowIn("a")], asked)).toEqual(["allowed"]);
    expect(verdicts([...tiers, allowIn("b"), denyIn("a")], asked)).toEqual(["denied"]);
  });

  test("A tier with a policy that selects the pod denies at its end what none decides (reference, Tier)", () => {
    const policy = global("early.db", `{ tier: early, ${dbFromWeb.slice(1)}`);
    const all = ["shop/web shop/db 80", "ops/probe shop/db 80", "ops/probe shop/web 80"];
    expect(verdicts([tier("early", "{ order: 1 }"), policy], all)).toEqual(["allowed", "denied", "allowed"]);
  });

  test("With defaultAction Pass it goes on with the next tier (reference, Tier)", () => {
    const policy = global("early.db", `{ tier: early, ${dbFromWeb.slice(1)}`);
    const early = tier("early", "{ order: 1, defaultAction: Pass }");
    expect(verdicts([early, policy], ["ops/probe shop/db 80"])).toEqual(["allowed"]);
    expect(verdicts([early, policy, denyIn("default")], ["ops/probe shop/db 80", "ops/web shop/db 80"])).toEqual([
      "denied",
      "allowed",
    ]);
  });

  test("A tier speaks of a pod only in the directions in which one of its policies does (felix/calc/event_sequencer.go)", () => {
    const policy = global("early.db", `{ tier: early, selector: app == 'db', ingress: [{ action: Allow }] }`);
    expect(verdicts([tier("early", "{ order: 1 }"), policy], ["shop/db ops/web 80"])).toEqual(["allowed"]);
  });

  test("Pass skips the rest of its tier, and in the last one ends in the namespace's profile, which allows (reference, Tier)", () => {
    const pass = global("early.a", `{ tier: early, order: 1, ingress: [{ action: Pass }] }`);
    const early = tier("early", "{ order: 1 }");
    expect(verdicts([early, pass, denyIn("early")], asked)).toEqual(["allowed"]);
    expect(verdicts([early, pass, denyIn("early"), denyIn("default")], asked)).toEqual(["denied"]);
    expect(verdicts([global("p", "{ ingress: [{ action: Pass }] }")], asked)).toEqual(["allowed"]);
  });

  test("default, kube-admin and kube-baseline are there without an object (documentation, Get started with policy tiers)", () => {
    expect(verdicts([denyIn("kube-admin"), allowIn("default")], asked)).toEqual(["denied"]);
    expect(verdicts([denyIn("kube-baseline"), allowIn("default")], asked)).toEqual(["allowed"]);
    const inBaseline = global("kube-baseline.db", `{ tier: kube-baseline, ${dbFromWeb.slice(1)}`);
    expect(verdicts([inBaseline], ["ops/probe shop/db 80"])).toEqual(["allowed"]);
    const between = tier("between", "{ order: 2000 }");
    expect(verdicts([between, denyIn("between"), allowIn("kube-admin")], asked)).toEqual(["allowed"]);
  });

  test("The documentation's example of a devops tier passes what it does not deny on to the next", () => {
    const devops = global(
      "devops.stage-env",
      `{ tier: devops, order: 255, selector: tier == "front", ingress: [{ action: Deny, source: { selector: tier != "front" } }, { action: Pass }] }`,
    );
    expect(
      verdicts([tier("devops", "{ order: 300 }"), devops], ["ops/web shop/web 80", "192.0.2.1 shop/web 80"]),
    ).toEqual(["denied", "allowed"]);
  });
});
