import { afterAll, beforeAll, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import { waitFor } from "../wait.ts";
import { wordsIn } from "./desk.ts";
import { open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

let desk: UndoDesk;
beforeAll(async () => {
  desk = await startUndoDesk();
});
afterAll(() => desk.close());

const undone = async (id: string) => (await desk.history.find(id))[0]?.undoneBy;
const standing = async (name: string) => (await desk.history.list({ namespace: "payments", name, limit: 1 }))[0];

/** As the sweep of another replica does, once the lease has lapsed. */
async function takeOver(id = "", services = desk.services): Promise<void> {
  await desk.redis.zadd("{bulkhead}:leases", "0", id);
  const takeover = createTakeover(services, () => desk.outlet);
  await takeover.sweep();
  await takeover.drain();
}

test("A deletion whose answer is lost is ours: told, marked and undone as such", async () => {
  const made = await desk.change("lost", shut);
  const plan = await desk.type(`rollback ${made.id}`);
  desk.sandbox.faults.inject({ method: "DELETE", path: "networkpolicies/lost", skip: 1 }, { type: "lose-answer" });
  const done = await desk.press("confirm", plan.operation);
  expect(wordsIn(done)).toContain("deleted, and read back as it was before");
  const gone = await desk.changed("lost", made);
  expect([gone.change, gone.authors]).toMatchObject(["deleted", [{ kind: "operation", operation: plan.operation }]]);
  expect(await undone(made.id)).toBe(plan.operation);
  expect((await desk.roll(`rollback ${plan.operation}`)).headline).toMatch(/^Rolled back/);
  expect(desk.image("lost")?.spec).toEqual(shut);
});

test("So it is where a finalizer keeps what was deleted", async () => {
  const all = "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies";
  const metadata = { name: "kept", namespace: "payments", finalizers: ["x.dev/y"] };
  await desk.send("POST", all, { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: shut });
  const made = (await waitFor(() => standing("kept")))!;
  const plan = await desk.type(`rollback ${made.id}`);
  desk.sandbox.faults.inject({ method: "DELETE", path: "networkpolicies/kept", skip: 1 }, { type: "lose-answer" });
  const done = await desk.press("confirm", plan.operation);
  expect(wordsIn(done)).toContain("a finalizer keeps it there, and in force");
  expect((await desk.services.operations.get(plan.operation ?? ""))?.state).toBe("done");
});

test("Whose deletion it was is said once more where it could not be stored", async () => {
  const made = await desk.change("owed", shut);
  const plan = await desk.type(`rollback ${made.id}`);
  const { history } = desk;
  const away = { ...history, attribute: () => Promise.reject(new Error("away")) };
  const poor = createDesk({ ...desk.services, history: away });
  await poor.press(
    { ...desk.request(""), action: "confirm", operation: plan.operation ?? "", card: undefined },
    desk.outlet,
  );
  expect((await desk.changed("owed", made)).authors).toEqual([]);
  expect(await desk.redis.zscore("{bulkhead}:leases", plan.operation ?? "")).not.toBeNull();
  await takeOver(plan.operation);
  expect((await standing("owed"))?.authors).toMatchObject([{ kind: "operation", operation: plan.operation }]);
  expect(await desk.redis.zscore("{bulkhead}:leases", plan.operation ?? "")).toBeNull();
});

test("What was undone meanwhile is not marked as undoing again", async () => {
  await desk.change("again", open);
  const change = await desk.change("again", shut);
  const first = await desk.type(`rollback ${change.id}`);
  await desk.press("confirm", first.operation);
  await desk.changed("again", change);
  await desk.roll(`rollback ${first.operation}`);
  expect(await undone(change.id)).toBeUndefined();
  await takeOver(first.operation);
  expect(await undone(change.id)).toBeUndefined();
});
