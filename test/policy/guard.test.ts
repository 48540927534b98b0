import { describe, expect, test } from "vitest";
import { type GuardInput, refuseCount, refuseLastReady, refuseTarget } from "../../src/policy/guard.ts";
import { aPod, aService } from "./pods.ts";

function input(changes: Partial<GuardInput> = {}): GuardInput {
  return {
    pod: aPod(),
    services: [],
    pods: [],
    confirmed: undefined,
    typed: "quarantine prod:payments/checkout-7d9f-abcde",
    protectedNamespaces: ["kube-system"],
    inHomeCluster: true,
    ownNamespace: "bulkhead",
    redisService: { name: "redis", namespace: "cache" },
    ...changes,
  };
}

describe("the guard rules", () => {
  test("let an ordinary pod be quarantined", () => {
    expect(refuseTarget(input())).toBeUndefined();
  });

  const cases: [string, Partial<GuardInput>, RegExp][] = [
    ["a pod of the bot's own namespace", { pod: aPod({ namespace: "bulkhead" }) }, /own namespace/],
    ["a pod of a protected namespace", { pod: aPod({ namespace: "kube-system" }) }, /kube-system is protected/],
    [
      "the bot's own Redis, by the Service that REDIS_URL names",
      {
        pod: aPod({ namespace: "cache", labels: { app: "redis" } }),
        services: [aService({ name: "redis", namespace: "cache", selector: { app: "redis" } })],
      },
      /own Redis/,
    ],
    ["a hostNetwork pod", { pod: aPod({ hostNetwork: true }) }, /host's network/],
    ["a static pod", { pod: aPod({ mirror: true }) }, /static pod/],
    ["a finished pod", { pod: aPod({ phase: "Succeeded" }) }, /finished/],
    ["a failed pod", { pod: aPod({ phase: "Failed" }) }, /finished/],
  ];
  test.each(cases)("refuse %s with the reason and the next step", (_, changes, reason) => {
    const refusal = refuseTarget(input(changes));
    expect(refusal?.reason).toMatch(reason);
    expect(refusal?.next).not.toBe("");
  });

  test("do not take another pod behind a Service of the same name elsewhere for the own Redis", () => {
    const other = aService({ name: "redis", namespace: "payments", selector: { app: "checkout" } });
    expect(refuseTarget(input({ services: [other], pods: [aPod({ uid: "pod-2" })] }))).toBeUndefined();
  });

  const typed = "quarantine prod:payments/checkout-7d9f-abcde";
  const name = "checkout-7d9f-abcde";

  test.each<[string, Partial<GuardInput>, RegExp]>([
    [
      "the last ready replica of a Service",
      { services: [aService()], pods: [aPod()] },
      /Service checkout.*stop answering/,
    ],
    ["a part of the cluster's machinery", { pod: aPod({ critical: true }) }, /priority class/],
  ])("refuse %s unless it is confirmed by its full name, and say how", (_, changes, reason) => {
    const refusal = refuseTarget(input(changes));
    expect(refusal?.reason).toMatch(reason);
    expect(refusal?.next).toContain(`/np ${typed} --confirm ${name}`);
    expect(refuseTarget(input({ ...changes, confirmed: "checkout" }))).toEqual(refusal);
    expect(refuseTarget(input({ ...changes, confirmed: name }))).toBeUndefined();
  });

  test("let no confirmation help where the namespace is protected", () => {
    const protectedPod = aPod({ namespace: "kube-system", critical: true });
    expect(refuseTarget(input({ pod: protectedPod, confirmed: name }))?.reason).toMatch(/protected/);
  });

  test("refuse neither a pod that is not ready nor one of several ready ones", () => {
    const other = aPod({ uid: "pod-2" });
    expect(refuseTarget(input({ services: [aService()], pods: [aPod(), other] }))).toBeUndefined();
    expect(refuseTarget(input({ pod: aPod({ ready: false }), services: [aService()] }))).toBeUndefined();
  });

  test("go by the workload's name where a workload is contained", () => {
    const asked = { typed: "quarantine prod:payments/deployment/checkout", confirmed: undefined };
    const refusal = refuseLastReady(["checkout", "web"], "checkout", asked);
    expect(refusal?.reason).toMatch(/Services checkout, web/);
    expect(refusal?.next).toContain("deployment/checkout --confirm checkout");
    expect(refuseLastReady(["checkout"], "checkout", { ...asked, confirmed: "checkout" })).toBeUndefined();
    expect(refuseLastReady([], "checkout", asked)).toBeUndefined();
  });

  test("refuse more pods at once than are allowed", () => {
    expect(refuseCount(5, 5, "x")).toBeUndefined();
    expect(refuseCount(6, 5, "x")).toMatchObject({ reason: expect.stringMatching(/6 pods at once, and 5/) });
  });
});
