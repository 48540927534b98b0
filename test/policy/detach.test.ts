import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import { describe, expect, test } from "vitest";
import {
  keysToRemove,
  labelPatch,
  labelsDuring,
  restorePatch,
  stripPatch,
  unlabelPatch,
} from "../../src/policy/detach.ts";
import { marks } from "../../src/policy/marks.ts";
import type { JsonPatchOperation, Labels } from "../../src/policy/objects.ts";
import { selects } from "../../src/policy/selector.ts";
import { aPod, aPolicy, aService, aWorkload } from "./pods.ts";

function patched(labels: Labels, patch: readonly JsonPatchOperation[]): Labels {
  const document = { metadata: { uid: "pod-1", resourceVersion: "100", labels } };
  return jsonpatch.applyPatch(document, structuredClone(patch) as never, true, false).newDocument.metadata.labels;
}

describe("taking a pod out of selection", () => {
  test("removes the keys by which Services, controllers and policies select it, and no other", () => {
    const pod = aPod();
    const selectors = {
      services: [aService()],
      workloads: [aWorkload()],
      policies: [aPolicy("allow", { podSelector: { matchLabels: { app: "checkout" } } })],
    };
    expect(keysToRemove(pod.labels, selectors)).toEqual(["app", "pod-template-hash"]);
  });

  test("ignores selectors that select other pods, and a Service without a selector", () => {
    const selectors = {
      services: [aService({ selector: {} }), aService({ selector: { app: "cart" } })],
      workloads: [],
      policies: [],
    };
    expect(keysToRemove(aPod().labels, selectors)).toEqual([]);
  });

  const label = fc.constantFrom("a", "b", "c", "x/y", "t~1");
  const value = fc.constantFrom("1", "2");
  const labelSet = fc.dictionary(label, value, { maxKeys: 4 });
  const requirement = fc.record({
    key: label,
    operator: fc.constantFrom("In" as const, "Exists" as const, "NotIn" as const, "DoesNotExist" as const),
    values: fc.array(value, { minLength: 1, maxLength: 2 }),
  });
  const selector = fc.record({ matchLabels: labelSet, matchExpressions: fc.array(requirement, { maxLength: 2 }) });

  test("afterwards only selectors that need no label can still select the pod", () => {
    fc.assert(
      fc.property(labelSet, fc.array(selector, { maxLength: 5 }), (labels, selectors) => {
        const policies = selectors.map((podSelector, i) => aPolicy(`p${i}`, { podSelector }));
        const removes = keysToRemove(labels, { services: [], workloads: [], policies });
        const during = labelsDuring(labels, removes, "q-1");
        for (const one of selectors.filter((each) => selects(each, labels) && selects(each, during))) {
          expect(Object.keys(one.matchLabels)).toEqual([]);
          expect(
            one.matchExpressions.every(({ operator }) => operator === "NotIn" || operator === "DoesNotExist"),
          ).toBe(true);
        }
      }),
    );
  });

  test("undo is exact: label, strip, restore and unlabel give back every label (invariant 12)", () => {
    fc.assert(
      fc.property(labelSet, fc.array(label), (labels, keys) => {
        const removes = [...new Set(keys)].filter((key) => Object.hasOwn(labels, key));
        const pod = aPod({ labels });
        const labelled = patched(labels, labelPatch(pod, "q-1"));
        const during = patched(labelled, stripPatch(pod.uid, labels, removes, "q-1"));
        expect(during).toEqual(labelsDuring(labels, removes, "q-1"));
        const restored = patched(during, restorePatch(aPod({ labels: during }), labels));
        expect(restored).toEqual({ ...labels, [marks.quarantine]: "q-1" });
        expect(patched(restored, unlabelPatch(aPod({ labels: restored })))).toEqual(labels);
      }),
    );
  });

  test("every label patch carries a test of the labels it was made for (invariant 4)", () => {
    const pod = aPod();
    expect(() => patched({ ...pod.labels, app: "other" }, labelPatch(pod, "q-1"))).toThrow(/[Tt]est/);
    expect(() => patched({ app: "other" }, stripPatch(pod.uid, pod.labels, ["app"], "q-1"))).toThrow(/[Tt]est/);
    expect(() => patched({ ...pod.labels, x: "1" }, restorePatch(pod, { back: "1" }))).toThrow(/[Tt]est/);
    expect(() => patched({ [marks.quarantine]: "q-2" }, unlabelPatch(pod))).toThrow(/[Tt]est/);
  });
});
