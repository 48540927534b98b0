import { describe, expect, test } from "vitest";
import { confirmationsFor, controllerEffect, lastReadyOf, serviceEffects } from "../../src/policy/effects.ts";
import { aPod, aService, aWorkload } from "./pods.ts";

describe("what the plan says it changes", () => {
  const owner = (kind: string) => aPod({ controller: { kind, name: "x", uid: "u" } });
  const cases: [string, RegExp][] = [
    ["ReplicaSet", /starts a replacement/],
    ["Job", /starts the work again/],
    ["StatefulSet", /stays taken.*rollout stalls/],
    ["DaemonSet", /another pod on node node-1/],
    ["Rollout", /is not known/],
  ];
  test.each(cases)("for a pod of a %s", (kind, effect) => {
    expect(controllerEffect(owner(kind), [])).toMatch(effect);
  });

  test("for a pod without a controller: nothing replaces it", () => {
    expect(controllerEffect(aPod({ controller: undefined }), [])).toMatch(/nothing replaces it/);
  });

  test("for a ReplicaSet that is scaled to 0: no replacement", () => {
    expect(controllerEffect(aPod(), [aWorkload({ replicas: 0 })])).toMatch(/starts no replacement/);
  });

  test("a StatefulSet's and a Job's pod need two confirmations, others one", () => {
    expect(["StatefulSet", "Job", "ReplicaSet", "DaemonSet"].map((kind) => confirmationsFor(owner(kind)))).toEqual([
      2, 2, 1, 1,
    ]);
  });

  test("the last ready replica of a Service is named as such", () => {
    const pod = aPod();
    const notReady = aPod({ uid: "pod-2", ready: false });
    expect(lastReadyOf(pod, [aService()], [pod, notReady])).toEqual(["checkout"]);
    expect(serviceEffects(pod, [aService()], [pod, notReady])[0]).toMatch(/LAST ready replica/);
  });

  test("another ready replica makes it one of several; a terminating one does not count", () => {
    const pod = aPod();
    const second = aPod({ uid: "pod-2" });
    expect(lastReadyOf(pod, [aService()], [pod, second])).toEqual([]);
    expect(serviceEffects(pod, [aService()], [pod, second])[0]).toMatch(/1 other ready replica stays/);
    expect(lastReadyOf(pod, [aService()], [pod, { ...second, terminating: true }])).toEqual(["checkout"]);
  });
});
