import { expect, test } from "vitest";
import { fluxReconcile, pauseAnnotations, pausedBy } from "../../src/policy/flux-pause.ts";
import { marks } from "../../src/policy/marks.ts";
import { imageOf } from "../../src/policy/revision.ts";

test("Flux's annotation that a person set is a part of what the policy was", () => {
  const object = (annotations: Record<string, string>) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "payments", annotations },
    spec: { podSelector: {} },
  });
  const own = object({ [fluxReconcile]: "disabled" });
  expect(imageOf(own)).toEqual(own);
  expect(imageOf(object(pauseAnnotations("u-1"))).metadata.annotations).toBeUndefined();
  expect([own, object(pauseAnnotations("u-1"))].map(pausedBy)).toEqual([undefined, "u-1"]);
  const enabled = { [fluxReconcile]: "enabled" };
  expect(imageOf(object({ ...enabled, [marks.pausesFlux]: "u-1" })).metadata.annotations).toEqual(enabled);
  expect(pausedBy(object({ ...enabled, [marks.pausesFlux]: "u-1" }))).toBeUndefined();
});
