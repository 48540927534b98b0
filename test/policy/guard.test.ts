import { describe, expect, test } from "vitest";
import { type GuardInput, refuseTarget } from "../../src/policy/guard.ts";
import { aPod, aService } from "./pods.ts";

function input(changes: Partial<GuardInput> = {}): GuardInput {
  return {
    pod: aPod(),
    services: [],
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
    expect(refuseTarget(input({ services: [other] }))).toBeUndefined();
  });
});
