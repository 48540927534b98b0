import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sweepOrphans } from "../../src/commands/orphans.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import { waitFor } from "../wait.ts";
import { startDesk, type TestDesk, wordsIn } from "./desk.ts";

let desk: TestDesk;

const forensics = {
  name: "collector",
  purpose: "forensics",
  direction: "egress",
  peer: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } } },
  ports: [{ protocol: "TCP", port: 443 }],
} as const;

beforeEach(async () => {
  desk = await startDesk({ settings: { endpoints: [forensics] } });
  desk.sandbox.apply(
    ...["payments", "shop", "kube-system", "bulkhead"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    })),
    pod("kube-system", "coredns", { "k8s-app": "kube-dns" }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system" },
      spec: {
        selector: { "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", port: 53, protocol: "UDP" },
          { name: "dns-tcp", port: 53, protocol: "TCP" },
        ],
      },
    },
    pod("shop", "collector", { app: "collector" }),
  );
  deployment("checkout", 2);
  await waitFor(() => podsOf("checkout").length === 2);
});

afterEach(() => desk.close());

function pod(namespace: string, name: string, labels: object, spec: object = {}): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels },
    spec: { containers: [{ name: "main", image: "x" }], ...spec },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  };
}

function deployment(name: string, replicas: number): void {
  desk.sandbox.apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "payments" },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "x" }] } },
    },
  });
}

const podsOf = (app: string) =>
  desk.sandbox.objects("Pod", "payments").filter(({ metadata }) => metadata.labels?.["app"] === app);
const labels = () => desk.sandbox.objects("Pod", "payments").map(({ metadata }) => [metadata.name, metadata.labels]);
const policies = () => desk.sandbox.objects("NetworkPolicy", "payments") as unknown as readonly NetworkPolicy[];

/** Types it and presses Confirm until nothing more is asked; the operation's id and its last card. */
async function carriedOut(text: string) {
  const plan = await desk.type(text);
  expect(plan.outcome, wordsIn(plan)).toBe("needs-confirmation");
  let card = await desk.press("confirm", plan.operation);
  if (card.outcome === "needs-confirmation") card = await desk.press("confirm-again", plan.operation);
  return { plan, card, id: plan.operation ?? "" };
}

/** The answer of explain: yes, no or undecided. */
async function connects(from: string, to: string): Promise<string> {
  const reply = await desk.type(`explain ${from} → ${to}`);
  return /^\w+/.exec(reply.headline)?.[0] ?? "";
}

const outward = "payments/checkout";
const dns = "kube-system/coredns:53/udp";

describe("The quarantine of a workload", () => {
  test("cuts off all of its pods, also one that its controller starts later, and is released exactly", async () => {
    const before = labels();
    expect(await connects("shop/collector", "payments/checkout:80")).toBe("Yes");
    const plan = await desk.type("quarantine deploy/checkout -n payments review 2h odd traffic");
    expect(policies()).toEqual([]);
    expect(plan.headline).toBe("Plan: quarantine payments/deployment/checkout");
    expect(wordsIn(plan)).toContain("2 now");
    const card = await desk.press("confirm", plan.operation);
    expect(card.headline).toBe("ISOLATED FOR NEW CONNECTIONS (payments/deployment/checkout)");
    expect(labels()).toEqual(before);
    const [policy] = policies();
    expect(policy?.spec.podSelector).toEqual({
      matchLabels: { app: "checkout" },
      matchExpressions: [{ key: "bulkhead.dev/quarantine", operator: "DoesNotExist" }],
    });
    const old = new Set(podsOf("checkout").map(({ metadata }) => metadata.name));
    deployment("checkout", 3);
    await waitFor(() => podsOf("checkout").length === 3);
    const late = podsOf("checkout").find(({ metadata }) => !old.has(metadata.name))?.metadata.name ?? "";
    expect(await connects("shop/collector", `payments/${late}:80`)).toBe("No");
    expect(await connects(`payments/${late}`, dns)).toBe("No");
    expect(await connects(`payments/${late}`, "shop/collector:443")).toBe("Yes");
    expect(wordsIn(await desk.type("status"))).toContain(`${plan.operation}: payments/deployment/checkout quarantined`);
    const release = await carriedOut("release payments/deploy/checkout all clear");
    expect(release.card.headline).toBe("Released: payments/deployment/checkout");
    expect(policies()).toEqual([]);
    expect(await connects("shop/collector", "payments/checkout:80")).toBe("Yes");
    expect(await desk.services.operations.get(plan.operation ?? "")).toMatchObject({ state: "done" });
  });

  test("names other workloads that the selector catches, and what other policies still let through", async () => {
    desk.sandbox.apply(pod("payments", "stray", { app: "checkout" }), {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "allow-all", namespace: "payments" },
      spec: { podSelector: {}, ingress: [{}] },
    });
    const { plan, card } = await carriedOut("quarantine payments/deploy/checkout");
    expect(wordsIn(plan)).toContain("Its selector catches other workloads too");
    expect(wordsIn(plan)).toContain("Pod payments/stray");
    expect(card.headline).toMatch(/^NOT ISOLATED: .*allow-all/);
  });

  test("is refused for too many pods, for the last ready replicas of a Service, and where it is not there", async () => {
    deployment("web", 0);
    desk.sandbox.apply(pod("payments", "web-1", { app: "web" }), {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "front", namespace: "payments" },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    const last = await desk.type("quarantine payments/deploy/web");
    expect(wordsIn(last)).toContain("No other replica of Service front is ready");
    expect(wordsIn(last)).toContain("--confirm web");
    const named = await desk.type("quarantine payments/deploy/web --confirm web");
    expect(named.outcome).toBe("needs-confirmation");
    expect(wordsIn(named)).toContain("Service front has no other ready replica");
    expect(named.atTerminal).toContain("quarantine sandbox:payments/deployment/web --confirm web");
    expect(wordsIn(await desk.type("quarantine payments/sts/web"))).toContain("no StatefulSet web");
    desk.sandbox.apply(...[2, 3, 4, 5, 6].map((at) => pod("payments", `web-${at}`, { app: "web" })));
    const many = await desk.type("quarantine payments/deploy/web --confirm web");
    expect(wordsIn(many)).toContain("6 pods at once");
  });

  test("is answered by the one that holds where there is one already", async () => {
    const { id } = await carriedOut("quarantine payments/deploy/checkout");
    const again = await desk.type("quarantine deployment/checkout -n payments");
    expect(again.headline).toMatch(new RegExp(`^Already quarantined by ${id}`));
    expect(policies()).toHaveLength(1);
  });

  test("is drawn again at Confirm: another selector is another plan", async () => {
    const plan = await desk.type("quarantine payments/deploy/checkout");
    desk.sandbox.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "more", namespace: "payments" },
      spec: { podSelector: {}, egress: [{}] },
    });
    const again = await desk.press("confirm", plan.operation);
    expect(wordsIn(again)).toContain("The cluster changed since this plan was shown");
    expect(policies().map(({ metadata }) => metadata.name)).toEqual(["more"]);
  });
});

describe("A lockdown", () => {
  test("cuts off the namespace but DNS and forensics, and is released exactly", async () => {
    desk.sandbox.apply(pod("payments", "agent", { app: "agent" }, { hostNetwork: true }));
    const before = labels();
    expect(wordsIn(await desk.type("lockdown payments"))).toContain("--confirm payments");
    const plan = await desk.type("lockdown payments --confirm payments credential theft");
    expect(plan.headline).toBe("Plan: lockdown namespace payments");
    expect(wordsIn(plan)).toContain("NOT covered, since they use the host's network");
    expect(wordsIn(plan)).toContain("agent");
    const once = await desk.press("confirm", plan.operation);
    expect(once.headline).toBe("Confirm once more: lockdown namespace payments");
    expect(policies()).toEqual([]);
    const card = await desk.press("confirm-again", plan.operation);
    expect(card.headline).toBe("ISOLATED FOR NEW CONNECTIONS (namespace payments)");
    expect(plan.operation).toMatch(/^l-/);
    expect(labels()).toEqual(before);
    deployment("late", 1);
    await waitFor(() => podsOf("late").length === 1);
    for (const from of [outward, "payments/late"]) {
      expect(await connects(from, dns)).toBe("Yes");
      expect(await connects(from, "shop/collector:443")).toBe("Yes");
      expect(await connects(from, "shop/collector:80")).toBe("No");
      expect(await connects("shop/collector", `${from}:80`)).toBe("No");
    }
    expect(await connects("payments/late", "payments/checkout:80")).toBe("No");
    expect(wordsIn(await desk.type("status payments"))).toContain(`${plan.operation}: payments locked down`);
    const release = await carriedOut("release payments");
    expect(release.card.headline).toBe("Released: namespace payments");
    expect(policies()).toEqual([]);
    expect(await connects("payments/late", "payments/checkout:80")).toBe("Yes");
  });

  test("is refused for protected namespaces, and Bulkhead's own", async () => {
    expect(wordsIn(await desk.type("lockdown kube-system --confirm kube-system"))).toContain("is protected");
    expect(wordsIn(await desk.type("lockdown bulkhead --confirm bulkhead"))).toContain("Bulkhead's own namespace");
  });

  test("takes DNS from the configuration where it names any, and none from an empty list", async () => {
    await desk.close();
    desk = await startDesk({ settings: { dns: [] } });
    desk.sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "payments" } });
    expect(wordsIn(await desk.type("lockdown shop --confirm shop"))).toContain("There is no namespace shop");
    await carriedOut("lockdown payments --confirm payments");
    expect(policies()[0]?.spec).not.toHaveProperty("egress");
  });

  test("does not open a pod that is in quarantine, and either stays when the other is released (invariant 13)", async () => {
    const name = "alone";
    desk.sandbox.apply(pod("payments", name, { app: "alone" }));
    const quarantine = await carriedOut(`quarantine payments/${name}`);
    expect(await connects(`payments/${name}`, dns)).toBe("No");
    const lockdown = await carriedOut("lockdown payments --confirm payments");
    expect(lockdown.card.headline).toMatch(/^ISOLATED/);
    expect(await connects(`payments/${name}`, dns)).toBe("No");
    expect(await connects(outward, dns)).toBe("Yes");
    await carriedOut(`release ${lockdown.id}`);
    expect(await connects(`payments/${name}`, dns)).toBe("No");
    expect(await connects("shop/collector", `payments/${name}:80`)).toBe("No");
    expect(await connects("shop/collector", "payments/checkout:80")).toBe("Yes");
    const second = await carriedOut("lockdown payments --confirm payments");
    await carriedOut(`release ${quarantine.id}`);
    expect(policies().map(({ metadata }) => metadata.name)).toEqual([`bulkhead-${second.id}`]);
    expect(await connects("shop/collector", `payments/${name}:80`)).toBe("No");
    expect(await connects(`payments/${name}`, dns)).toBe("Yes");
  });

  test("leaves no DNS open while a workload is in quarantine, which bears no label that its rule could leave out", async () => {
    await carriedOut("quarantine payments/deploy/checkout");
    const { plan } = await carriedOut("lockdown payments --confirm payments");
    expect(wordsIn(plan)).toContain("DNS is cut off too");
    expect(await connects(outward, dns)).toBe("No");
    await carriedOut("release payments/deploy/checkout");
    expect(policies()).toHaveLength(1);
    expect(await connects("shop/collector", "payments/checkout:80")).toBe("No");
  });

  test("is not doubted for what other policies allow within the namespace, whose pods are all cut off", async () => {
    const metadata = { name: "allow-checkout", namespace: "payments" };
    const ingress = [{ from: [{ podSelector: { matchLabels: { app: "frontend" } } }] }];
    const policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata };
    desk.sandbox.apply({ ...policy, spec: { podSelector: { matchLabels: { app: "checkout" } }, ingress } });
    const lockdown = await carriedOut("lockdown payments --confirm payments");
    expect(lockdown.card.headline).toBe("ISOLATED FOR NEW CONNECTIONS (namespace payments)");
    await carriedOut(`release ${lockdown.id}`);
    const outward = { podSelector: { matchLabels: { app: "frontend" } }, policyTypes: ["Egress"], egress: [{}] };
    desk.sandbox.apply({ ...policy, metadata: { ...metadata, name: "frontend-out" }, spec: outward });
    const again = await carriedOut("lockdown payments --confirm payments");
    expect(again.card.headline).toMatch(/^NOT ISOLATED: policy allow-checkout still lets pods like app=frontend/);
  });

  test("names policies that would let through to pods that start later, and nothing that selects one now", async () => {
    const of = (name: string, app: string) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "payments" },
      spec: { podSelector: { matchLabels: { app } }, ingress: [{ ports: [{ port: 80 }] }] },
    });
    desk.sandbox.apply(of("allow-later", "later"), of("allow-checkout", "checkout"));
    const words = wordsIn(await desk.type("lockdown payments --confirm payments"));
    expect(words).toContain("stay open as far as these policies allow, which select none now: allow-later.");
  });

  test("needs the right lockdown, whatever else one may", async () => {
    const settings = {
      access: {
        people: [],
        rules: [{ principals: ["slack:T1/U1"], verbs: ["quarantine" as const], namespaces: ["payments"] }],
      },
    };
    await desk.close();
    desk = await startDesk({ settings });
    const reply = await desk.type("lockdown payments --confirm payments");
    expect(reply.outcome).toBe("refused");
    expect(wordsIn(reply)).toContain("lets slack:T1/U1 lockdown");
  });

  test("that was written again after its release is swept away", async () => {
    const { id } = await carriedOut("lockdown payments --confirm payments");
    const written = (await desk.services.operations.get(id))?.plan;
    await carriedOut(`release ${id}`);
    const [entry] = desk.services.clusters.values();
    if (written?.kind !== "contain") throw new Error("no plan");
    await entry?.cluster.createObject(written.policy);
    desk.pass(61_000);
    expect(await sweepOrphans(desk.services)).toBe(1);
    expect(policies()).toEqual([]);
  });
});

test("Where the record is lost, the kubectl lines delete what was written, and nothing else", async () => {
  const { id } = await carriedOut("lockdown payments --confirm payments");
  await desk.redis.del(`{bulkhead}:operation:${id}`);
  const reply = await desk.type(`release ${id}`);
  expect(wordsIn(reply)).toContain(`kubectl delete networkpolicy/bulkhead-${id} -n payments`);
  expect(wordsIn(reply)).not.toContain("kubectl label");
});

test("A release whose intent is of another plan proves nothing, and is refused (invariant 12)", async () => {
  const { id } = await carriedOut("lockdown payments --confirm payments");
  const stored = await desk.services.operations.get(id);
  if (stored?.plan?.kind !== "contain") throw new Error("no plan");
  await desk.services.operations.replace({ ...stored, plan: { ...stored.plan, hash: "altered" } });
  const reply = await desk.type(`release ${id}`);
  expect(wordsIn(reply)).toContain("of another plan");
  expect(policies()).toHaveLength(1);
});
