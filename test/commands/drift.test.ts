import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDriftWatch, type DriftWatch } from "../../src/commands/drift-watch.ts";
import { createDesk } from "../../src/commands/run.ts";
import { clusterOf } from "../../src/commands/services.ts";
import { marks } from "../../src/policy/marks.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let watches: readonly DriftWatch[];
let pods = 0;
let pod: string;
let operation: string;
let driftRestores = 0;

beforeAll(async () => {
  desk = await startDesk({ watch: true });
  desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
  // As three replicas have one each.
  const services = {
    ...desk.services,
    get settings() {
      return { ...desk.services.settings, driftRestores };
    },
  };
  watches = [1, 2, 3].map(() => createDriftWatch({ services, outletFor: () => desk.outlet, gatherMs: 20 }));
});

afterAll(async () => {
  await Promise.all(watches.map((watch) => watch.stop()));
  await desk.close();
});

beforeEach(async () => {
  pods += 1;
  pod = `checkout-${pods}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, namespace: "payments", labels: { app: "checkout", tier: "web" } },
    spec: { containers: [{ name: "main", image: "x" }] },
    status: { phase: "Running", podIP: `10.1.0.${pods}` },
  });
  applyPolicy("allow-web", { podSelector: { matchLabels: { tier: "web" } }, policyTypes: ["Ingress"], ingress: [{}] });
  operation = (await desk.type(`quarantine payments/${pod} --confirm ${pod}`)).operation ?? "";
  const done = await desk.press("confirm", operation);
  expect(done.headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
});

afterEach(async () => {
  await desk.press("confirm", (await desk.type(`release ${operation}`)).operation);
  await Promise.all(desk.sandbox.objects("NetworkPolicy", "payments").map(({ metadata }) => remove(metadata.name)));
  expect(desk.events.filter(({ kind }) => kind === "error")).toEqual([]);
});

describe("What somebody else did to a quarantine", () => {
  test("A deny that was deleted is told once by three replicas, and comes back by Restore", async () => {
    await remove(`bulkhead-${operation}`);
    await told("object-deleted");
    const shown = await card();
    expect(shown).toMatchObject({ tone: "bad", outcome: "not-isolated" });
    expect(shown.headline).toBe(`NOT ISOLATED: NetworkPolicy payments/bulkhead-${operation} is gone (payments/${pod})`);
    expect(shown.buttons.map(({ action }) => action)).toEqual(["restore", "accept", "release"]);
    expect(messages(/^NOT ISOLATED as it was/)).toBe(1);
    expect(wordsIn(await desk.type("status payments"))).toContain("in-force, DRIFT (1): NetworkPolicy payments");
    expect(await entries()).toEqual([expect.stringMatching(/is gone since .*, by whom is not known\.$/)]);
    await desk.press("restore", operation);
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${operation}`)?.metadata.labels).toMatchObject({
      [marks.operation]: operation,
    });
    await told("object-deleted", "restored");
    expect((await card()).headline).toMatch(/^ISOLATED FOR NEW CONNECTIONS/);
    expect(messages(/^As it was again/)).toBe(1);
    expect(await entries()).toHaveLength(2);
  });

  test("A deny whose spec and marks were changed has both again after Restore, and what others put beside them", async () => {
    const { spec } = stored(desk.sandbox, "NetworkPolicy", `bulkhead-${operation}`) as unknown as { spec: object };
    await patch(`bulkhead-${operation}`, [
      { op: "add", path: "/spec/ingress", value: [{}] },
      { op: "remove", path: "/metadata/labels/bulkhead.dev~1operation" },
      { op: "add", path: "/metadata/labels/team", value: "red" },
    ]);
    await told("object-changed");
    await told("marks-off");
    expect(wordsIn(await card())).toContain("lacks what Bulkhead finds it by: bulkhead.dev/operation");
    await desk.press("restore", operation);
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${operation}`)).toMatchObject({
      spec,
      metadata: { labels: { [marks.operation]: operation, team: "red" } },
    });
  });

  test("A label that was taken off, and labels that came back, are put as the plan had them", async () => {
    await patchPod([
      { op: "remove", path: "/metadata/labels/bulkhead.dev~1quarantine" },
      { op: "add", path: "/metadata/labels/tier", value: "web" },
    ]);
    await told("label-off");
    await told("labels-back");
    expect((await card()).headline).toContain("NOT ISOLATED: the label bulkhead.dev/quarantine was taken off");
    await desk.press("restore", operation);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({
      app: "checkout",
      [marks.quarantine]: operation,
    });
    await told("labels-back", "restored");
  });

  test("A new policy that re-opens it is named, Accept tells it no more, and its end is on the card", async () => {
    applyPolicy("open-all", { podSelector: {}, policyTypes: ["Egress"], egress: [{}] });
    await told("re-opened");
    const shown = await card();
    expect(shown.headline).toMatch(/^NOT ISOLATED: policy open-all still lets it out/);
    expect(wordsIn(shown)).toContain("by the program kubectl-client-side-apply");
    expect(shown.buttons.map(({ action }) => action)).toEqual(["accept", "release"]);
    expect(await desk.press("accept", operation, { principal: bob })).toMatchObject({ outcome: "refused" });
    const accepted = await desk.press("accept", operation);
    expect(accepted.headline).toMatch(/^NOT ISOLATED/);
    expect(wordsIn(accepted)).toContain("accepted by alice");
    expect(accepted.buttons.map(({ action }) => action)).toEqual(["release"]);
    const listed = await desk.type("drift payments", bob);
    expect(listed.headline).toBe("Drift in payments: 1 operation not as held");
    expect(wordsIn(listed)).toMatch(/open-all .*accepted by alice/);
    expect((await desk.type("drift shop", bob)).outcome).toBe("refused");
    await watches[0]?.sweep();
    expect(messages(/^NOT ISOLATED as it was/)).toBe(1);
    await remove("open-all");
    await waitFor(async () => (await records()).some(({ state }) => state === "gone"));
    expect(wordsIn(await card())).toContain("that was over at");
  });

  test("/np drift reads no namespace that was not asked for or may not be seen, and tells none of its troubles", async () => {
    const entry = desk.services.clusters.get("sandbox")!;
    const asked = new Set<string>();
    const listPods: typeof entry.cluster.listPods = (namespace, selector) => {
      asked.add(namespace);
      if (namespace === "shop") throw new Error("the shop has troubles");
      return entry.cluster.listPods(namespace, selector);
    };
    const clusters = new Map([["sandbox", { ...entry, cluster: { ...entry.cluster, listPods } }]]);
    const shop = await quarantineInShop();
    const narrow = createDesk({ ...desk.services, clusters });
    const say = (text: string, who?: typeof bob) => narrow.run(desk.request(text, who), desk.outlet);
    expect((await say("drift", bob)).headline).toBe("No drift");
    expect((await say("drift payments")).headline).toBe("No drift in payments");
    expect([...asked]).toEqual(["payments"]);
    expect(wordsIn(await say("drift"))).toContain("the shop has troubles");
    await desk.press("confirm", (await desk.type(`release ${shop}`)).operation);
  });

  test("What comes back is put back as often as configured, and then it is said who fights and how often", async () => {
    driftRestores = 2;
    for (const time of [1, 2, 3]) {
      await patch(`bulkhead-${operation}`, [{ op: "add", path: "/spec/egress", value: [{}] }]);
      await waitFor(async () => {
        const [only] = await records();
        return only?.times === time && only.toldAt !== undefined && only.state === (time < 3 ? "restored" : "open");
      });
    }
    driftRestores = 0;
    const shown = await card();
    expect(shown.headline).toMatch(/^NOT ISOLATED/);
    expect(wordsIn(shown)).toMatch(/for the 3rd time, by whom is not known\. Bulkhead put it back by itself 2 times/);
    expect(await entries()).toHaveLength(5);
    const { actor, verb } = (await desk.services.audit.read({ operation })).find((one) => one.verb === "restore") ?? {};
    expect({ actor, verb }).toEqual({ actor: { kind: "scheduler" }, verb: "restore" });
  });

  test("What a release that runs at this moment takes away is no drift", async () => {
    const { operations } = desk.services;
    const { operation: id = "" } = await desk.type(`release ${operation}`);
    const planned = (await operations.get(id))!;
    const running = (await operations.replace({ ...planned, state: "running" }))!;
    await operations.replace({ ...(await operations.get(operation))!, releasing: id });
    await remove(`bulkhead-${operation}`);
    await Promise.all(watches.map((watch) => watch.sweep()));
    expect(await records()).toEqual([]);
    await operations.replace({ ...running, state: "cancelled" });
    await Promise.all(watches.map((watch) => watch.sweep()));
    await told("object-deleted");
  });

  test("A release, its quarantine and their own writes are no drift", async () => {
    const release = await desk.type(`release ${operation}`);
    await desk.press("confirm", release.operation);
    await Promise.all(watches.map((watch) => watch.sweep()));
    expect(await records()).toEqual([]);
    expect(await desk.type("drift")).toMatchObject({ headline: "No drift" });
  });
});

const records = async () => (await desk.services.operations.get(operation))?.drift?.records ?? [];
const card = () => desk.press("show", operation);

async function quarantineInShop(): Promise<string> {
  desk.sandbox.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "till", namespace: "shop", labels: { app: "till" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: "10.2.0.1" },
    },
  );
  const { operation: id = "" } = await desk.type("quarantine shop/till --confirm till");
  await desk.press("confirm", id);
  return id;
}

/** Until somebody was told that it stands so. */
async function told(kind: string, state = "open"): Promise<void> {
  await waitFor(async () =>
    (await records()).some((one) => one.kind === kind && one.state === state && one.toldAt !== undefined),
  );
}

/** How many messages of their own said so of this operation. */
function messages(headline: RegExp): number {
  const of = desk.shown.filter(({ reply }) => reply.headline.includes(operation) && headline.test(reply.headline));
  return of.length;
}

async function entries(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await desk.services.audit.read({ operation }))
    if (entry.kind === "drift") found.push(entry.summary);
  return found;
}

function cluster() {
  return clusterOf(desk.services, "sandbox").cluster;
}

async function remove(name: string): Promise<void> {
  const reference = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "payments", name },
  };
  const { uid = "", resourceVersion = "" } = (await cluster().getObject(reference))?.metadata ?? {};
  await cluster().deleteObject(reference, { uid, resourceVersion });
}

type Patch = Parameters<ReturnType<typeof cluster>["patchPod"]>[2];

async function patch(name: string, operations: Patch): Promise<void> {
  expect(await cluster().patchPolicy("payments", name, operations)).toMatchObject({ kind: "patched" });
}

async function patchPod(operations: Patch): Promise<void> {
  expect(await cluster().patchPod("payments", pod, operations)).toMatchObject({ kind: "patched" });
}

function applyPolicy(name: string, spec: object): void {
  desk.sandbox.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "payments" },
    spec,
  });
}
