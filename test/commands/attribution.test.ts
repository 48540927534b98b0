import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import { createCluster } from "../../src/kubernetes/cluster.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import { fieldManagers, marks } from "../../src/policy/marks.ts";
import type { Revision } from "../../src/policy/revision.ts";
import { waitFor } from "../wait.ts";
import { wordsIn } from "./desk.ts";
import { confirmAll, narrow, open, shut, startUndoDesk, type UndoDesk } from "./undo-world.ts";

let desk: UndoDesk;
beforeAll(async () => {
  desk = await startUndoDesk();
});
afterAll(() => desk.close());

const path = "/apis/networking.k8s.io/v1/namespaces/payments/networkpolicies";

beforeEach(async () => {
  for (const { metadata } of desk.sandbox.objects("NetworkPolicy", "payments"))
    await desk.send("DELETE", `${path}/${metadata.name}`);
});

/** Once it is told whose it is. */
async function newest(name: string, change: Revision["change"], isKnown: (one: Revision) => boolean = () => true) {
  const found = await waitFor(async () => {
    const [one] = await desk.history.list({ namespace: "payments", name, limit: 1 });
    return one?.change === change && isKnown(one) ? one : undefined;
  });
  return found!;
}

const isOurs = ({ authors: [first] }: Revision): boolean => first?.kind === "operation" && first.claimed === undefined;

/** Whoever may write policies may write this. */
async function forge(name: string, operation: string): Promise<Revision> {
  const metadata = {
    name,
    labels: { [marks.operation]: operation, [marks.kind]: "quarantine" },
    annotations: { [marks.principal]: "slack:T1/U1" },
  };
  const body = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: open };
  await desk.send("POST", `${path}?fieldManager=${fieldManagers.objects}`, body);
  return newest(name, "created");
}

test("What is proven is found where it was asked for", async () => {
  const change = await desk.change("asked", narrow);
  expect(await desk.history.find(change.id, () => false)).toEqual([]);
});

describe("A policy that somebody made look like Bulkhead's", () => {
  test("is shown as what it claims, below the user whom the API server names, and is undone like any other", async () => {
    const forged = await forge("fake", "q-1234567");
    const { uid, resourceVersion } = forged;
    const mallory = { kind: "user", user: "mallory", groups: [] } as const;
    expect(forged.authors).toMatchObject([{ kind: "operation", claimed: true }]);
    expect(wordsIn(await desk.type(`rollback ${forged.id}`))).toContain("somebody who claims to be");
    await desk.history.attribute({ cluster: "sandbox", uid, resourceVersion, author: mallory });
    const [seen] = await desk.history.find(forged.id);
    expect(seen?.authors).toMatchObject([mallory, { kind: "operation", claimed: true }]);
    const plan = await desk.type("rollback payments");
    expect(wordsIn(plan)).toContain("delete NetworkPolicy payments/fake");
    expect(wordsIn(plan)).toContain("mallory");
    expect((await confirmAll(desk, plan)).headline).toMatch(/^Rolled back/);
  });

  test("by its name alone, or under the id of an operation that is in force, is undone like any other, too", async () => {
    const quarantine = await desk.roll("quarantine payments/checkout-1");
    for (const [name, operation] of [
      ["bulkhead-q-0000000-x", "q-0000000"],
      [`bulkhead-${quarantine.operation}-x`, quarantine.operation!],
    ] as const) {
      const forged = await forge(name, operation);
      expect(wordsIn(await desk.type(`rollback ${forged.id}`))).toContain(`delete NetworkPolicy payments/${name}`);
      expect(wordsIn(await desk.type("rollback payments"))).toContain(`delete NetworkPolicy payments/${name}`);
      await desk.send("DELETE", `${path}/${name}`);
      await newest(name, "deleted");
    }
    await desk.roll(`release ${quarantine.operation}`);
  });
});

test("What a quarantine wrote is of its operation, and so is its end, and neither is ever the last change", async () => {
  await desk.change("web-1", narrow, { by: "jane" });
  const { operation = "" } = await desk.roll("quarantine payments/checkout-1");
  const name = `bulkhead-${operation}`;
  const made = await newest(name, "created", isOurs);
  expect(made).toMatchObject({ owner: operation, authors: [{ kind: "operation", operation }] });
  expect(wordsIn(await desk.type(`rollback ${made.id}`))).toContain(
    `is of ${operation}, and is undone by undoing that`,
  );
  expect(wordsIn(await desk.type("rollback payments"))).toContain("NetworkPolicy payments/web-1");
  await desk.roll(`release ${operation}`);
  const gone = await newest(name, "deleted", isOurs);
  expect(gone).toMatchObject({ owner: operation, authors: [{ kind: "operation", operation }] });
  expect(wordsIn(await desk.type("rollback payments"))).toContain("NetworkPolicy payments/web-1");
});

test("What could not be told of it is proven by the plan of its operation", async () => {
  const source = { kind: "text", text: desk.sandbox.kubeconfig } as const;
  const connection = createConnection({ source, now: Date.now });
  const silent = await createCluster("sandbox", connection, { now: Date.now, watch: false });
  try {
    const clusters = new Map([["sandbox", { cluster: silent, enforcement: "enforced" as const }]]);
    const mute = createDesk({ ...desk.services, clusters });
    const planned = await desk.type("quarantine payments/checkout-1");
    const press = { ...desk.request(""), action: "confirm", operation: planned.operation ?? "", card: undefined };
    const first = await mute.press(press, desk.outlet);
    if (first.headline.startsWith("Confirm once more"))
      await mute.press({ ...press, action: "confirm-again" }, desk.outlet);
    const made = await newest(`bulkhead-${planned.operation}`, "created");
    expect(made.owner).toBe(planned.operation);
    expect(made.authors).toEqual([
      { kind: "operation", operation: planned.operation, by: expect.objectContaining({ user: "U1" }) },
    ]);
    await desk.roll(`release ${planned.operation}`);
  } finally {
    await connection.close();
  }
});

test("A policy of somebody else that a quarantine changed, and changed back, is of that quarantine", async () => {
  await desk.change("web-3", narrow, { by: "jane" });
  await desk.change("other-3", shut, { by: "jane" });
  const { operation = "" } = await desk.roll("quarantine payments/checkout-1 --change-policies");
  const excluded = await newest("web-3", "changed", isOurs);
  expect(excluded.authors).toMatchObject([{ kind: "operation", operation }, { kind: "manager" }]);
  expect(wordsIn(await desk.type("rollback payments"))).toContain("delete NetworkPolicy payments/other-3");
  await desk.roll(`release ${operation}`);
  const included = await newest("web-3", "changed", (one) => one.id !== excluded.id && isOurs(one));
  expect(included.after?.spec).toEqual(narrow);
  expect(wordsIn(await desk.type("rollback payments"))).toContain("delete NetworkPolicy payments/other-3");
});

test("What the canary makes and deletes is nobody's last change", async () => {
  const change = await desk.change("web-4", narrow, { by: "jane" });
  const { cluster } = desk.services.clusters.get("sandbox")!;
  const metadata = {
    name: "bulkhead-v-0a1b2c3-0-ingress",
    namespace: "payments",
    labels: { [marks.operation]: "v-0a1b2c3", [marks.kind]: "canary" },
  };
  const created = await cluster.createObject({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: narrow,
  });
  await newest(metadata.name, "created", isOurs);
  const { uid = "", resourceVersion = "" } = created.object.metadata;
  await cluster.deleteObject(created.object, { uid, resourceVersion });
  await newest(metadata.name, "deleted", isOurs);
  expect(wordsIn(await desk.type("rollback payments"))).toContain(change.id);
});
