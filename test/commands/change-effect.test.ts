import { expect, test } from "vitest";
import { changeEffect, effectIn } from "../../src/commands/change-effect.ts";
import { unseen } from "../../src/commands/unseen.ts";
import type { Image } from "../../src/policy/revision.ts";
import { type ClusterInWords, createCluster } from "../simulator/cluster.ts";
import { deployment, images, viewOf } from "./view-in-words.ts";

const shop = {
  "shop/web": deployment("shop/web"),
  "shop/db": deployment("shop/db"),
  "ops/probe": deployment("ops/probe"),
};

const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec: { podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress] }`;

const fromProbe = `${denyAll.replace("policyTypes: [Ingress]", "policyTypes: [Ingress], ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: probe } } }], ports: [{ port: 80 }] }]")}`;

test("A policy that is changed is compared with what it was, whatever the cluster has of it now", () => {
  const [closed, open] = images(`${denyAll}\n---${fromProbe}`) as [Image, Image];
  const effect = changeEffect(viewOf({ pods: shop, policies: fromProbe }), [{ from: closed, to: open }]);
  expect(effect).toMatchObject({
    opens: ["ops/probe (Deployment) → shop/web (Deployment) on TCP 80"],
    closes: [],
    undecided: [],
  });
  const back = changeEffect(viewOf({ pods: shop, policies: fromProbe }), [{ from: open, to: closed }]);
  expect(back).toMatchObject({ opens: [], closes: effect.opens, undecided: [] });
});

test("A policy that goes opens what it denied, the world outside first, in words for all addresses", () => {
  const [policy] = images(denyAll);
  const { opens, closes } = changeEffect(viewOf({ pods: shop, policies: denyAll }), [{ from: policy, to: undefined }]);
  expect(opens).toEqual([
    "anywhere outside the cluster → shop/web (Deployment) on all ports",
    "ops/probe (Deployment) and shop/db (Deployment) → shop/web (Deployment) on all ports",
  ]);
  expect(closes).toEqual([]);
});

test("Changes of several policies are judged together", () => {
  const [one] = images(denyAll) as [Image];
  const two: Image = { ...one, metadata: { ...one.metadata, name: "web-too" } };
  const view = viewOf({ pods: shop, policies: [one, two] });
  expect(changeEffect(view, [{ from: one, to: undefined }]).opens).toEqual([]);
  const both = [one, two].map((policy) => ({ from: policy, to: undefined }));
  expect(changeEffect(view, both).opens).toHaveLength(2);
});

test("Policies of the engines' own APIs are simulated too, and those that nobody evaluates are undecided", () => {
  const [cilium, firewall] = images(`
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: web, namespace: shop }
spec: { endpointSelector: { matchLabels: { app: web } }, egress: [{ toEndpoints: [{ matchLabels: { app: db } }] }] }
---
apiVersion: k8s.ovn.org/v1
kind: EgressFirewall
metadata: { name: default, namespace: shop }
spec: { egress: [] }`);
  const view = viewOf({ pods: shop });
  expect(changeEffect(view, [{ from: undefined, to: cilium }]).closes).toEqual([
    "shop/web (Deployment) → ops/probe (Deployment) on all ports",
    "shop/web (Deployment) → anywhere outside the cluster on all ports",
  ]);
  expect(changeEffect(view, [{ from: undefined, to: firewall }])).toMatchObject({
    opens: [],
    closes: [],
    undecided: ["EgressFirewall shop/default is of an API that is not evaluated."],
  });
});

test("A policy that cannot be read, and what was not read of the cluster, leave it undecided", () => {
  const [closed] = images(denyAll) as [Image];
  const broken: Image = { ...closed, spec: { podSelector: "web" } };
  const view = viewOf({ pods: shop }, [{ what: "ciliumnetworkpolicies.cilium.io", why: "forbidden" }]);
  const { undecided } = changeEffect(view, [{ from: closed, to: broken }]);
  expect(undecided[0]).toBe(
    "NetworkPolicy shop/web could not be read: spec.podSelector is text; it must be a mapping.",
  );
  expect(undecided[1]).toMatch(/^Not certain: /);
  expect(undecided.at(-1)).toBe("Not read, and so not decided: ciliumnetworkpolicies.cilium.io (forbidden).");
});

test("Workloads of namespaces without a right are not named, and what is too much is counted", () => {
  const names = Array.from({ length: 30 }, (_, index) => `shop/w${index}`);
  const pods = Object.fromEntries(names.map((name) => [name, deployment(name)]));
  const others = names.map((_, index) => ({ port: index + 1 }));
  const ingress = others.map((port, index) => ({
    ports: [port],
    from: [{ podSelector: { matchLabels: { app: `w${index}` } } }],
  }));
  const [closed] = images(denyAll.replace("app: web", "app: w0")) as [Image];
  const open: Image = { ...closed, spec: { ...closed.spec, ingress } };
  const hidden = { ...deployment("ops/probe"), workload: unseen };
  const view = viewOf({ pods: { ...pods, "ops/probe": hidden } });
  const { opens } = changeEffect(view, [{ from: closed, to: open }], { most: 3 });
  expect(opens).toHaveLength(4);
  expect(opens.at(-1)).toBe("And 26 more.");
  const all = changeEffect(view, [{ from: closed, to: undefined }]).opens.join();
  expect(all).toContain("pods of other namespaces (no right to see which)");
  expect(all).not.toContain("probe");
});

test("The digest is of workloads and in full: another replica changes nothing, another port does", () => {
  const [closed, open] = images(`${denyAll}\n---${fromProbe}`) as [Image, Image];
  const other: Image = { ...open, spec: JSON.parse(JSON.stringify(open.spec).replace('"port":80', '"port":81')) };
  const digestOf = (pods: ClusterInWords["pods"], to: Image): string =>
    changeEffect(viewOf({ pods }), [{ from: closed, to }], { most: 1 }).digest;
  const replica = { ...shop, "shop/web-2": { ...deployment("shop/web") } };
  expect(digestOf(replica, open)).toBe(digestOf(shop, open));
  expect(digestOf(shop, other)).not.toBe(digestOf(shop, open));
  const fewer = { "shop/web": shop["shop/web"], "shop/db": shop["shop/db"] };
  expect(digestOf(fewer, open)).not.toBe(digestOf(shop, open));
});

test("One compiled cluster answers for many changes, and keeps none of them", () => {
  const [closed, open] = images(`${denyAll}\n---${fromProbe}`) as [Image, Image];
  const { simulator } = createCluster({ pods: shop, policies: [open] });
  const first = effectIn(simulator, [{ from: closed, to: open }]);
  effectIn(simulator, [{ from: open, to: undefined }]);
  expect(effectIn(simulator, [{ from: closed, to: open }])).toEqual(first);
});

test("What opens for pods that are not there now is told, and counts", () => {
  const [closed, open] = images(`${denyAll}\n---${fromProbe}`) as [Image, Image];
  const change = [{ from: closed, to: open }];
  const noProbe = viewOf({ pods: { "shop/web": shop["shop/web"] } });
  expect(changeEffect(noProbe, change).opens).toEqual([
    "any namespace/pods like app=probe (none now) → shop/web (Deployment) on TCP 80",
  ]);
  const noWeb = viewOf({ pods: { "ops/probe": shop["ops/probe"] }, namespaces: { shop: {} } });
  expect(changeEffect(noWeb, change).opens).toEqual([
    "ops/probe (Deployment) → shop/pods like app=web (none now) on TCP 80",
  ]);
});

test("A namespace that a selector only describes is not told by the pods that are not there", () => {
  const [closed, open] = images(
    `${denyAll}\n---${fromProbe.replace("namespaceSelector: {}", "namespaceSelector: { matchLabels: { team: secret } }")}`,
  ) as [Image, Image];
  const view = viewOf({ pods: { "shop/web": shop["shop/web"] }, namespaces: { "hidden-place": { team: "secret" } } });
  expect(changeEffect(view, [{ from: closed, to: open }]).opens).toEqual([
    "any namespace/pods like app=probe (none now) → shop/web (Deployment) on TCP 80",
  ]);
});
