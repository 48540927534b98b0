import { describe, expect, test } from "vitest";
import { refuseContained } from "../../src/commands/undo-contained.ts";
import { undoEffect } from "../../src/commands/undo-effect.ts";
import { refuseNamespaces, refuseWrites } from "../../src/commands/undo-guard.ts";
import { manifestName } from "../../src/policy/manifest.ts";
import type { NetworkPolicy } from "../../src/policy/objects.ts";
import type { Image } from "../../src/policy/revision.ts";
import type { UndoWrite } from "../../src/policy/undo-plan.ts";
import { deployment, images, viewOf } from "./view-in-words.ts";

const pods = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, deployment(key)]));
const shop = pods("shop/web", "shop/db", "ops/probe", "kube-system/dns");

function image(name: string, spec: string, namespace = "shop"): Image {
  const [one] = images(
    `{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: ${name}, namespace: ${namespace} }, spec: ${spec} }`,
  );
  return one!;
}

const write = (from: Image | undefined, to: Image | undefined): UndoWrite => ({ from, to, uid: from && "1" });
const pause = () => Promise.resolve();
const effectOf = (policies: Image[], writes: UndoWrite[], there = shop) =>
  undoEffect(viewOf({ pods: there, policies }), writes, pause);
const names = (writes: readonly UndoWrite[]) =>
  writes.map(
    ({ from, to }) => `${from === undefined ? "+" : to === undefined ? "-" : "~"}${(to ?? from)!.metadata.name}`,
  );

const deny = "{ podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress] }";
const allow = "{ podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{}] }";
const allowDns = `{ podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{ ports: [{ port: 53, protocol: UDP }] }] }`;

describe("What is written one after the other", () => {
  test("closes before it opens, so that nothing is open in between that is closed in the end", async () => {
    const [denying, second] = [image("deny", deny), image("deny-v2", deny)];
    const effect = await effectOf([second], [write(second, undefined), write(undefined, denying)]);
    expect(names(effect.writes)).toEqual(["+deny", "-deny-v2"]);
    expect(effect).toMatchObject({ opens: [], undecided: [], opensIn: [] });
  });

  test("opens what is open after some of it, where no order avoids that", async () => {
    const egress = (name: string, to: string) =>
      `{ podSelector: { matchLabels: { app: ${name} } }, policyTypes: [Egress], egress: [${to}] }`;
    // Each may talk to the other's port after its own change; both are swapped, so that one of them is early.
    const one = [
      image("a", egress("web", "{ ports: [{ port: 1 }] }")),
      image("a", egress("web", "{ ports: [{ port: 2 }] }")),
    ];
    const two = [
      image(
        "b",
        "{ podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ ports: [{ port: 2 }] }] }",
      ),
      image(
        "b",
        "{ podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress], ingress: [{ ports: [{ port: 1 }] }] }",
      ),
    ];
    const effect = await effectOf(
      [one[0]!, two[0]!],
      [write(one[0], one[1]), write(two[0], two[1])],
      pods("shop/web", "shop/db"),
    );
    expect(effect.opens).toContainEqual(
      "While it is written, and for good if it stops in the middle: shop/web (Deployment) → shop/db (Deployment) on TCP 2",
    );
    expect(effect.opensIn).toEqual(["shop"]);
  });

  test("has what policies refer to there before them, and gone after them", async () => {
    const [tier, policy] = images(`
apiVersion: projectcalico.org/v3
kind: Tier
metadata: { name: security }
spec: { order: 10 }
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: { name: security.web, namespace: shop }
spec: { tier: security, selector: app == 'web', types: [Ingress] }`) as [Image, Image];
    const made = await effectOf([], [write(undefined, policy), write(undefined, tier)]);
    expect(names(made.writes)).toEqual(["+security", "+security.web"]);
    const gone = await effectOf([tier, policy], [write(tier, undefined), write(policy, undefined)]);
    expect(names(gone.writes)).toEqual(["-security.web", "-security"]);
  });
});

describe("The right to open is needed", () => {
  const cluster = (name: string): Image => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumClusterwideNetworkPolicy",
    metadata: { name },
    spec: { endpointSelector: { matchLabels: { app: "web" } }, ingress: [{ fromEntities: ["all"] }] },
  });

  test("in every namespace whose writes open the same, though leaving out one of them changes nothing", async () => {
    const there = image("deny", deny);
    const writes = [write(undefined, image("allow", allow)), write(undefined, cluster("allow"))];
    const effect = await effectOf([there], writes);
    expect(effect.opens.length).toBeGreaterThan(0);
    expect(effect.opensIn.toSorted()).toEqual(["", "shop"]);
  });

  test("at each end of a connection that both ends' policies open, and not where something only closes", async () => {
    const egress = "{ podSelector: { matchLabels: { app: probe } }, policyTypes: [Egress] }";
    const there = [image("deny", deny), image("deny", egress, "ops")];
    const closing = image("other", "{ podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress] }", "data");
    const effect = await effectOf(
      there,
      [...there.map((one) => write(one, undefined)), write(undefined, closing)],
      pods("shop/web", "ops/probe", "data/db"),
    );
    expect(effect.opensIn.toSorted()).toEqual(["ops", "shop"]);
  });

  test("everywhere that is written, where the cluster could not be read", async () => {
    const there = [image("deny", deny), image("deny", deny, "ops")];
    const view = { ...viewOf({ pods: shop, policies: there }), unread: [{ what: "tiers", why: "forbidden" }] };
    const effect = await undoEffect(
      view,
      [write(undefined, image("x", deny)), write(undefined, image("x", deny, "ops"))],
      pause,
    );
    expect(effect.opensIn).toEqual(["shop", "ops"]);
  });
});

describe("Guard rails", () => {
  const settings = { protectedNamespaces: ["kube-system"], ownNamespace: "bulkhead", clusters: { home: "c" } } as never;
  const guarded = { cluster: "c", choices: { confirm: undefined, override: false }, typed: "rollback v-1" };
  const wide = (app: string): Image => ({
    apiVersion: "policy.networking.k8s.io/v1alpha1",
    kind: "AdminNetworkPolicy",
    metadata: { name: "wide" },
    spec: {
      priority: 1,
      subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app } } } },
      ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
    },
  });

  test("hold where a cluster-scoped policy acts on a protected namespace, whether it opens or closes there", async () => {
    const gone = await effectOf([wide("dns")], [write(wide("dns"), undefined)]);
    expect(gone.touches).toEqual(["kube-system"]);
    const back = await effectOf([], [write(undefined, wide("dns"))]);
    expect(back.touches).toEqual(["kube-system"]);
    expect(refuseNamespaces(settings, back.touches, guarded)?.reason).toBe("namespace kube-system is protected");
    expect(refuseNamespaces(settings, ["bulkhead"], guarded)?.reason).toContain("Bulkhead's own namespace");
    expect((await effectOf([], [write(undefined, wide("web"))])).touches).toEqual(["shop"]);
  });

  test("keep Bulkhead's own tier from every rollback", () => {
    const tier = {
      apiVersion: "projectcalico.org/v3",
      kind: "Tier",
      metadata: { name: "bulkhead" },
      spec: { order: 0 },
    };
    expect(refuseWrites(settings, [write(tier, undefined)], guarded)?.reason).toContain("Bulkhead's tier");
    const labels = { "app.kubernetes.io/managed-by": "bulkhead" };
    const named = { ...tier, metadata: { name: "b", labels } };
    expect(refuseWrites(settings, [write(undefined, named)], guarded)?.reason).toContain("Bulkhead's tier");
    expect(refuseWrites(settings, [write(undefined, { ...tier, metadata: { name: "x" } })], guarded)).toBeUndefined();
  });
});

describe("Containment wins", () => {
  const cutOff = (podSelector: NetworkPolicy["spec"]["podSelector"], { kind = "lockdown", id = "l-1234567" } = {}) =>
    ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: {
        name: `bulkhead-${id}`,
        namespace: "shop",
        labels: { "bulkhead.dev/kind": kind, "bulkhead.dev/operation": id },
        annotations: { "bulkhead.dev/pod": "web 1" },
      },
      spec: { podSelector: podSelector ?? {}, policyTypes: ["Ingress", "Egress"] },
    }) satisfies NetworkPolicy;
  const refused = (containing: NetworkPolicy[], writes: UndoWrite[], { there = shop, others = [] as Image[] } = {}) =>
    refuseContained(viewOf({ pods: there, policies: others }), writes, containing, pause);
  const lockdown = cutOff({});

  const allowing = images(`
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: allow, namespace: shop }
spec: { endpointSelector: { matchLabels: { app: web } }, ingress: [{ fromEntities: [all] }] }
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: { name: allow, namespace: shop }
spec: { selector: app == 'web', types: [Ingress], ingress: [{ action: Allow }] }
---
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: { name: allow, namespace: shop }
spec:
  priority: 1
  appliedTo: [{ podSelector: { matchLabels: { app: web } } }]
  ingress: [{ action: Allow, from: [{ namespaceSelector: {} }] }]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: allow }
spec:
  priority: 1
  subject: { namespaces: {} }
  ingress: [{ action: Allow, from: [{ namespaces: {} }] }]`);

  test.each(allowing.map((one) => [`${one.apiVersion} ${one.kind}`, one] as const))(
    "over what %s would let through",
    async (_, policy) => {
      expect(await refused([lockdown], [write(undefined, policy)])).toMatchObject({
        reason: `${manifestName(policy)} would let something through to or from shop/web, which l-1234567 has cut off`,
        next: "Release that first: /np release l-1234567",
      });
      expect(await refused([lockdown], [write(policy, undefined)], { others: [policy] })).toBeUndefined();
    },
  );

  test("over a policy that lets more through than it does now", async () => {
    const [from, to] = [image("dns", allowDns), image("dns", allow)];
    expect(await refused([lockdown], [write(from, to)], { others: [from] })).toBeDefined();
    expect(await refused([lockdown], [write(to, from)], { others: [to] })).toBeUndefined();
  });

  test("over what would be open after the first write alone", async () => {
    const [allowed] = allowing as [Image];
    const spec = { endpointSelector: {}, ingressDeny: [{ fromEntities: ["all"] }] };
    const denied: Image = { ...allowed, metadata: { name: "deny", namespace: "shop" }, spec };
    const writes = [write(undefined, allowed), write(undefined, denied)];
    expect(await refused([lockdown], writes)).toBeDefined();
    expect(await refused([lockdown], writes.toReversed())).toBeUndefined();
  });

  test("over what would be open to pods that are still to come", async () => {
    const none = pods("ops/probe");
    const coming = "a pod of shop that is still to come, which l-1234567 has cut off";
    const web = image("allow", allow);
    expect((await refused([lockdown], [write(undefined, web)], { there: none }))?.reason).toContain(coming);
    const [cilium] = allowing;
    expect((await refused([lockdown], [write(undefined, cilium)], { there: none }))?.reason).toContain(coming);
    // Its pods will bear more labels than its selector asks for.
    const front = image("front", allow.replace("app: web", "tier: front"));
    const workload = cutOff({ matchLabels: { app: "web" } }, { kind: "quarantine" });
    expect(await refused([workload], [write(undefined, front)], { there: none })).toBeDefined();
    const db = image("db", allow.replace("app: web", "app: db"));
    expect(await refused([workload], [write(undefined, db)], { there: none })).toBeUndefined();
    expect(await refused([workload], [write(undefined, db)])).toBeUndefined();
  });

  test("over what would be open to a pod whose quarantine has just begun, and not to others", async () => {
    const quarantine = cutOff({ matchLabels: { "bulkhead.dev/quarantine": "q-1" } }, { kind: "quarantine", id: "q-1" });
    expect((await refused([quarantine], [write(undefined, image("allow", allow))]))?.reason).toContain("shop/web");
    const db = image("db", allow.replace("app: web", "app: db"));
    expect(await refused([quarantine], [write(undefined, db)])).toBeUndefined();
    expect(await refused([quarantine], [write(undefined, db)], { there: pods("shop/api") })).toBeUndefined();
  });

  test("and says nothing of what leaves what is cut off as it is", async () => {
    expect(await refused([lockdown], [write(undefined, image("deny", deny))])).toBeUndefined();
    const elsewhere = image("allow", allow.replace("app: web", "app: probe"), "ops");
    expect(await refused([lockdown], [write(undefined, elsewhere)])).toBeUndefined();
    // One that does not hold, since another policy lets its pods out: what opens at the other end is not by its loss.
    const out = image("out", "{ podSelector: {}, policyTypes: [Egress], egress: [{}] }");
    const shutThere = image("in", deny.replace("app: web", "app: probe"), "ops");
    const openThere = image("in", allow.replace("app: web", "app: probe"), "ops");
    const leaky = { others: [out, shutThere] };
    expect(await refused([lockdown], [write(shutThere, openThere)], leaky)).toBeUndefined();
    const [cilium] = allowing;
    expect(await refused([lockdown], [write(shutThere, openThere), write(undefined, cilium)], leaky)).toBeDefined();
    expect(await refused([], [write(undefined, image("allow", allow))])).toBeUndefined();
  });
});

test("What opens is told in full, as far as people can read it", async () => {
  const keys = Array.from({ length: 10 }, (_, index) => `shop/w${index}`);
  const policyOf = (index: number, ingress: string) =>
    image(
      `p${index}`,
      `{ podSelector: { matchLabels: { app: w${index} } }, policyTypes: [Ingress], ingress: ${ingress} }`,
    );
  const writes = keys.map((_, index) =>
    write(policyOf(index, "[]"), policyOf(index, `[{ ports: [{ port: ${7_000 + index} }] }]`)),
  );
  const { opens } = await effectOf(
    writes.map(({ from }) => from!),
    writes,
    pods(...keys),
  );
  for (const index of keys.keys()) expect(opens.join(" ")).toContain(`TCP ${7_000 + index}`);
});
