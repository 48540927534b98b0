import { afterAll, beforeAll, expect, test } from "vitest";
import { createDesk } from "../../src/commands/run.ts";
import { marks } from "../../src/policy/marks.ts";
import { startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let count = 0;

beforeAll(async () => {
  desk = await startDesk();
  for (const name of ["payments", "shop"])
    desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
});

afterAll(() => desk.close());

const allowAll = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };
const without = { matchExpressions: [{ key: marks.quarantine, operator: "DoesNotExist" }] };

/** A bare pod in a namespace whose policy `allow-all` selects every pod. */
function aPod(): string {
  const name = `checkout-${++count}`;
  const meta = (of: string) => ({ name: of, namespace: "payments" });
  desk.sandbox.apply(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...meta(name), labels: { app: "checkout" } },
      spec: { containers: [{ name: "main", image: "x" }] },
      status: { phase: "Running", podIP: `10.1.0.${count}` },
    },
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: meta("allow-all"), spec: allowAll },
  );
  return name;
}

function selector(): unknown {
  const spec = stored(desk.sandbox, "NetworkPolicy", "allow-all")?.["spec"] as typeof allowAll | undefined;
  return spec?.podSelector;
}

async function quarantined(pod: string): Promise<string> {
  const plan = await desk.type(`quarantine payments/${pod} --change-policies`);
  await desk.press("confirm", plan.operation);
  const done = await desk.press("confirm-again", plan.operation);
  expect(done.headline).toContain("ISOLATED FOR NEW CONNECTIONS");
  return plan.operation ?? "";
}

async function released(quarantine: string) {
  const release = await desk.type(`release ${quarantine}`);
  return desk.press("confirm", release.operation);
}

test("A policy of somebody else's is changed after two confirmations of what is shown, and is back after the release", async () => {
  const pod = aPod();
  const plan = await desk.type(`quarantine payments/${pod} --change-policies`);
  expect(wordsIn(plan)).toContain("Change to NetworkPolicy payments/allow-all, which is not Bulkhead's");
  expect(wordsIn(plan)).toContain("DoesNotExist");
  expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "needs-confirmation" });
  expect(selector()).toEqual({});
  const done = await desk.press("confirm-again", plan.operation);
  expect(done).toMatchObject({ outcome: "ok", headline: `ISOLATED FOR NEW CONNECTIONS (payments/${pod})` });
  expect(selector()).toEqual(without);
  expect(await released(plan.operation ?? "")).toMatchObject({ headline: `Released: payments/${pod}` });
  expect(selector()).toEqual({});
});

test("What somebody changed since is left as it is at the release, and that is said", async () => {
  const pod = aPod();
  const q = await quarantined(pod);
  const theirs = { ...allowAll, podSelector: { matchLabels: { theirs: "now" } } };
  const metadata = { name: "allow-all", namespace: "payments" };
  desk.sandbox.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: theirs });
  const done = await released(q);
  expect(done.headline).toBe(`Released: payments/${pod}, but not exactly`);
  expect(wordsIn(done)).toContain("NetworkPolicy payments/allow-all was changed by somebody since");
  expect(selector()).toEqual(theirs.podSelector);
});

test("A release does not open another quarantined pod, whose quarantine relies on the change (invariant 13)", async () => {
  const [first, second] = [aPod(), aPod()];
  const q = await quarantined(first);
  const other = await desk.type(`quarantine payments/${second}`);
  expect(await desk.press("confirm", other.operation)).toMatchObject({ outcome: "ok" });
  const done = await released(q);
  expect(wordsIn(done)).toContain(`it would let ${second} talk`);
  expect(selector()).toEqual(without);
});

test("No policy lets the pod go where the deny is gone by then (invariant 6)", async () => {
  const pod = aPod();
  const { operation = "" } = await desk.type(`quarantine payments/${pod} --change-policies`);
  await desk.press("confirm", operation);
  const [entry] = desk.services.clusters.values();
  const reference = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
  const deny = { ...reference, metadata: { namespace: "payments", name: `bulkhead-${operation}` } };
  const wait = async () => {
    const { uid = "", resourceVersion = "" } = (await entry?.cluster.getObject(deny))?.metadata ?? {};
    await entry?.cluster.deleteObject(deny, { uid, resourceVersion });
  };
  const press = { ...desk.request(""), action: "confirm-again", operation, card: undefined };
  const done = await createDesk({ ...desk.services, wait }).press(press, desk.outlet);
  expect(done).toMatchObject({ outcome: "failed", headline: expect.stringContaining("is gone again") });
  expect(selector()).toEqual({});
});

test("A plan whose policy was changed since is not carried out, and is shown anew", async () => {
  const pod = aPod();
  const plan = await desk.type(`quarantine payments/${pod} --change-policies`);
  const metadata = { name: "allow-all", namespace: "payments" };
  const theirs = { ...allowAll, podSelector: { matchExpressions: [{ key: "x", operator: "DoesNotExist" }] } };
  desk.sandbox.apply({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: theirs });
  expect(wordsIn(await desk.press("confirm", plan.operation))).toContain(
    "The cluster changed since this plan was shown",
  );
  expect(selector()).toEqual(theirs.podSelector);
});
