import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { marksFor } from "../../src/commands/marks-for.ts";
import { allowObjects } from "../../src/engines/allow.ts";
import { deniesOf } from "../../src/engines/engines.ts";
import { denyByNetworkPolicy } from "../../src/engines/networkpolicy.ts";
import type { Manifest } from "../../src/policy/manifest.ts";
import type { Labels } from "../../src/policy/objects.ts";
import { ownershipOf } from "../../src/policy/owner.ts";
import { ownerName, ownerWords, repositoryPatch } from "../../src/policy/owner-words.ts";
import type { Image, ManagedFields } from "../../src/policy/revision.ts";
import { commandLine } from "../../src/policy/shell.ts";
import { aDenial, ofWorkload, someEndpoints } from "../engines/denials.ts";
import { noWays, stronger } from "../engines/random-denial.ts";

function web(given: { labels?: Labels; annotations?: Labels } = {}): Image {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "shop", ...given },
    spec: { podSelector: {} },
  };
}

const by = (...managers: readonly string[]): readonly ManagedFields[] =>
  managers.map((manager) => ({ manager, operation: "Update" }));

const argo = (id: string) => web({ annotations: { "argocd.argoproj.io/tracking-id": id } });
const own = argo("shop-policies:networking.k8s.io/NetworkPolicy:shop/web");
const kustomization = web({
  labels: { "kustomize.toolkit.fluxcd.io/name": "policies", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" },
});
const release = {
  labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop" },
  annotations: { "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop" },
};

function names(image: Image, managedFields?: readonly ManagedFields[]): readonly string[] {
  return ownershipOf(image, managedFields).owners.map(ownerName);
}

test("A tracking id of Argo CD owns the object that it names, and no copy of it", () => {
  expect(names(own)).toEqual(["Argo CD shop-policies"]);
  expect(names(argo("team-a_shop:networking.k8s.io/NetworkPolicy:shop/web"))).toEqual(["Argo CD team-a/shop"]);
  const copies = [
    "shop-policies:networking.k8s.io/NetworkPolicy:shop/api",
    "shop-policies:networking.k8s.io/NetworkPolicy:other/web",
    "shop-policies:cilium.io/NetworkPolicy:shop/web",
    "shop-policies:apps/Deployment:shop/web",
    "$(reboot):networking.k8s.io/NetworkPolicy:shop/web",
    "nonsense",
  ];
  for (const id of copies) {
    expect(names(argo(id))).toEqual([]);
    expect(ownerWords({ from: argo(id), to: undefined })).toEqual([
      `NetworkPolicy shop/web bears argocd.argoproj.io/tracking-id "${id}", which does not name it: a copy, which Argo CD leaves alone.`,
    ]);
  }
});

test("The tracking id of what is cluster-scoped names the application's namespace", () => {
  const id = "base:cilium.io/CiliumClusterwideNetworkPolicy:anything/deny";
  const metadata = { name: "deny", annotations: { "argocd.argoproj.io/tracking-id": id } };
  expect(names({ apiVersion: "cilium.io/v2", kind: "CiliumClusterwideNetworkPolicy", metadata, spec: {} })).toEqual([
    "Argo CD base",
  ]);
});

test("The instance label may be Argo CD's, and is where its controller wrote the object or the label is its own", () => {
  const labelled = web({ labels: { "app.kubernetes.io/instance": "shop" } });
  expect(names(labelled)).toEqual(["perhaps Argo CD shop"]);
  expect(names(labelled, by("kubectl-edit"))).toEqual(["perhaps Argo CD shop"]);
  expect(names(labelled, by("argocd-controller"))).toEqual(["Argo CD shop"]);
  expect(names(web({ labels: { "argocd.argoproj.io/instance": "shop" } }))).toEqual(["perhaps Argo CD shop"]);
  expect(names(web(release))).toEqual(["Helm release shop/shop"]);
});

test("Flux and Helm own what their controllers wrote; marks without that are perhaps a copy", () => {
  expect(names(kustomization)).toEqual(["Flux Kustomization flux-system/policies"]);
  expect(names(kustomization, by("kustomize-controller", "kubectl-edit"))).toEqual([
    "Flux Kustomization flux-system/policies",
  ]);
  expect(names(kustomization, by("kubectl-create"))).toEqual(["perhaps Flux Kustomization flux-system/policies"]);
  const helmRelease = { "helm.toolkit.fluxcd.io/name": "shop", "helm.toolkit.fluxcd.io/namespace": "shop" };
  const byFlux = web({ ...release, labels: { ...release.labels, ...helmRelease } });
  expect(names(byFlux, by("helm-controller"))).toEqual(["Flux HelmRelease shop/shop"]);
  expect(names(web(release), by("helm"))).toEqual(["Helm release shop/shop"]);
  expect(names(web(release), by("kubectl-create"))).toContain("perhaps Helm release shop/shop");
  expect(names(web({ annotations: release.annotations }))).toEqual(["perhaps Helm release shop/shop"]);
  expect(ownershipOf(web({ labels: { "app.kubernetes.io/managed-by": "Helm" } }))).toMatchObject({
    owners: [],
    copies: [expect.stringContaining("no release")],
  });
});

test("kubectl apply is told by its annotation, where that is of this object and nobody else owns it", () => {
  const key = "kubectl.kubernetes.io/last-applied-configuration";
  const last = (name: string) => ({ [key]: JSON.stringify({ kind: "NetworkPolicy", metadata: { name } }) });
  expect(names(web({ annotations: last("web") }))).toEqual(["kubectl apply"]);
  expect(names(web({ annotations: last("api") }))).toEqual([]);
  expect(names(web({ annotations: { [key]: "{" } }))).toEqual([]);
  expect(names(web({ annotations: { ...last("web"), ...own.metadata.annotations } }))).toEqual([
    "Argo CD shop-policies",
  ]);
});

test("What an owner does about a change, and how it is stopped, is said with whole commands", () => {
  const to = { ...own, spec: { podSelector: { matchLabels: { app: "web" } } } };
  expect(ownerWords({ from: own, to })).toEqual([
    "NetworkPolicy shop/web belongs to Argo CD shop-policies (annotation argocd.argoproj.io/tracking-id names this object): with selfHeal Argo CD writes it again about 5 s later, else at the next sync.",
    "To stop that for the whole application: argocd app set shop-policies --sync-policy none (back, with --self-heal and --auto-prune if it had them: argocd app set shop-policies --sync-policy automated). It does nothing where an ApplicationSet makes the application.",
    "Or, an alpha feature of Argo CD: kubectl annotate applications.argoproj.io shop-policies -n argocd argocd.argoproj.io/skip-reconcile=true (back: kubectl annotate applications.argoproj.io shop-policies -n argocd argocd.argoproj.io/skip-reconcile-) (-n is where Argo CD runs).",
  ]);
  expect(ownerWords({ from: kustomization, to: kustomization })).toEqual([
    "NetworkPolicy shop/web belongs to Flux Kustomization flux-system/policies (labels kustomize.toolkit.fluxcd.io/name and /namespace): Flux writes it again at its next interval (spec.interval), or as soon as its source changes.",
    "To stop that for this one object: kubectl annotate networkpolicy.v1.networking.k8s.io web -n shop kustomize.toolkit.fluxcd.io/reconcile=disabled (back: kubectl annotate networkpolicy.v1.networking.k8s.io web -n shop kustomize.toolkit.fluxcd.io/reconcile-).",
    "To stop that for all of it: flux suspend kustomization policies -n flux-system (back: flux resume kustomization policies -n flux-system).",
  ]);
  expect(ownerWords({ from: undefined, to: own })[0]).toContain(
    "deletes it again about 5 s later, else at the next sync, where it prunes",
  );
  expect(ownerWords({ from: web(release), to: web(release) })[0]).toContain("nothing happens by itself");
  expect(ownerWords({ from: web(), to: undefined })).toEqual([]);
});

test("An object that is to be gone cannot be annotated: Flux is stopped as a whole", () => {
  const words = ownerWords({ from: kustomization, to: undefined }).join();
  expect(words).toContain("makes it again");
  expect(words).toContain("flux suspend kustomization");
  expect(words).not.toContain("reconcile=disabled");
});

test("What is to be committed is what differs, without the marks that owners set themselves", () => {
  const to = { ...web({ labels: { team: "shop" } }), spec: { podSelector: { matchLabels: { app: "web" } } } };
  const from = web({ labels: { team: "shop", ...kustomization.metadata.labels } });
  const patch = repositoryPatch({ from, to });
  expect(patch?.title).toBe(
    "For the repository of Flux Kustomization flux-system/policies, commit this change: NetworkPolicy shop/web",
  );
  expect(patch?.text).toContain("+    matchLabels:\n+      app: web");
  expect(patch?.text).not.toContain("fluxcd");
  expect(repositoryPatch({ from: own, to: undefined })?.title).toContain("delete its manifest");
  expect(repositoryPatch({ from: web(), to })).toBeUndefined();
});

test("No text from outside leaves its word on a command line", () => {
  const hostile = ["'; reboot; '", "$(reboot)", "a b", "", "-x", "`id`", "\n", "\\", "é", "~", "#"];
  const echoed = execFileSync("sh", ["-c", `printf '%s\\0' ${commandLine(hostile)}`], { encoding: "utf8" });
  expect(echoed.split("\0").slice(0, -1)).toEqual(hostile);
});

test("Nothing that Bulkhead writes bears a mark by which an owner would prune it", () => {
  const instance = { "app.kubernetes.io/instance": "shop", "helm.toolkit.fluxcd.io/name": "shop" };
  const operation = {
    id: "q-1",
    kind: "quarantine",
    principal: { kind: "scheduler" },
    reason: "app.kubernetes.io/instance",
    incident: "INC-1",
  } as const;
  const denial = aDenial({
    ...marksFor(operation, {}),
    endpoints: someEndpoints,
    subject: { ...ofWorkload, matchLabels: instance },
  });
  const pods = { kind: "pods", namespace: "shop", selector: { matchLabels: instance }, name: "shop" } as const;
  const allowed = allowObjects({
    openings: [{ from: pods, to: { ...pods, namespace: "db" }, ports: [{ protocol: "TCP", port: 1 }] }],
    halves: "all",
    metadata: (index) => ({ name: `bulkhead-a-1-${index}`, ...marksFor({ ...operation, kind: "allowance" }, {}) }),
  });
  const objects: readonly Manifest[] = [
    denyByNetworkPolicy(denial),
    ...stronger.flatMap((engine) => deniesOf(engine, denial, noWays).objects),
    ...allowed,
  ];
  expect(objects.length).toBeGreaterThanOrEqual(8);
  for (const object of objects) {
    const { labels = {}, annotations = {} } = object.metadata;
    const foreign = [...Object.keys(labels), ...Object.keys(annotations)].filter(
      (key) => !key.startsWith("bulkhead.dev/"),
    );
    const known = ["app.kubernetes.io/managed-by", "projectcalico.org/tier"];
    expect(foreign.filter((key) => !known.includes(key))).toEqual([]);
    expect(ownershipOf(object, []).owners.filter(({ kind }) => kind !== "bulkhead")).toEqual([]);
  }
});
