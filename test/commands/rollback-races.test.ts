import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import { createTakeover } from "../../src/commands/takeover.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { waitFor } from "../wait.ts";
import { bob, wordsIn } from "./desk.ts";
import { type Death, mortal } from "./mortal.ts";
import { confirmAll, narrow, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

const carol: Principal = { kind: "slack", enterprise: undefined, team: "T1", user: "U3", displayName: "carol" };

let desk: UndoDesk;
beforeAll(async () => {
  desk = await startUndoDesk({
    settings: {
      access: {
        rules: [
          { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "shop", "kube-system"] },
          {
            principals: ["slack:T1/U2"],
            verbs: ["status", "rollback", "approve"],
            namespaces: ["payments", "kube-system"],
          },
        ],
        people: [],
      },
    },
  });
});
afterAll(() => desk.close());

/** Each begins without policies, so that what opens is by its own. */
beforeEach(async () => {
  for (const { metadata } of desk.sandbox.objects("NetworkPolicy")) {
    const { namespace = "", name } = metadata;
    await desk.send("DELETE", `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/${name}`);
  }
});

let names = 0;
const newName = () => `web-${(names += 1)}`;
const undone = async (id: string) => (await desk.history.find(id))[0]?.undoneBy;
const state = async (id = "") => (await desk.services.operations.get(id))?.state;

describe("Between plan and confirm", () => {
  test("a change of the policy shows the plan anew, and writes nothing", async () => {
    const name = newName();
    await desk.change(name, open);
    const change = await desk.change(name, shut);
    const plan = await desk.type(`rollback ${change.id}`);
    await desk.change(name, narrow, { by: "jane" });
    const again = await desk.press("confirm", plan.operation);
    expect(wordsIn(again)).toContain("The cluster changed since this plan was shown, so nothing was done");
    expect(again.buttons.map(({ action }) => action)).toEqual(["undo-later", "cancel"]);
    expect(desk.image(name)?.spec).toEqual(narrow);
  });

  test("a change of labels alone voids the plan once, and the labels stay", async () => {
    const name = newName();
    await desk.change(name, open);
    const change = await desk.change(name, shut);
    const plan = await desk.type(`rollback ${change.id}`);
    const { metadata, ...rest } = desk.policy(name)!;
    desk.sandbox.apply({ ...rest, metadata: { ...metadata, labels: { seen: "yes" } } });
    const again = await desk.press("confirm", plan.operation);
    expect(wordsIn(again)).toContain(`were changed after ${change.id}, and stay`);
    desk.pass(2_000);
    expect((await confirmAll(desk, again)).headline).toMatch(/^Rolled back/);
    expect(desk.image(name)).toMatchObject({ metadata: { labels: { seen: "yes" } }, spec: open });
  });
});

test("Of two rollbacks of one change at once one writes, and the other says that it wrote nothing", async () => {
  const name = newName();
  await desk.change(name, open);
  const change = await desk.change(name, shut);
  const plans = [await desk.type(`rollback ${change.id}`), await desk.type(`rollback payments/${name}`)];
  const ends = await Promise.all(plans.map((plan) => confirmAll(desk, plan)));
  const winners = ends.filter(({ headline }) => headline.startsWith("Rolled back"));
  expect(winners, ends.map(({ headline }) => headline).join()).toHaveLength(1);
  const other = ends.find((end) => end !== winners[0]);
  expect(`${other?.headline} ${wordsIn(other!)}`).toMatch(
    /Nothing was written|as it was before|was changed by somebody/,
  );
  expect(desk.image(name)?.spec).toEqual(open);
  expect(await undone(change.id)).toBe(winners[0]?.operation);
  expect((await desk.type(`rollback ${change.id}`)).headline).toMatch(/^Refused/);
});

describe("What may not be", () => {
  test("is refused where the person lacks the right, before anything is looked at", async () => {
    const change = await desk.change(newName(), shut, { namespace: "shop" });
    const reply = await desk.type(`rollback ${change.id}`, bob);
    expect(wordsIn(reply)).toContain(`No change ${change.id} is kept`);
    expect((await desk.type(`rollback shop/${change.name}`, bob)).outcome).toBe("refused");
    expect((await desk.type("rollback shop", bob)).outcome).toBe("refused");
    expect(wordsIn(await desk.type("rollback", bob))).not.toContain(change.id);
  });

  test("is refused where it opens and the person may not allow there; what closes may be", async () => {
    const name = newName();
    const made = await desk.change(name, open);
    const change = await desk.change(name, shut);
    expect(wordsIn(await desk.type(`rollback ${change.id}`, bob))).toContain(
      "It opens connections, which needs the right to allow in payments",
    );
    // A plan of somebody else's is not begun by who may not.
    const plan = await desk.type(`rollback ${change.id}`);
    expect(await desk.press("confirm", plan.operation, { principal: bob })).toMatchObject({ outcome: "refused" });
    await confirmAll(desk, plan);
    expect(desk.image(name)?.spec).toEqual(open);
    expect((await desk.type(`rollback ${made.id}`, bob)).headline).toMatch(/^(Plan|Refused)/);
  });

  test("needs others where configuration says so, or break-glass with a reason and a review", async () => {
    const name = newName();
    await desk.change(name, open);
    const change = await desk.change(name, shut);
    const { settings } = desk.services;
    Object.assign(settings, { rollbackApprovals: 1 });
    try {
      const plan = await desk.type(`rollback ${change.id}`);
      expect(plan.buttons[0]).toMatchObject({ label: "Ask for approval" });
      expect((await desk.press("confirm", plan.operation)).outcome).toBe("needs-approval");
      expect((await desk.press("approve", plan.operation)).outcome).toBe("refused");
      expect((await desk.press("approve", plan.operation, { principal: bob })).headline).toMatch(/^Rolled back/);
      expect(desk.image(name)?.spec).toEqual(open);
      const again = await desk.change(name, shut);
      expect(wordsIn(await desk.type(`rollback ${again.id} --break-glass now`))).toContain("needs a reason");
      const alone = await desk.type(`rollback ${again.id} --break-glass checkout is down`);
      const ended = await confirmAll(desk, alone);
      expect(ended.headline).toMatch(/^Rolled back/);
      expect(wordsIn(ended)).toContain("NEEDS REVIEW (break-glass)");
      // What only closes needs nobody.
      const opened = await desk.change(name, undefined);
      const closing = await desk.type(`rollback ${opened.id}`);
      expect(closing.buttons[0]).toMatchObject({ label: "Confirm" });
    } finally {
      Object.assign(settings, { rollbackApprovals: 0 });
    }
  });

  test("is refused in a protected namespace, unless another person agrees", async () => {
    const name = newName();
    await desk.change(name, open, { namespace: "kube-system" });
    const change = await desk.change(name, shut, { namespace: "kube-system" });
    expect(wordsIn(await desk.type(`rollback ${change.id}`))).toContain("Namespace kube-system is protected");
    const plan = await desk.type(`rollback ${change.id} --override`);
    await desk.press("confirm", plan.operation);
    expect((await desk.press("confirm-again", plan.operation)).outcome).toBe("needs-approval");
    expect((await desk.press("approve", plan.operation, { principal: bob })).headline).toMatch(/^Rolled back/);
    expect(desk.image(name, "kube-system")?.spec).toEqual(open);
  });

  test("a webhook rejects: at the plan it is quoted, at the write it stops there, and half done is told as that", async () => {
    const [first, second] = [newName(), newName()];
    const since = desk.services.now();
    const changes = [await desk.change(first, narrow), await desk.change(second, shut)];
    const refused = { type: "status", code: 403 } as const;
    desk.sandbox.faults.inject({ method: "DELETE", path: `networkpolicies/${second}` }, refused);
    const planned = await desk.type(`rollback ${changes[1]!.id}`);
    expect(wordsIn(planned)).toContain(`The API server would refuse to delete NetworkPolicy payments/${second}`);
    expect(wordsIn(planned)).toContain("a fault was injected here");
    const all = await desk.type(`rollback payments --since ${Math.ceil((desk.services.now() - since) / 1_000) + 1}s`);
    // The dry run of the plan drawn again passes, the write does not.
    desk.sandbox.faults.inject({ method: "DELETE", path: `networkpolicies/${first}`, skip: 2 }, refused);
    const half = await confirmAll(desk, all);
    expect(half.headline).toMatch(/^HALF ROLLED BACK/);
    expect([desk.policy(second), await state(all.operation)]).toEqual([undefined, "failed"]);
    expect(desk.policy(first)).toBeDefined();
    expect(wordsIn(half)).toContain(`/np rollback ${all.operation} takes that back`);
    expect(wordsIn(half)).toContain(`Not written: delete NetworkPolicy payments/${first}`);
    expect(await undone(changes[1]!.id)).toBe(all.operation);
    expect(await undone(changes[0]!.id)).toBeUndefined();
    await desk.changed(second, changes[1]!);
    expect((await desk.roll(`rollback ${all.operation}`)).headline).toMatch(/^Rolled back/);
    expect(desk.image(second)?.spec).toEqual(shut);
    expect(await undone(changes[1]!.id)).toBeUndefined();
  });

  test("nothing comes back in a namespace that is being deleted", async () => {
    desk.sandbox.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "shop-old", finalizers: ["x.dev/y"] },
    });
    const { settings } = desk.services;
    const rules = [
      ...settings.access.rules,
      { principals: ["slack:T1/U1"], verbs: ["*"] as const, namespaces: ["shop-old"] },
    ];
    Object.assign(settings, { access: { ...settings.access, rules } });
    const name = newName();
    await desk.change(name, open, { namespace: "shop-old" });
    const gone = await desk.change(name, undefined, { namespace: "shop-old" });
    await desk.send("DELETE", "/api/v1/namespaces/shop-old");
    const reply = await desk.type(`rollback ${gone.id}`);
    expect(wordsIn(reply)).toContain("shop-old is being deleted");
  });
});

test("An owner that is gone is left out, and said", async () => {
  const name = newName();
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "0b1c" };
  const { metadata, ...rest } = (await desk.change(name, narrow)).after!;
  desk.sandbox.apply({ ...rest, metadata: { ...metadata, ownerReferences: [owner] }, spec: open });
  await waitFor(async () => (await desk.history.list({ namespace: "payments", name, limit: 9 })).length === 2);
  const gone = await desk.change(name, undefined);
  const plan = await desk.type(`rollback ${gone.id}`);
  expect(wordsIn(plan)).toContain("comes back without its owner ConfigMap gone, which is gone");
  await confirmAll(desk, plan);
  expect(desk.image(name)?.metadata).toEqual({ name, namespace: "payments" });
});

test("An undo of an undo of an undo, each by its id, with what each leaves undone", async () => {
  const name = newName();
  await desk.change(name, open, { labels: { team: "net" } });
  const change = await desk.change(name, shut, { labels: { team: "ci" } });
  const [before, after] = [change.before, change.after];
  let last = change;
  const step = async (what: string) => {
    const done = await desk.roll(`rollback ${what}`);
    expect(done.headline).toMatch(/^Rolled back/);
    last = await desk.changed(name, last);
    return done.operation!;
  };
  const first = await step(change.id);
  expect([desk.image(name), await undone(change.id)]).toEqual([before, first]);
  const second = await step(first);
  expect([desk.image(name), await undone(change.id)]).toEqual([after, undefined]);
  expect(wordsIn(await desk.type(`rollback ${first}`))).toContain(`${first} was undone already, by ${second}`);
  const third = await step(second);
  expect([desk.image(name), await undone(change.id)]).toEqual([before, first]);
  const fourth = await step(third);
  expect([desk.image(name), await undone(change.id)]).toEqual([after, undefined]);
  // What undos wrote is nobody's last change.
  expect((await desk.type(`rollback payments/${name}`)).headline).toMatch(/^Plan/);
  expect(fourth).toMatch(/^u-/);
});

test("An incident of twelve changes by four actors is undone in one plan, newest first", async () => {
  const mine = await startUndoDesk();
  try {
    const kept = new Map<string, unknown>();
    for (const name of ["a", "b", "c", "d"]) {
      await mine.change(name, open, { labels: { at: "first" } });
      kept.set(name, mine.image(name));
    }
    mine.pass(60_000);
    await mine.type("incident INC-7");
    const actors = ["argocd", "flux", "jane", "ci"];
    const specs = [narrow, shut, { ...open, policyTypes: ["Ingress", "Egress"] }];
    for (const spec of specs)
      for (const [at, name] of ["a", "b", "c", "d"].entries()) await mine.change(name, spec, { by: actors[at]! });
    const plan = await mine.type("rollback --incident INC-7");
    const undoes = plan.sections.find((section) => section.kind === "list" && section.title === "Undoes");
    expect(undoes?.kind === "list" && undoes.items).toHaveLength(12);
    expect(plan.sections.find((section) => section.kind === "list" && section.title === "Writes")).toMatchObject({
      items: ["d", "c", "b", "a"].map((name) => `change NetworkPolicy payments/${name}`),
    });
    for (const actor of actors) expect(wordsIn(plan)).toContain(`the program ${actor}`);
    const done = await confirmAll(mine, plan);
    expect(done.headline).toBe("Rolled back: 4 of 4 policies");
    for (const [name, image] of kept) expect(mine.image(name)).toEqual(image);
    await mine.roll(`rollback ${plan.operation}`);
    for (const name of kept.keys()) expect(mine.image(name)?.spec).toEqual(specs[2]);
  } finally {
    await mine.close();
  }
});

describe("A replica that dies at any of its calls", () => {
  const through = async (text: string, death: Death | undefined) => {
    const replica = mortal(desk.services, desk.outlet, death);
    const dying = createDesk(replica.services);
    const planned = await desk.type(text);
    const operation = await desk.services.operations.get(planned.operation ?? "");
    const press = (action: string) => ({
      ...desk.request(""),
      action,
      operation: planned.operation ?? "",
      card: operation?.card,
    });
    await Promise.race([dying.press(press("confirm"), replica.outlet), replica.dead]);
    if ((await state(planned.operation)) === "awaiting-second") {
      await Promise.race([dying.press(press("confirm-again"), replica.outlet), replica.dead]);
    }
    for (const id of await desk.redis.zrange("{bulkhead}:leases", "0", "-1")) {
      await desk.redis.zadd("{bulkhead}:leases", "0", id);
    }
    const takeover = createTakeover(desk.services, () => desk.outlet);
    await takeover.sweep();
    await takeover.drain();
    const now = await state(planned.operation);
    if (now === "planned") await desk.press("confirm", planned.operation);
    if ((await state(planned.operation)) === "awaiting-second") await desk.press("confirm-again", planned.operation);
    return { calls: replica.calls, id: planned.operation ?? "" };
  };

  test("leaves it to another, and the outcome is the same, told and recorded once", async () => {
    const scene = async (death: Death | undefined) => {
      const [made, changed, gone] = [newName(), newName(), newName()];
      await desk.change(changed, open);
      await desk.change(gone, narrow);
      desk.pass(60_000);
      const changes = [
        await desk.change(made, shut),
        await desk.change(changed, shut),
        await desk.change(gone, undefined),
      ];
      const { calls, id } = await through("rollback payments --since 30s", death);
      const where = `${death?.when} ${death?.at} ${calls.at(-1)}`;
      expect(await state(id), where).toBe("done");
      expect([desk.policy(made), desk.image(changed)?.spec, desk.image(gone)?.spec], where).toEqual([
        undefined,
        open,
        narrow,
      ]);
      for (const change of changes) expect(await undone(change.id), where).toBe(id);
      const entries = await desk.services.audit.read({ operation: id });
      expect(
        entries.map(({ kind, ok }) => [kind, ok]),
        where,
      ).toEqual([
        ["intent", undefined],
        ["outcome", true],
      ]);
      expect(await desk.redis.zscore("{bulkhead}:leases", id), where).toBeNull();
      return calls.length;
    };
    const count = await scene(undefined);
    expect(count).toBeGreaterThan(10);
    for (let at = 1; at <= count; at += 1) {
      for (const when of ["before", "after"] as const) await scene({ at, when });
    }
  }, 240_000);
});

test("Whoever has no right anywhere learns nothing", async () => {
  expect(await desk.type("rollback", carol)).toMatchObject({ outcome: "refused" });
});
