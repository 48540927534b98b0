import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeUndo } from "../../src/commands/undo-write.ts";
import { fluxReconcile } from "../../src/policy/flux-pause.ts";
import { marks } from "../../src/policy/marks.ts";
import { type Image, imageOf, type RawPolicy } from "../../src/policy/revision.ts";
import { bob, wordsIn } from "./desk.ts";
import { narrow, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

const labels = { "kustomize.toolkit.fluxcd.io/name": "web", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" };
const flux = { by: "kustomize-controller", labels };

let desk: UndoDesk;
beforeEach(async () => {
  desk = await startUndoDesk();
  Object.assign(desk.services.settings, { suspendFlux: true });
});
afterEach(() => desk.close());

const annotations = () => desk.policy("web")?.metadata.annotations;
const paused = (undo = "") => ({ [fluxReconcile]: "disabled", [marks.pausesFlux]: undo, [marks.undo]: undo });
const actionsOf = (card: { readonly buttons: readonly { readonly action: string }[] }) =>
  card.buttons.map(({ action }) => action);

/** Flux brought `open` and then `narrow`, and that is rolled back. */
async function rolledBack() {
  await desk.change("web", open, flux);
  const before = desk.image("web");
  const change = await desk.change("web", narrow, flux);
  const plan = await desk.type("rollback payments/web");
  const done = await desk.roll("rollback payments/web");
  return { before, change, plan, done, undo: done.operation ?? "" };
}

describe("A rollback of what is Flux's, where configuration lets it pause Flux", () => {
  test("tells Flux to leave that object alone, as the plan said, and Resume Flux takes that off and nothing else", async () => {
    const { before, change, plan, done, undo } = await rolledBack();
    expect(wordsIn(plan)).toContain(`annotation ${fluxReconcile}: disabled is set with this write`);
    expect(wordsIn(plan)).not.toContain("flux suspend");
    expect(annotations()).toEqual(paused(undo));
    expect(desk.image("web")).toEqual(before);
    expect(wordsIn(done)).toContain("Flux leaves alone what this wrote of");
    expect(actionsOf(done)).toEqual(["resume-flux"]);
    const [newest] = await desk.history.list({ cluster: "sandbox", namespace: "payments", limit: 1 });
    expect((await desk.press("resume-flux", undo, { principal: bob })).outcome).toBe("refused");
    expect(annotations()).toEqual(paused(undo));
    const resumed = await desk.press("resume-flux", undo);
    expect(resumed.headline).toBe(`Flux resumed: ${undo}`);
    expect(annotations()).toEqual({ [marks.undo]: undo });
    expect(desk.image("web")).toEqual(before);
    const card = await desk.press("show", undo);
    expect(actionsOf(card)).toEqual([]);
    expect(wordsIn(card)).toContain("Flux was resumed by alice");
    const entries = (await desk.services.audit.read({ operation: undo })).filter(({ verb }) => verb === "resume-flux");
    expect(entries.map(({ kind, ok }) => [kind, ok])).toEqual([
      ["intent", undefined],
      ["outcome", true],
    ]);
    await desk.change("other", shut);
    expect(await desk.history.find(change.id)).toMatchObject([{ undoneBy: undo }]);
    expect(await desk.history.list({ cluster: "sandbox", namespace: "payments", name: "web", limit: 1 })).toEqual([
      newest,
    ]);
  });

  test("ends by /np end, which says where nothing was held back any more, and only for whom may roll back there", async () => {
    const { undo } = await rolledBack();
    expect((await desk.type(`end ${undo}`, bob)).outcome).toBe("refused");
    expect((await desk.type(`end ${undo.slice(0, 5)} the incident is over`)).headline).toBe(`Flux resumed: ${undo}`);
    expect(annotations()).toEqual({ [marks.undo]: undo });
    expect(wordsIn(await desk.type(`end ${undo}`))).toContain("nothing was written");
  });

  test("leaves Flux to itself again by its own undo, and not by the undo of that", async () => {
    const { undo } = await rolledBack();
    const again = await desk.roll(`rollback ${undo}`);
    expect(annotations()).toEqual({ [marks.undo]: again.operation });
    const third = await desk.roll(`rollback ${again.operation}`);
    expect(annotations()).toEqual(paused(third.operation));
    expect(wordsIn(await desk.type(`end ${undo}`))).toContain(`not held back by ${undo} any more`);
    expect(annotations()).toEqual(paused(third.operation));
  });

  test("ends none that somebody else set", async () => {
    const { undo } = await rolledBack();
    const path = "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies/web";
    const { metadata, ...rest } = desk.policy("web") as unknown as { metadata: object };
    await desk.send("PUT", path, {
      ...rest,
      metadata: { ...metadata, annotations: { [fluxReconcile]: "disabled", [marks.undo]: undo } },
    });
    expect(wordsIn(await desk.press("resume-flux", undo))).toContain("nothing was written");
    expect(annotations()).toMatchObject({ [fluxReconcile]: "disabled" });
  });

  test("of several namespaces is ended only by whom may roll back in each", async () => {
    for (const namespace of ["payments", "shop"]) await desk.change("web", open, { ...flux, namespace });
    desk.pass(20 * 60_000);
    for (const namespace of ["payments", "shop"]) await desk.change("web", narrow, { ...flux, namespace });
    const { operation: undo = "" } = await desk.roll("rollback --since 15m");
    const inBoth = ["payments", "shop"].map((namespace) => desk.policy("web", namespace)?.metadata.annotations);
    expect(inBoth).toEqual([paused(undo), paused(undo)]);
    const { rules } = desk.services.settings.access;
    const may = (verb: "rollback" | "status", namespace: string) => ({
      principals: ["slack:T1/U2"],
      verbs: [verb],
      namespaces: [namespace],
    });
    Object.assign(desk.services.settings.access, {
      rules: [...rules, may("rollback", "shop"), may("status", "payments")],
    });
    const refused = await desk.press("resume-flux", undo, { principal: bob });
    expect([refused.outcome, wordsIn(refused)]).toEqual(["refused", expect.stringContaining("in namespace payments")]);
    expect(annotations()).toEqual(paused(undo));
    expect((await desk.type(`end ${undo}`)).outcome).toBe("ok");
    expect(desk.policy("web", "shop")?.metadata.annotations).toEqual({ [marks.undo]: undo });
  });

  test("is told nothing of a policy that only looks like Flux's, nor where configuration does not say so", async () => {
    await desk.change("web", open, { labels, by: "kubectl" });
    await desk.change("web", narrow, { labels, by: "kubectl" });
    const done = await desk.roll("rollback payments/web");
    expect(annotations()).toEqual({ [marks.undo]: done.operation });
    expect(actionsOf(done)).toEqual([]);
    expect((await desk.type(`end ${done.operation}`)).outcome).toBe("refused");
    Object.assign(desk.services.settings, { suspendFlux: false });
    await desk.change("web", narrow, flux);
    const { operation } = await desk.roll("rollback payments/web");
    expect(annotations()).toEqual({ [marks.undo]: operation });
  });
});

test("A write whose pause did not stay on the object says so", async () => {
  const object = (spec: Record<string, unknown>): RawPolicy => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "payments", uid: "u", resourceVersion: "1" },
    spec,
  });
  let stored: RawPolicy = object(narrow);
  const replace = (sent: Image) => {
    const { [fluxReconcile]: _taken, ...annotations } = sent.metadata.annotations ?? {};
    stored = { ...object(open), metadata: { ...stored.metadata, annotations } };
    return Promise.resolve({ kind: "replaced", object: stored });
  };
  const cluster = { name: "sandbox", anyPolicy: { read: () => Promise.resolve(stored), replace } };
  const operation = { id: "u-1", steps: [] };
  const writing = { services: {}, cluster, operation, hold: { owe() {} }, check: () => Promise.resolve() };
  const write = { from: imageOf(object(narrow)), uid: "u", to: imageOf(object(open)) };
  expect(await writeUndo(writing as never, write)).toMatchObject({ by: "us", differs: undefined });
  stored = object(narrow);
  const { differs } = await writeUndo(writing as never, { ...write, pausesFlux: true });
  expect(differs).toContain("Flux will write it again");
});
