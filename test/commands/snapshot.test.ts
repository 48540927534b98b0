import { afterAll, beforeAll, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import type { Services } from "../../src/commands/services.ts";
import { canonicalHash } from "../../src/policy/canonical.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let pods = 0;
const before = { app: "checkout" };

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
});

afterAll(() => desk.close());

function newPod(): string {
  const name = `checkout-${++pods}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "payments", labels: before },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running" },
  });
  return name;
}

const labelsOf = (pod: string) => stored(desk.sandbox, "Pod", pod)?.metadata.labels;

/** Presses at a replica whose log appends so. */
function press(action: string, operation: string, append: Services["audit"]["append"]) {
  const services = { ...desk.services, audit: { ...desk.services.audit, append } };
  const asked = { ...desk.request(""), action, operation, card: undefined };
  return createDesk(services).press(asked, desk.outlet);
}

test("A quarantine whose first try could not write its intent is released by that of the second", async () => {
  const pod = newPod();
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const failed = await press("confirm", id, () => Promise.reject(new Error("Redis does not answer")));
  expect(failed.headline).toBe("Not done: the audit log could not be written");
  expect((await desk.press("retry", id)).headline).toMatch(/ISOLATED/);
  const { operation: release } = await desk.type(`release ${id}`);
  expect((await desk.press("confirm", release)).headline).toBe(`Released: payments/${pod}`);
  expect(labelsOf(pod)).toEqual(before);
});

test("A release is to wait while the intent is on its way into the chain, and nobody is sent to kubectl", async () => {
  const { operation: id = "" } = await desk.type(`quarantine payments/${newPod()}`);
  const isolated = await press("confirm", id, (entry) => Promise.resolve({ kind: "spooled", id: entry.id }));
  expect(isolated.headline).toMatch(/ISOLATED/);
  const refused = await desk.type(`release ${id}`);
  expect(refused.outcome).toBe("refused");
  expect(wordsIn(refused)).toContain("wait a moment");
  expect(wordsIn(refused)).not.toContain("by hand");
});

test("An intent of other labels than the plan's restores nothing (invariant 12)", async () => {
  const pod = newPod();
  const { operation: id = "" } = await desk.type(`quarantine payments/${pod}`);
  const other = { app: "billing" };
  await press("confirm", id, (entry, options) => {
    const planted = { ...entry, detail: { labelsBefore: other, snapshotHash: canonicalHash(other) } };
    return desk.services.audit.append(entry.kind === "intent" ? planted : entry, options);
  });
  const refused = await desk.type(`release ${id}`);
  expect(refused.outcome).toBe("refused");
  expect(wordsIn(refused)).toContain("other labels than its plan");
});
