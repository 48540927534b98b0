import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { marks } from "../../src/policy/marks.ts";
import { waitFor } from "../wait.ts";
import { bob, startDesk, stored, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;
let count = 0;

beforeAll(async () => {
  desk = await startDesk();
  desk.sandbox.apply(
    namespace("payments"),
    namespace("shop"),
    namespace("bulkhead"),
    namespace("kube-system"),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "checkout", namespace: "payments" },
      spec: { selector: { app: "checkout" }, ports: [{ port: 80 }] },
    },
    another,
  );
});

/** Stays ready behind the Service, so that no other pod is its last. */
const another = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "another", namespace: "payments", labels: { app: "checkout" } },
  spec: { containers: [{ name: "main", image: "x" }] },
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
};

afterAll(() => desk.close());

beforeEach(() => {
  desk.shown.length = 0;
});

function namespace(name: string): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

/** The pod that a controller of that kind starts. */
async function podOf(kind: "StatefulSet" | "Job"): Promise<string> {
  const labels = { owned: `${kind}-${++count}` };
  const template = {
    metadata: { labels },
    spec: { restartPolicy: kind === "Job" ? "Never" : "Always", containers: [{ name: "main", image: "x" }] },
  };
  const name = `owner-${count}`;
  const spec =
    kind === "Job" ? { template } : { serviceName: "x", replicas: 1, selector: { matchLabels: labels }, template };
  desk.sandbox.apply({
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name, namespace: "payments" },
    spec,
  });
  const pod = () =>
    desk.sandbox.objects("Pod", "payments").find(({ metadata }) => metadata.labels?.["owned"] === labels.owned);
  await waitFor(() => pod() !== undefined);
  return pod()?.metadata.name ?? "";
}

/** A bare running pod with a name of its own, behind Service checkout. */
function aPod(
  changes: {
    spec?: object;
    status?: object;
    labels?: Record<string, string>;
    name?: string;
    namespace?: string;
    annotations?: object;
  } = {},
): string {
  const name = changes.name ?? `checkout-${++count}`;
  desk.sandbox.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: changes.namespace ?? "payments",
      labels: changes.labels ?? { app: "checkout", team: "core" },
      ...(changes.annotations === undefined ? {} : { annotations: changes.annotations }),
    },
    spec: { containers: [{ name: "main", image: "x" }], ...changes.spec },
    status: { phase: "Running", podIP: "10.1.0.9", conditions: [{ type: "Ready", status: "True" }], ...changes.status },
  });
  return name;
}

describe("quarantine", () => {
  test("shows a plan and writes nothing before Confirm", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod} odd traffic`);
    expect(plan).toMatchObject({
      shape: "card",
      outcome: "needs-confirmation",
      headline: `Plan: quarantine payments/${pod}`,
    });
    expect(wordsIn(plan)).toMatch(/Service checkout/);
    expect(wordsIn(plan)).toMatch(/labels off the pod: app/);
    expect(desk.sandbox.objects("NetworkPolicy", "payments")).toEqual([]);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ app: "checkout", team: "core" });
  });

  test("leaves the pod with its Services and controller where that is asked, and says what they do with it", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod} --no-detach`);
    expect(wordsIn(plan)).toContain("Service checkout keeps the pod and sends it connections that fail");
    expect(wordsIn(plan)).toContain("no label comes off");
    const done = await desk.press("confirm", plan.operation);
    expect(done.outcome).toBe("ok");
    const during = { app: "checkout", team: "core", [marks.quarantine]: plan.operation };
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual(during);
    const release = await desk.type(`release ${plan.operation}`);
    expect((await desk.press("confirm", release.operation)).headline).toBe(`Released: payments/${pod}`);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ app: "checkout", team: "core" });
  });

  test("isolates on Confirm: deny policy, quarantine label, selecting labels off, others kept", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod} odd traffic`);
    const done = await desk.press("confirm", plan.operation);
    expect(done.headline).toBe(`ISOLATED FOR NEW CONNECTIONS (payments/${pod})`);
    expect(done.outcome).toBe("ok");
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({
      team: "core",
      [marks.quarantine]: plan.operation,
    });
    const policy = stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`);
    expect(policy).toMatchObject({
      metadata: {
        labels: { [marks.operation]: plan.operation, [marks.kind]: "quarantine" },
        annotations: { [marks.reason]: "odd traffic" },
      },
      spec: {
        podSelector: { matchLabels: { [marks.quarantine]: plan.operation } },
        policyTypes: ["Ingress", "Egress"],
      },
    });
    expect(policy?.["spec"]).not.toHaveProperty("ingress");
    expect(wordsIn(done)).toMatch(/labels off: .* after the command, .* after Confirm/);
    expect(wordsIn(done)).toMatch(/audit #\d+/);
  });

  test("the intent is in the audit before the outcome, with the snapshot and its hash (invariant 1)", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const entries = await desk.services.audit.read({ operation: plan.operation ?? "" });
    expect(entries.map(({ kind }) => kind)).toEqual(["intent", "outcome"]);
    expect(entries[0]?.detail).toMatchObject({
      labelsBefore: { app: "checkout", team: "core" },
      snapshotHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(entries[1]).toMatchObject({ ok: true, detail: { verdict: "isolated" } });
  });

  test("release restores the labels exactly, removes what is ours and says so on both cards (invariant 12)", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const release = await desk.type(`release ${plan.operation}`);
    expect(release).toMatchObject({ outcome: "needs-confirmation" });
    const done = await desk.press("confirm", release.operation);
    expect(done).toMatchObject({ outcome: "ok", headline: `Released: payments/${pod}` });
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ app: "checkout", team: "core" });
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
    expect(await desk.services.operations.get(plan.operation ?? "")).toMatchObject({
      state: "done",
      liftedBy: release.operation,
    });
    expect(
      desk.shown.some(
        ({ reply }) =>
          reply.operation === plan.operation && reply.headline.startsWith(`Released by ${release.operation}`),
      ),
    ).toBe(true);
  });

  test("a pod without any label is quarantined and released to having none", async () => {
    const pod = aPod({ labels: {} });
    const plan = await desk.type(`quarantine payments/${pod}`);
    expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ [marks.quarantine]: plan.operation });
    const release = await desk.type(`release payments/${pod}`);
    await desk.press("confirm", release.operation);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels ?? {}).toEqual({});
  });

  test("labels that others added meanwhile stay, and are named", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const object = stored(desk.sandbox, "Pod", pod);
    desk.sandbox.apply({
      ...object,
      metadata: { ...object?.metadata, labels: { ...object?.metadata.labels, investigator: "jane" } },
    });
    const release = await desk.type(`release ${plan.operation}`);
    expect(wordsIn(release)).toMatch(/others added since stay: investigator/);
    const done = await desk.press("confirm", release.operation);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({
      app: "checkout",
      team: "core",
      investigator: "jane",
    });
    expect(wordsIn(done)).toMatch(/investigator beside them/);
  });

  test("an altered snapshot on the policy is not trusted: the audit's copy is used, and it is said", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const policy = stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`);
    const annotations = { ...policy?.metadata.annotations, [marks.snapshot]: '{"app":"evil"}' };
    desk.sandbox.apply({ ...policy, metadata: { ...policy?.metadata, annotations } });
    const release = await desk.type(`release ${plan.operation}`);
    expect(wordsIn(release)).toMatch(/was altered; the audit's is used/);
    await desk.press("confirm", release.operation);
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ app: "checkout", team: "core" });
  });

  test("release --delete-pod deletes the pod, by uid, and then the policy", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const release = await desk.type(`release ${plan.operation} --delete-pod`);
    expect(await desk.press("confirm", release.operation)).toMatchObject({ outcome: "ok" });
    expect(stored(desk.sandbox, "Pod", pod)).toBeUndefined();
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
  });

  test("release cleans up where the pod is gone, even if another one bears its name", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    await desk.services.clusters
      .get("sandbox")
      ?.cluster.deletePod("payments", pod, String(stored(desk.sandbox, "Pod", pod)?.metadata.uid));
    aPod({ name: pod });
    const release = await desk.type(`release ${plan.operation}`);
    expect(wordsIn(release)).toMatch(/The pod is gone/);
    expect(await desk.press("confirm", release.operation)).toMatchObject({ outcome: "ok" });
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).toEqual({ app: "checkout", team: "core" });
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
  });

  test("a second call on the same pod returns the existing operation", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await desk.press("confirm", plan.operation);
    const again = await desk.type(`quarantine payments/${pod}`);
    expect(again.headline).toContain(`Already quarantined by ${plan.operation}`);
    expect(
      desk.sandbox
        .objects("NetworkPolicy", "payments")
        .filter(({ metadata }) => String(metadata.annotations?.[marks.pod]).startsWith(`${pod} `)),
    ).toHaveLength(1);
  });

  test("of two plans for one pod, the second Confirm says who was first and leaves nothing", async () => {
    const pod = aPod();
    const [one, two] = [await desk.type(`quarantine payments/${pod}`), await desk.type(`quarantine payments/${pod}`)];
    await desk.press("confirm", one.operation);
    const late = await desk.press("confirm", two.operation);
    expect(wordsIn(late)).toContain(one.operation);
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${two.operation}`)).toBeUndefined();
  });

  test("the beginning of a name is enough where it is unique, and is echoed in full", async () => {
    const pod = aPod({ name: "unique-name-7d9f-xyz" });
    const plan = await desk.type("quarantine payments/unique-na");
    expect(plan.headline).toBe(`Plan: quarantine payments/${pod}`);
  });

  test("half a character in a reason or in a name neither stops a quarantine nor keeps a refusal out of the audit", async () => {
    const half = { kind: "slack", enterprise: undefined, team: "T1", user: "U1", displayName: "al\ud83d" } as const;
    const plan = await desk.type(`quarantine payments/${aPod()} odd \ud83d traffic`, half);
    expect(await desk.press("confirm", plan.operation, { principal: half })).toMatchObject({ outcome: "ok" });
    await desk.type("quarantine db/postgres-0 \ud83d", { ...half, user: "U9" });
    const newest = (await desk.services.audit.read({ limit: 1 }))[0];
    expect(newest).toMatchObject({
      kind: "refusal",
      actor: { user: "U9" },
      command: "quarantine db/postgres-0 \ufffd",
    });
  });

  test("--dry-run gives the same plan, stores nothing and has no buttons", async () => {
    const pod = aPod();
    const dry = await desk.type(`quarantine payments/${pod} --dry-run`);
    expect(dry).toMatchObject({ shape: "note", outcome: "ok", buttons: [], operation: undefined });
    const plan = await desk.type(`quarantine payments/${pod}`);
    expect(plan.sections.slice(1).map(withoutIds)).toEqual(dry.sections.slice(1).map(withoutIds));
    expect((await desk.services.operations.list({})).filter(({ target }) => target.pod === pod)).toHaveLength(1);
  });

  test("drift voids a plan: what was confirmed is shown anew, and nothing is written (invariant 4)", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    const object = stored(desk.sandbox, "Pod", pod);
    desk.sandbox.apply({ ...object, metadata: { ...object?.metadata, labels: { app: "checkout", tier: "web" } } });
    const again = await desk.press("confirm", plan.operation);
    expect(again.outcome).toBe("needs-confirmation");
    expect(wordsIn(again)).toMatch(/changed since this plan was shown/);
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
    desk.pass(1_000);
    expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
  });

  test("the pod's own status does not void a plan", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    const object = stored(desk.sandbox, "Pod", pod);
    desk.sandbox.apply({ ...object, status: { ...(object?.["status"] as object), hostIP: "10.9.9.9" } });
    expect(await desk.press("confirm", plan.operation)).toMatchObject({ outcome: "ok" });
  });

  test.each(["StatefulSet", "Job"] as const)("a %s's pod needs a second confirmation", async (owner) => {
    const pod = await podOf(owner);
    const plan = await desk.type(`quarantine payments/${pod}`);
    const second = await desk.press("confirm", plan.operation);
    expect(second).toMatchObject({
      outcome: "needs-confirmation",
      headline: `Confirm once more: quarantine payments/${pod}`,
    });
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
    // A second click on the first button is not the second confirmation.
    expect(wordsIn(await desk.press("confirm", plan.operation))).toMatch(/past that already/);
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
    expect(await desk.press("confirm-again", plan.operation)).toMatchObject({ outcome: "ok" });
  });

  test("a policy with an empty selector is named, and the headline says NOT ISOLATED (invariant 5)", async () => {
    desk.sandbox.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "allow-dns", namespace: "shop" },
      spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{ ports: [{ protocol: "UDP", port: 53 }] }] },
    });
    const pod = aPod({ namespace: "shop" });
    const plan = await desk.type(`quarantine shop/${pod}`);
    expect(wordsIn(plan)).toMatch(/allow-dns: out to anywhere outside the cluster.* on UDP 53/);
    const done = await desk.press("confirm", plan.operation);
    expect(done).toMatchObject({
      outcome: "not-isolated",
      headline: expect.stringMatching(/^NOT ISOLATED: policy allow-dns still lets it out to .* on UDP 53 \(shop/),
    });
  });

  test("a plan is not voided by others that come and go, and is by a policy that leaves something open", async () => {
    const pod = aPod({ namespace: "shop" });
    const plan = await desk.type(`quarantine shop/${pod}`);
    aPod({ namespace: "payments", name: "newcomer-1", labels: { app: "newcomer" } });
    const metadata = { name: "one-more", namespace: "shop" };
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata };
    const { operation } = await desk.type(`quarantine shop/${aPod({ namespace: "shop" })}`);
    desk.sandbox.apply({ ...policy, spec: { podSelector: {}, ingress: [{ ports: [{ port: 81 }] }] } });
    expect(wordsIn(await desk.press("confirm", operation))).toContain("The cluster changed since this plan was shown");
    desk.sandbox.apply({ ...policy, spec: { podSelector: { matchLabels: { selects: "nothing" } } } });
    expect((await desk.press("confirm", plan.operation)).headline).toMatch(/^NOT ISOLATED/);
  });

  test("what lies where the person has no right counts, and is not named", async () => {
    desk.sandbox.apply(namespace("db"));
    const fromDb = { matchLabels: { "kubernetes.io/metadata.name": "db" } };
    aPod({ namespace: "db", name: "secret-project-1", labels: { app: "secret-project" } });
    desk.sandbox.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "from-anywhere", namespace: "shop" },
      spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: fromDb }], ports: [{ port: 8080 }] }] },
    });
    const plan = await desk.type(`quarantine shop/${aPod({ namespace: "shop" })}`);
    const done = await desk.press("confirm", plan.operation);
    for (const reply of [plan, done]) {
      expect(wordsIn(reply)).toMatch(/from-anywhere( still allows)?: in from pods of other namespaces on TCP 8080/);
      expect(wordsIn(reply)).not.toContain("secret-project");
    }
    expect(done.headline).toMatch(/^NOT ISOLATED/);
  });

  test("a foreign object of our name is left alone, and nothing is half done (invariant 3)", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    const name = `bulkhead-${plan.operation}`;
    desk.sandbox.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "payments" },
      spec: { podSelector: { matchLabels: { a: "b" } } },
    });
    const done = await desk.press("confirm", plan.operation);
    expect(done).toMatchObject({ outcome: "failed" });
    expect(stored(desk.sandbox, "NetworkPolicy", name)?.["spec"]).toMatchObject({
      podSelector: { matchLabels: { a: "b" } },
    });
    expect(stored(desk.sandbox, "Pod", pod)?.metadata.labels).not.toHaveProperty(marks.quarantine);
  });
});

describe("once (invariant 9)", () => {
  test("the same command delivered three times at once is one operation and one card", async () => {
    const pod = aPod();
    const request = desk.request(`quarantine payments/${pod}`);
    await Promise.all([1, 2, 3].map(() => desk.desk.run(request, desk.outlet)));
    expect((await desk.services.operations.list({})).filter(({ target }) => target.pod === pod)).toHaveLength(1);
    expect(desk.shown.filter(({ reply }) => reply.shape === "card")).toHaveLength(1);
  });

  test("Confirm pressed five times at once is one intent, one outcome, one policy", async () => {
    const pod = aPod();
    const plan = await desk.type(`quarantine payments/${pod}`);
    await Promise.all([1, 2, 3, 4, 5].map(() => desk.press("confirm", plan.operation)));
    const entries = await desk.services.audit.read({ operation: plan.operation ?? "" });
    expect(entries.map(({ kind }) => kind)).toEqual(["intent", "outcome"]);
    expect(await desk.services.operations.get(plan.operation ?? "")).toMatchObject({ state: "in-force" });
  });
});

describe("a refusal has its reason, the next step, an audit entry and no write", () => {
  test.each<[string, () => string, RegExp]>([
    ["a hostNetwork pod", () => `payments/${aPod({ spec: { hostNetwork: true } })}`, /host's network/],
    ["a static pod", () => `payments/${aPod({ annotations: { "kubernetes.io/config.mirror": "x" } })}`, /static pod/],
    ["a finished pod", () => `payments/${aPod({ status: { phase: "Succeeded" } })}`, /finished/],
    ["a protected namespace", () => `kube-system/${aPod({ namespace: "kube-system" })}`, /is protected/],
    ["the bot's namespace", () => `bulkhead/${aPod({ namespace: "bulkhead" })}`, /own namespace/],
    ["a pod that is not there", () => "payments/chekcout-1", /no pod chekcout-1.*Did you mean checkout-1/],
    ["several pods of that beginning", () => "payments/checkout-", /begin with checkout-/],
    ["a namespace outside the rights", () => "db/postgres-0", /No rule of the access section/],
  ])("%s", async (_, target, reason) => {
    const reply = await desk.type(`quarantine ${target()}`);
    expect(reply).toMatchObject({ shape: "note", outcome: "refused" });
    expect(wordsIn(reply)).toMatch(reason);
    const newest = (await desk.services.audit.read({ limit: 1 }))[0];
    expect(newest).toMatchObject({ kind: "refusal", verb: "quarantine", actor: { user: "U1" } });
  });

  test("a person without the right is refused at the command and at the button (invariant 7)", async () => {
    const pod = aPod();
    expect(await desk.type(`quarantine payments/${pod}`, bob)).toMatchObject({ outcome: "refused" });
    const plan = await desk.type(`quarantine payments/${pod}`);
    expect(await desk.press("confirm", plan.operation, { principal: bob })).toMatchObject({ outcome: "refused" });
    expect(await desk.press("cancel", plan.operation, { principal: bob })).toMatchObject({ outcome: "refused" });
    expect(stored(desk.sandbox, "NetworkPolicy", `bulkhead-${plan.operation}`)).toBeUndefined();
  });

  test("a button of another card, of an unknown operation or with an unknown action does nothing", async () => {
    const plan = await desk.type(`quarantine payments/${aPod()}`);
    for (const press of [
      desk.press("confirm", plan.operation, { card: { channel: "C9", ts: "9.9" } }),
      desk.press("confirm", "q-0000000"),
      desk.press("constructor", plan.operation),
    ]) {
      expect(await press).toMatchObject({ outcome: "refused", headline: "This button does nothing for you" });
    }
  });

  test("Cancel ends it, and Confirm afterwards says so", async () => {
    const plan = await desk.type(`quarantine payments/${aPod()}`);
    expect(await desk.press("cancel", plan.operation)).toMatchObject({ headline: expect.stringMatching(/^Cancelled/) });
    expect(wordsIn(await desk.press("confirm", plan.operation))).toMatch(/past that already/);
  });
});

function withoutIds(section: unknown): string {
  return JSON.stringify(section).replaceAll(/[qr]-[0-9a-z]{7}/g, "ID");
}
