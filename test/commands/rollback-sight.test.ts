import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { proven } from "../../src/commands/proven.ts";
import { askedRevisions } from "../../src/commands/rollback-what.ts";
import type { Context } from "../../src/commands/services.ts";
import { gatherUndo } from "../../src/commands/undo-facts.ts";
import type { History } from "../../src/history/history.ts";
import { isRefusal } from "../../src/policy/guard.ts";
import type { Principal } from "../../src/policy/principal.ts";
import { lineageOf } from "../../src/policy/revision.ts";
import { wordsIn } from "./desk.ts";
import { narrow, open, startUndoDesk, type UndoDesk } from "./undo-world.ts";

const slack = { kind: "slack", enterprise: undefined, team: "T1" } as const;
/** May everything in payments, and nothing in shop. */
const carol: Principal = { ...slack, user: "U3", displayName: "carol" };
/** The same, and may look in shop. */
const dave: Principal = { ...slack, user: "U4", displayName: "dave" };

let desk: UndoDesk;
beforeAll(async () => {
  const access = {
    rules: [
      { principals: ["slack:T1/U1"], verbs: ["*"], namespaces: ["payments", "shop"] },
      { principals: ["slack:T1/U3", "slack:T1/U4"], verbs: ["*"], namespaces: ["payments"] },
      { principals: ["slack:T1/U4"], verbs: ["status"], namespaces: ["shop"] },
    ],
    people: [],
  } as const;
  desk = await startUndoDesk({ settings: { access, rollbackApprovals: 0 } });
});
afterAll(() => desk.close());

describe("An undo of several namespaces", () => {
  let undo: string;
  beforeEach(async () => {
    await desk.change("hidden", open, { namespace: "shop" });
    await desk.change("web", open);
    const done = await desk.roll("rollback --since 1m");
    expect(done.headline).toMatch(/^Rolled back: 2 of 2 policies/);
    undo = done.operation ?? "";
  });

  test("is not there for whoever does not see all of them", async () => {
    const typed = [`rollback ${undo}`, `rollback ${undo} --dry-run`, `approve ${undo} --dry-run`, `deny ${undo}`];
    for (const text of typed) {
      const reply = await desk.type(text, carol);
      expect(reply.outcome).toBe("refused");
      expect(wordsIn(reply)).toContain(`here is no operation ${undo}`);
      expect(wordsIn(reply)).not.toMatch(/shop|hidden/);
    }
    expect(wordsIn(await desk.press("show", undo, { principal: carol }))).not.toMatch(/shop|hidden/);
    expect(wordsIn(await desk.type("status", carol))).not.toContain(undo);
    // What she typed herself was refused, and she may know that.
    expect(wordsIn(await desk.type("audit", carol))).not.toMatch(/Rolled back|shop|hidden/);
    expect(wordsIn(await desk.type("audit"))).toContain("Rolled back: 2 of 2 policies");
  });

  test("is refused before it is planned to whoever may not roll back in all of them", async () => {
    // What would be told of it where it is planned: that it was changed since, and by whom.
    await desk.change("hidden", narrow, { namespace: "shop", by: "jane" });
    for (const text of [`rollback ${undo}`, `rollback ${undo} --dry-run`, `rollback ${undo} --later-too`]) {
      const reply = await desk.type(text, dave);
      expect(wordsIn(reply)).toContain("lets slack:T1/U4 rollback in namespace shop");
      expect(wordsIn(reply)).not.toMatch(/hidden|jane/);
    }
    await desk.change("hidden", undefined, { namespace: "shop" });
  });
});

test("What was changed where one may not roll back is answered as what never was", async () => {
  await desk.change("was-here", open, { namespace: "shop" });
  const answers = ["was-here", "never", "was-here --dry-run"].map((what) => desk.type(`rollback shop/${what}`, carol));
  const [there, never, dry] = (await Promise.all(answers)).map(wordsIn);
  expect(there).toContain("lets slack:T1/U3 rollback in namespace shop");
  expect(never).toBe(there);
  expect(dry).toBe(there);
  const set = (await Promise.all(["--since 1h", ""].map((what) => desk.type(`rollback shop ${what}`, carol)))).map(
    wordsIn,
  );
  expect(set).toEqual([there, there]);
});

test("A change is found by its policy too: an id alone may be that of another one", async () => {
  const meant = await desk.change("meant", open);
  const other = { ...meant, namespace: "shop", name: "other" };
  const elsewhere = { ...meant, cluster: "other" };
  const history: History = { ...desk.history, find: () => Promise.resolve([other, elsewhere, meant]) };
  const { cluster } = desk.services.clusters.get("sandbox")!;
  const facts = await gatherUndo(history, cluster, [{ revision: meant.id, policy: lineageOf(meant) }]);
  expect(isRefusal(facts) ? facts : facts.changes).toEqual([meant]);
});

test("A policy of the whole cluster is named by a slash before its name, by who may in all namespaces", async () => {
  const refusedFor = "lets slack:T1/U3 rollback in all namespaces";
  expect(wordsIn(await desk.type("rollback /wide", carol))).toContain(refusedFor);
  expect(wordsIn(await desk.type("rollback sandbox:/networkpolicy/wide --dry-run", carol))).toContain(refusedFor);
  const access = { rules: [{ principals: ["slack:T1/U3"], verbs: ["*"], namespaces: ["*"] }], people: [] } as const;
  const image = { apiVersion: "cilium.io/v2", kind: "CiliumClusterwideNetworkPolicy" } as const;
  const metadata = { name: "wide", uid: "wide", resourceVersion: "9000000" };
  const object = { ...image, metadata, spec: { endpointSelector: {}, ingress: [] } };
  await desk.history.saw([
    { kind: "there", cluster: "sandbox", object, previous: undefined, continuous: true, at: desk.services.now() },
  ]);
  const services = { ...desk.services, settings: { ...desk.services.settings, access } };
  const what = { kind: "policy", cluster: undefined, namespace: "", of: undefined, name: "wide" } as const;
  const request = { principal: carol, channel: "C1" } as Context["request"];
  const asked = await askedRevisions({ services, request, outlet: desk.outlet }, what);
  expect(asked).toMatchObject({
    asked: [{ policy: "sandbox cilium.io/CiliumClusterwideNetworkPolicy /wide" }],
    target: { cluster: "sandbox", namespace: "" },
  });
});

test("The last change that may be undone is picked by what is proven of it, however many are before it", async () => {
  const change = await desk.change("claimed", open);
  const claim = { kind: "operation", operation: "q-1234567", by: undefined, claimed: true } as const;
  const all = Array.from({ length: 1_000 }, (_, index) => ({ ...change, id: `v-${index}`, authors: [claim] }));
  const asked: string[] = [];
  const history = proven(
    { ...desk.history, list: ({ limit }) => Promise.resolve(all.slice(0, limit)) },
    { get: (id) => Promise.resolve(void asked.push(id)) },
  );
  const which = ({ id }: { readonly id: string }) => asked.length > 0 && id === "v-900";
  expect(await history.list({ which, limit: 1 })).toMatchObject([{ id: "v-900" }]);
  expect(await history.list({ which: () => false, limit: 1 })).toEqual([]);
});
