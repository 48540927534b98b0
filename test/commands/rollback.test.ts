import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { wordsIn } from "./desk.ts";
import { confirmAll, narrow, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

let desk: UndoDesk;
beforeEach(async () => {
  desk = await startUndoDesk();
});
afterEach(() => desk.close());

describe("A rollback", () => {
  test("puts back the last change of a policy after its plan was shown and confirmed", async () => {
    await desk.change("web", open, { labels: { team: "net" } });
    const before = desk.image("web");
    const change = await desk.change("web", narrow, { by: "ci" });
    const plan = await desk.type("rollback payments/web");
    expect(plan.headline).toBe("Plan: rollback NetworkPolicy payments/web");
    expect(wordsIn(plan)).toContain(`${change.id}: NetworkPolicy payments/web was changed`);
    expect(wordsIn(plan)).toContain("the program ci");
    expect(wordsIn(plan)).toContain("+    - {}");
    expect(desk.image("web")).not.toEqual(before);
    const done = await confirmAll(desk, plan);
    expect(done.headline).toBe("Rolled back: NetworkPolicy payments/web");
    expect(desk.image("web")).toEqual(before);
    expect(desk.policy("web")?.metadata.annotations).toEqual({ "bulkhead.dev/undo": plan.operation });
    expect(await desk.history.find(change.id)).toMatchObject([{ undoneBy: plan.operation }]);
    // They are a metric's label, and there is no end of policies' names.
    const steps = desk.events.flatMap((event) => (event.kind === "step" ? event.step : []));
    expect(steps).toEqual(["policy written", "read back"]);
  });

  test("says who writes the policy again, and how to stop that", async () => {
    const labels = {
      "kustomize.toolkit.fluxcd.io/name": "web",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    await desk.change("web", open, { labels });
    await desk.change("web", narrow, { labels });
    const plan = await desk.type("rollback payments/web --dry-run");
    expect(plan.headline).toMatch(/^Dry run: Plan/);
    expect(wordsIn(plan)).toContain("Will be written again by somebody else");
    expect(wordsIn(plan)).toContain("flux suspend");
    expect(await desk.services.operations.list({})).toEqual([]);
  });

  test("of a policy that was changed again says by whom and waits for a choice", async () => {
    await desk.change("web", open);
    const change = await desk.change("web", narrow);
    const later = await desk.change("web", { ...narrow, policyTypes: ["Ingress", "Egress"] }, { by: "jane" });
    const plan = await desk.type(`rollback ${change.id}`);
    expect(plan.buttons.map(({ action }) => action)).toEqual(["undo-later", "undo-merge", "cancel"]);
    expect(wordsIn(plan)).toContain(`Since then ${later.id}: NetworkPolicy payments/web was changed`);
    expect((await desk.press("confirm", plan.operation)).outcome).toBe("refused");
    const merged = await desk.press("undo-merge", plan.operation);
    expect(merged.buttons.map(({ action }) => action)).toEqual(["confirm", "cancel"]);
    expect(wordsIn(merged)).toContain(`What came after ${change.id} stays`);
    expect(merged.atTerminal).toBe(`bulkhead rollback ${change.id} --merge --dry-run`);
    await confirmAll(desk, merged);
    expect(desk.image("web")?.spec).toEqual({ ...open, policyTypes: ["Ingress", "Egress"] });
    await desk.change("web", shut);
    await desk.roll(`rollback ${later.id} --later-too`);
    expect(desk.image("web")?.spec).toEqual(narrow);
  });
});
