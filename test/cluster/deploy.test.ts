import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnyPolicy } from "../../src/kubernetes/any-policy.ts";
import { createConnection } from "../../src/kubernetes/connection.ts";
import type { Image } from "../../src/policy/revision.ts";
import { checkout, find, parseManifests, type Rule, read, readKustomization } from "../deploy/manifests.ts";
import { expected, rights } from "../deploy/rights.ts";
import { waitFor } from "../wait.ts";
import { asBot, type Deployed, deployBulkhead } from "./deployed.ts";
import { canI, kubectl, kubectlJson } from "./kubectl.ts";

/** One that opts in, one that does not. */
const open = "deploy-test-opted-in";
const closed = "deploy-test-not";

describe("what kubectl makes of deploy/base", () => {
  it("is every object of the files and the configuration, in the bot's namespace, with the released image", async () => {
    const rendered = parseManifests(await kubectl(["kustomize", join(checkout, "deploy/base")]));
    const written = readKustomization("deploy/base").map(({ kind, metadata: { name } }) => `${kind}/${name}`);
    expect(rendered.map(({ kind, metadata: { name } }) => `${kind}/${name}`).sort()).toEqual(
      [...written, "ConfigMap/bulkhead-config"].sort(),
    );
    expect(find(rendered, "ConfigMap", "bulkhead-config").data).toEqual({
      "config.yaml": read("deploy/base/config.yaml"),
    });
    const clusterScoped = ["Namespace", "ClusterRole", "ClusterRoleBinding"];
    for (const { kind, metadata } of rendered) {
      expect(metadata.namespace).toBe(clusterScoped.includes(kind) ? undefined : "bulkhead");
      expect(metadata.labels).toMatchObject({ "app.kubernetes.io/name": "bulkhead" });
    }
    const { version } = JSON.parse(read("package.json")) as { version: string };
    expect(find(rendered, "Deployment", "bulkhead").spec!.template.spec.containers[0]!.image).toBe(
      `bulkhead:${version}`,
    );
  });
});

describe("deploy/ on a real control plane", () => {
  let deployed: Deployed;

  beforeAll(async () => {
    for (const name of [open, closed]) await kubectl(["apply", "-f", "-"], { input: namespaceObject(name) });
    deployed = await deployBulkhead([]);
  });
  afterAll(async () => {
    await deployed?.remove();
    await kubectl(["delete", "-k", join(checkout, "deploy/terminal"), "--ignore-not-found"]);
    await kubectl(["delete", "namespace", open, closed, "--ignore-not-found", "--wait", "--timeout=50s"]);
  });

  it("lets the bot write nowhere before a namespace opts in, and then only there", async () => {
    const writes = ["create networkpolicies", "delete networkpolicies", "patch pods", "delete pods"];
    const allowed = async (namespace: string) =>
      (await Promise.all(writes.map(async (write) => ((await canI(asBot, write, namespace)) ? [write] : [])))).flat();
    expect(await allowed(open)).toEqual([]);
    await deployed.optIn(open);
    expect(await allowed(open)).toEqual(writes);
    for (const namespace of [closed, "kube-system", "bulkhead"]) expect(await allowed(namespace)).toEqual([]);
  });

  it("gives the bot in each namespace exactly the table, beyond what every service account has", async () => {
    const read = expected["bulkhead-read"];
    expect(await granted(open)).toEqual([...read, ...expected["bulkhead-write"]].sort());
    expect(await granted(closed)).toEqual(read);
    expect(await granted("kube-system")).toEqual(read);
    expect(await granted("bulkhead")).toEqual([...read, ...expected["bulkhead-records"]].sort());
  });

  it("lets the bot roll back what others wrote where that is bound, and nowhere else", async () => {
    const source = { kind: "text", text: deployed.kubeconfig } as const;
    const connection = createConnection({ source, now: Date.now });
    const policies = createAnyPolicy(connection);
    const policy = (namespace: string) => JSON.parse(denyAll(namespace)) as Image;
    const update = () => canI(asBot, "update networkpolicies", open);
    const bind = ["rolebinding", "bulkhead-rollback", "-n", open];
    try {
      await kubectl(["create", ...bind, "--clusterrole=bulkhead-rollback", "--serviceaccount=bulkhead:bulkhead"]);
      await waitFor(update, { everyMs: 100 });
      const rollback = [...expected["bulkhead-write"], ...expected["bulkhead-rollback"]];
      expect(await granted(open)).toEqual([...new Set([...expected["bulkhead-read"], ...rollback])].sort());
      for (const namespace of [open, closed]) await kubectl(["create", "-f", "-"], { input: denyAll(namespace) });
      for (const dryRun of [true, false]) {
        const found = (await policies.read(policy(open)))!;
        const other = { ...policy(open), spec: { podSelector: {}, policyTypes: ["Egress"] } };
        await expect(policies.replace(other, found.metadata, { dryRun })).resolves.toMatchObject({ kind: "replaced" });
      }
      const found = (await policies.read(policy(open)))!;
      await expect(policies.delete(found, found.metadata)).resolves.toEqual({ kind: "deleted" });
      await expect(policies.create(policy(open))).resolves.toMatchObject({ kind: "created" });
      const foreign = (await policies.read(policy(closed)))!;
      await expect(policies.replace(policy(closed), foreign.metadata)).rejects.toMatchObject({ kind: "forbidden" });
      await expect(policies.delete(policy(closed), foreign.metadata)).rejects.toMatchObject({ kind: "forbidden" });
    } finally {
      await connection.close();
      await kubectl(["delete", ...bind, "--ignore-not-found"]);
      for (const namespace of [open, closed]) {
        await kubectl(["delete", "networkpolicy", "deny", "-n", namespace, "--ignore-not-found"]);
      }
      await waitFor(async () => !(await update()), { everyMs: 100 });
    }
  });

  it.each([
    ["get secrets", "bulkhead", false],
    ["list secrets", open, false],
    ["create pods --subresource=exec", open, false],
    ["patch pods --subresource=ephemeralcontainers", open, false],
    ["get pods --subresource=log", open, false],
    ["update networkpolicies", open, false],
    ["deletecollection networkpolicies", open, false],
    ["create pods", open, false],
    ["patch deployments", open, false],
    ["create rolebindings", open, false],
    ["create configmaps", open, false],
    ["get configmaps", "kube-system", false],
    ["create configmaps", "bulkhead", true],
    ["update configmaps", "bulkhead", true],
    ["list configmaps", "bulkhead", true],
    ["delete configmaps", "bulkhead", true],
    ["deletecollection configmaps", "bulkhead", false],
    ["delete configmaps", "kube-system", false],
    ["list pods --all-namespaces", "default", true],
    ["watch networkpolicies --all-namespaces", "default", true],
    ["patch pods --all-namespaces", "default", false],
    ["create selfsubjectaccessreviews", "default", true],
  ])("answers the bot's `can-i %s` in %s with %s", async (question, namespace, answer) => {
    expect(await canI(asBot, question, namespace)).toBe(answer);
  });

  it("hands the bot credentials that the API server takes, and holds to these rights", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bulkhead-deploy-"));
    try {
      const kubeconfig = join(folder, "kubeconfig");
      await writeFile(kubeconfig, deployed.kubeconfig, { mode: 0o600 });
      const create = (namespace: string) => kubectl(["create", "-f", "-"], { kubeconfig, input: denyAll(namespace) });
      await expect(create(open)).resolves.toContain("created");
      await expect(create(closed)).rejects.toThrow(/forbidden/i);
      await expect(kubectl(["delete", "networkpolicy", "deny", "-n", open], { kubeconfig })).resolves.toContain(
        "deleted",
      );
      await expect(kubectl(["get", "secrets", "-n", open], { kubeconfig })).rejects.toThrow(/forbidden/i);
      await expect(kubectl(["get", "pods", "-A"], { kubeconfig })).resolves.toBeDefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("lets somebody who administers a namespace opt it in, without more rights than that", async () => {
    await kubectl(["create", "rolebinding", "owner", "--clusterrole=admin", "--user=olga", "-n", closed]);
    const olga = ["--as", "olga"];
    await waitFor(() => canI(olga, "create rolebindings", closed), { everyMs: 100 });
    const bind = [
      "create",
      "rolebinding",
      "bulkhead-write",
      "--clusterrole=bulkhead-write",
      "--serviceaccount=bulkhead:bulkhead",
    ];
    await expect(kubectl([...bind, "-n", open, ...olga, "--dry-run=server"])).rejects.toThrow(/forbidden/i);
    await expect(kubectl([...bind, "-n", closed, ...olga, "--dry-run=server"])).resolves.toContain("created");
  });

  it("lets people at a terminal, who may edit a namespace, keep records, read and write there, and no more", async () => {
    const tom = ["--as", "tom", "--as-group", "on-call", "--as-group", "system:authenticated"];
    await kubectl(["apply", "-k", join(checkout, "deploy/terminal")]);
    await kubectl(["create", "rolebinding", "tom", "--clusterrole=edit", "--user=tom", "-n", open]);
    await waitFor(() => canI(tom, "create configmaps", "bulkhead"), { everyMs: 100 });
    await waitFor(() => canI(tom, "create networkpolicies", open), { everyMs: 100 });
    const allowed = [
      ...["pods", "services", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs"].map((kind) => [
        `list ${kind}`,
        open,
      ]),
      ...expected["bulkhead-write"].map((right) => [right.replace(/\S+\//, ""), open]),
      ["list replicationcontrollers", open],
      ["get configmaps/bulkhead-config", "bulkhead"],
      ["update configmaps", "bulkhead"],
      ["list namespaces", "default"],
      ["list networkpolicies --all-namespaces", "default"],
    ] as [string, string][];
    const refused: [string, string][] = [
      ["get secrets", "bulkhead"],
      ["delete configmaps", "bulkhead"],
      ["patch pods", "bulkhead"],
      ["patch pods", closed],
      ["create networkpolicies", closed],
      ["create configmaps", closed],
    ];
    for (const [question, namespace] of [...allowed, ...refused]) {
      const answer = allowed.some(([one, where]) => one === question && where === namespace);
      expect({ question, namespace, answer: await canI(tom, question, namespace) }).toEqual({
        question,
        namespace,
        answer,
      });
    }
  });

  it("starts the pod as soon as the Secret of the example is there", async () => {
    const state = async () => {
      const pods = await kubectlJson<{ items: Pod[] }>(["get", "pods", "-n", "bulkhead"]);
      return pods.items[0]?.status.containerStatuses?.[0]?.state;
    };
    await waitFor(async () => (await state())?.waiting?.reason === "CreateContainerConfigError", slow);
    await kubectl(["apply", "-f", join(checkout, "deploy/secrets.example.yaml")]);
    await waitFor(async () => (await state())?.running !== undefined, slow);
  });
});

const slow = { timeoutMs: 60_000, everyMs: 500 };

type Pod = {
  readonly status: {
    readonly containerStatuses?: readonly {
      readonly state: { readonly waiting?: { readonly reason: string }; readonly running?: object };
    }[];
  };
};

/** What the API server says the bot may do in a namespace, less what it says of an account without any binding. */
async function granted(namespace: string): Promise<readonly string[]> {
  const everybody = new Set(await reviewed("system:serviceaccount:default:nobody", namespace));
  return (await reviewed("system:serviceaccount:bulkhead:bulkhead", namespace)).filter(
    (right) => !everybody.has(right),
  );
}

async function reviewed(user: string, namespace: string): Promise<readonly string[]> {
  const input = JSON.stringify({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectRulesReview",
    metadata: { creationTimestamp: null },
    spec: { namespace },
  });
  type Review = { readonly status: { readonly incomplete: boolean; readonly resourceRules: readonly Rule[] } };
  const { status } = await kubectlJson<Review>(["create", "--as", user, "-f", "-"], { input });
  expect(status.incomplete).toBe(false);
  return [...new Set(rights(status.resourceRules))];
}

function namespaceObject(name: string): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

function denyAll(namespace: string): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "deny", namespace },
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  });
}
