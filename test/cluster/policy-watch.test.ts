import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { ListedPolicies } from "../../src/kubernetes/policy-kind-watch.ts";
import { type PolicyWatch, watchPolicies } from "../../src/kubernetes/policy-watch.ts";
import { authorsOf } from "../../src/policy/authors.ts";
import { imageOf, lineageOf } from "../../src/policy/revision.ts";
import type { Sight } from "../../src/policy/sight.ts";
import { type KubeProxy, startKubeProxy } from "../chaos/kube-proxy.ts";
import { waitFor } from "../wait.ts";
import { kubectl } from "./kubectl.ts";

/** What the watch tells of what kubectl does on a real control plane, through a proxy that cuts and refuses as the test says. */
const namespace = `policy-watch-${randomBytes(4).toString("hex")}`;
const slowly = { timeoutMs: 30_000, everyMs: 50 };

let proxy: KubeProxy;
let watch: PolicyWatch;
let connection: ReturnType<typeof createConnection>;
const sights: Sight[] = [];
const listed: ListedPolicies[] = [];
const problems: string[] = [];

beforeAll(async () => {
  proxy = await startKubeProxy(await readFile(process.env["KUBECONFIG"] ?? "", "utf8"));
  await kubectl(["create", "namespace", namespace]);
  connection = createConnection({ source: { kind: "text", text: proxy.kubeconfig }, now: Date.now });
  const onProblem = (error: unknown, path: string) => void problems.push(`${path}: ${String(error)}`);
  watch = watchPolicies(connection, { cluster: "real", now: Date.now, onProblem, discoverMs: 500 });
  watch.follow({
    onSights: (more) => void sights.push(...more.filter(({ object }) => isOurs(object.metadata))),
    onListed: (one) => void listed.push(one),
  });
  await waitFor(() => listed.some(({ kind }) => kind === "NetworkPolicy"), slowly);
});

afterAll(async () => {
  await watch?.close();
  await connection?.close();
  await proxy?.close();
  await kubectl(["delete", "namespace", namespace, "--wait=false"]);
  await kubectl(["delete", "customresourcedefinition", egressFirewalls.metadata.name, "--ignore-not-found"]);
});

function isOurs(metadata: { readonly namespace?: string }): boolean {
  return metadata.namespace === namespace;
}

function policy(name: string, port: number): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ protocol: "TCP", port }] }] },
  });
}

/** What kubectl does, and the sights that follow from it. */
async function after(args: readonly string[], input = "", count = 1): Promise<readonly Sight[]> {
  const from = sights.length;
  await kubectl([...args, ...(input === "" ? [] : ["-f", "-"]), "-n", namespace], { input });
  await waitFor(() => sights.length >= from + count, slowly);
  return sights.slice(from);
}

function portOf(object: Sight["object"] | undefined): number {
  const spec = object?.spec as { readonly ingress?: { readonly ports: { readonly port: number }[] }[] } | undefined;
  return spec?.ingress?.[0]?.ports[0]?.port ?? 0;
}

/** `there 81 after 80, seen, by kubectl-patch`. */
function told(sight: Sight): string {
  const how = sight.continuous ? "seen" : "found";
  if (sight.kind === "gone") return `gone ${portOf(sight.object)}, ${how}`;
  const authors = authorsOf(sight).map((author) => (author.kind === "manager" ? author.manager : author.kind));
  return `there ${portOf(sight.object)} after ${portOf(sight.previous) || "nothing"}, ${how}, by ${authors.join("+")}`;
}

const serverSide = ["apply", "--server-side", "--force-conflicts", "--field-manager"];

test("Every way to change a policy is seen as one step with the form before, and who did it", async () => {
  const steps = [
    await after(["create"], policy("web", 80)),
    await after(["apply"], policy("web", 81)),
    await after(["apply"], policy("web", 82)),
    await after([
      "patch",
      "netpol",
      "web",
      "--type",
      "merge",
      "-p",
      JSON.stringify({ spec: JSON.parse(policy("web", 83)).spec }),
    ]),
    await after(["replace"], policy("web", 84)),
    await after([...serverSide, "argocd-controller"], policy("web", 85)),
    await after([...serverSide, "argocd-controller"], policy("web", 86)),
    await after(["label", "netpol", "web", "team=a"]),
    await after(["delete", "netpol", "web"]),
    await after(["create", "--field-manager", "helm"], policy("web", 88)),
  ];
  expect(steps.map((step) => step.map(told))).toEqual([
    ["there 80 after nothing, seen, by kubectl-create"],
    ["there 81 after 80, seen, by kubectl-client-side-apply"],
    ["there 82 after 81, seen, by kubectl-client-side-apply"],
    ["there 83 after 82, seen, by kubectl-patch"],
    ["there 84 after 83, seen, by kubectl-replace"],
    ["there 85 after 84, seen, by argocd-controller"],
    ["there 86 after 85, seen, by argocd-controller"],
    ["there 86 after 86, seen, by kubectl-label"],
    ["gone 86, seen"],
    ["there 88 after nothing, seen, by helm"],
  ]);
  const [gone] = steps[8]!;
  expect(BigInt(gone?.kind === "gone" ? gone.resourceVersion : 0)).toBeGreaterThan(
    BigInt(gone!.object.metadata.resourceVersion),
  );
  const found = JSON.parse(await kubectl(["get", "netpol", "web", "-n", namespace, "-o", "json"]));
  const current = watch.current({ apiVersion: found.apiVersion, kind: found.kind, namespace, name: "web" });
  expect(imageOf(current!)).toEqual(imageOf(found));
  expect(current?.metadata.uid).toBe(found.metadata.uid);
});

test("A watch that is cut goes on where it was: what happened meanwhile is seen, step by step", async () => {
  await after(["create"], policy("cut", 80));
  const from = sights.length;
  proxy.decide(({ what }) => (what.includes("networkpolicies") ? { instead: "reset" } : undefined));
  proxy.cut();
  for (const port of [81, 82]) await kubectl(["apply", "-f", "-"], { input: policy("cut", port) });
  proxy.decide(undefined);
  await waitFor(() => sights.length >= from + 2, slowly);
  expect(sights.slice(from).map(told)).toEqual([
    "there 81 after 80, seen, by kubectl-client-side-apply",
    "there 82 after 81, seen, by kubectl-client-side-apply",
  ]);
});

test("After 410 what the list shows is found, with the last form that was seen; then it is seen again", async () => {
  await after(["create"], policy("kept", 80));
  await after(["create"], policy("deleted", 80));
  await after(["create"], policy("again", 80));
  await after(["create"], policy("same", 80));
  const from = sights.length;
  const lists = listed.length;
  proxy.decide(({ what }) =>
    what.includes("watch=true") ? { instead: 410 } : what.includes("networkpolicies") ? { instead: "hang" } : undefined,
  );
  proxy.cut();
  for (const port of [81, 82]) await kubectl(["apply", "-f", "-"], { input: policy("kept", port) });
  await kubectl(["delete", "netpol", "deleted", "again", "-n", namespace]);
  await kubectl(["create", "-f", "-"], { input: policy("again", 90) });
  await kubectl(["create", "-f", "-"], { input: policy("new", 91) });
  proxy.decide(undefined);
  proxy.cut();
  await waitFor(() => listed.slice(lists).some(({ kind }) => kind === "NetworkPolicy"), slowly);
  expect(
    sights
      .slice(from)
      .map((sight) => `${sight.object.metadata.name}: ${told(sight)}`)
      .toSorted(),
  ).toEqual([
    "again: gone 80, found",
    "again: there 90 after nothing, found, by kubectl-create",
    "deleted: gone 80, found",
    "kept: there 82 after 80, found, by kubectl-client-side-apply",
    "new: there 91 after nothing, found, by kubectl-create",
  ]);
  const list = listed.findLast(({ kind }) => kind === "NetworkPolicy")!;
  const at = (name: string) =>
    lineageOf({ cluster: "real", apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", namespace, name });
  expect(list.present.has(at("deleted"))).toBe(false);
  for (const name of ["kept", "again", "same", "new"]) expect(list.present.has(at(name))).toBe(true);
  const [seen] = await after(["label", "netpol", "kept", "team=a"]);
  expect(told(seen!)).toBe("there 82 after 82, seen, by kubectl-label");
});

test("A kind that is installed later is followed within seconds, and goes without noise", async () => {
  const before = problems.length;
  await kubectl(["create", "-f", "-"], { input: JSON.stringify(egressFirewalls) });
  await waitFor(() => watch.kinds().some(({ kind, state }) => kind === "EgressFirewall" && state.synced), slowly);
  const object = {
    apiVersion: "k8s.ovn.org/v1",
    kind: "EgressFirewall",
    metadata: { name: "default", namespace },
    spec: { egress: [{ type: "Deny", to: { cidrSelector: "0.0.0.0/0" } }] },
  };
  const [made] = await after(["create"], JSON.stringify(object));
  expect(made).toMatchObject({ kind: "there", continuous: true, object });
  const from = sights.length;
  await kubectl(["delete", "customresourcedefinition", egressFirewalls.metadata.name]);
  await waitFor(() => !watch.kinds().some(({ kind }) => kind === "EgressFirewall"), slowly);
  expect(sights.slice(from)).toMatchObject([{ kind: "gone", continuous: true, object }]);
  expect(problems.slice(before)).toEqual([]);
});

const egressFirewalls = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "egressfirewalls.k8s.ovn.org" },
  spec: {
    group: "k8s.ovn.org",
    scope: "Namespaced",
    names: { plural: "egressfirewalls", singular: "egressfirewall", kind: "EgressFirewall" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};
