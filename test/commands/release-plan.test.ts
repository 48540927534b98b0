import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let pod: string;
let count = 0;

// Without controllers what they would do stays undone, so that each change is the one that a test makes.
beforeAll(async () => {
  desk = await startDesk({ cluster: { controllers: false } });
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
});

afterAll(() => desk.close());

/** A ReplicaSet with one pod behind a Service. */
beforeEach(() => {
  const name = `web-${++count}`;
  pod = `${name}-x`;
  const [owner] = desk.sandbox.apply(replicaSet(name, 1), service(name, name));
  const { uid } = owner?.metadata ?? {};
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "ReplicaSet", name, uid, controller: true }];
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace: "payments", labels: { app: name }, ownerReferences },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
});

function replicaSet(name: string, replicas: number): object {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "x" }] } };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  return { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name, namespace: "payments" }, spec };
}

function service(name: string, app: string): object {
  const spec = { selector: { app }, ports: [{ port: 80 }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "payments" }, spec };
}

function scale(replicas: number): void {
  const object = stored(desk.sandbox, "ReplicaSet", `web-${count}`);
  desk.sandbox.apply({ ...object, spec: { ...(object?.["spec"] as object), replicas } });
}

function label(labels: Record<string, string>): void {
  const object = stored(desk.sandbox, "Pod", pod);
  const changed = { ...object?.metadata.labels, ...labels };
  desk.sandbox.apply({ ...object, metadata: { ...object?.metadata, labels: changed } });
}

function turnUnready(): void {
  const object = stored(desk.sandbox, "Pod", pod);
  const conditions = [{ type: "Ready", status: "False" }];
  desk.sandbox.apply({ ...object, status: { ...(object?.["status"] as object), conditions } });
}

async function plannedRelease() {
  const { operation } = await desk.type(`quarantine payments/${pod} --confirm ${pod}`);
  expect(await desk.press("confirm", operation)).toMatchObject({ outcome: "ok" });
  return desk.type(`release ${operation}`);
}

describe("A release is planned anew instead of carried out", () => {
  test("where the ReplicaSet was scaled to 0 since, and would now delete the pod at once", async () => {
    const plan = await plannedRelease();
    expect(wordsIn(plan)).toContain("usually the youngest");
    scale(0);
    const again = await desk.press("confirm", plan.operation);
    expect(again.outcome).toBe("needs-confirmation");
    expect(wordsIn(again)).toContain("DELETES it at once");
    expect(stored(desk.sandbox, "Pod", pod)).toBeDefined();
  });

  test.each<[string, () => void, RegExp]>([
    [
      "a Service that it left selects it no more",
      () => desk.sandbox.apply(service(`web-${count}`, "other")),
      /^(?!.*answers again)/,
    ],
    [
      "a Service selects it that did not before",
      () => desk.sandbox.apply(service(`new-${count}`, `web-${count}`)),
      /behind Service new-\d+ too, as it did not before/,
    ],
    ["others changed a label that it overwrites", () => label({ app: "evil" }), /get their old values: app/],
  ])("where %s", async (_what, change, words) => {
    const plan = await plannedRelease();
    change();
    const again = await desk.press("confirm", plan.operation);
    expect(again.outcome).toBe("needs-confirmation");
    expect(wordsIn(again)).toMatch(words);
    // A second click of one and the same press is not an agreement to the plan that is shown anew.
    desk.pass(1_100);
    expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
  });
});

test("A pod that is ready no more, and a ReplicaSet that has more replicas, do not void a release", async () => {
  const plan = await plannedRelease();
  scale(2);
  turnUnready();
  expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
});

test("A quarantine is planned anew where the ReplicaSet was scaled to 0 since, and would start no replacement", async () => {
  const plan = await desk.type(`quarantine payments/${pod} --confirm ${pod}`);
  expect(wordsIn(plan)).toContain("starts a replacement");
  scale(0);
  const again = await desk.press("confirm", plan.operation);
  expect(again.outcome).toBe("needs-confirmation");
  expect(wordsIn(again)).toContain("starts no replacement");
});
