import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxCluster, startSandboxCluster } from "../../src/sandbox/kubernetes/cluster.ts";
import { seedObjects } from "../../src/sandbox/kubernetes/seed.ts";
import { waitFor } from "../wait.ts";

const run = promisify(execFile);

type Outcome = { readonly code: number; readonly out: string };

describe("kubectl against the sandbox", () => {
  let home: string;
  let cluster: SandboxCluster;
  let env: NodeJS.ProcessEnv;
  let manifest: string;
  /** kubectl before 1.27 leaves validation and diff to a schema in protobuf that the sandbox does not have. */
  let old: boolean;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "bulkhead-kubectl-"));
    cluster = await startSandboxCluster({ objects: seedObjects() });
    await writeFile(join(home, "kubeconfig"), cluster.kubeconfig);
    env = { PATH: process.env["PATH"], HOME: home, KUBECONFIG: join(home, "kubeconfig") };
    manifest = join(home, "policy.yaml");
    await writeFile(manifest, policy("TCP", 8080));
    const version = JSON.parse((await kubectl("version", "--client", "-o", "json")).out);
    old = Number.parseInt(version.clientVersion.minor, 10) < 27;
  });
  afterAll(async () => {
    await cluster.close();
    await rm(home, { recursive: true, force: true });
  });

  const kubectl = async (...args: string[]): Promise<Outcome> => {
    try {
      const { stdout, stderr } = await run("kubectl", ["--request-timeout=10s", ...args], { env, timeout: 30_000 });
      return { code: 0, out: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout + stderr };
    }
  };
  const payments = (...args: string[]): Promise<Outcome> => kubectl("-n", "payments", ...args);

  it("gets pods as a table, by label, as JSON and by name", async () => {
    const { out } = await payments("get", "pods", "-l", "app=checkout");
    expect(out.split("\n")[0]).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE/);
    expect(out.match(/^checkout-\S+ +1\/1 +Running +0 +\d+s$/gm)).toHaveLength(3);
    expect(JSON.parse((await payments("get", "pod", "debug-shell", "-o", "json")).out).metadata.name).toBe(
      "debug-shell",
    );
    expect(await payments("get", "pod", "none")).toEqual({
      code: 1,
      out: 'Error from server (NotFound): pods "none" not found\n',
    });
  });

  it("gets everything that is seeded by its short name", async () => {
    const { out } = await kubectl("get", "ns,no,deploy,rs,sts,ds,job,svc,ep,netpol,sa", "-A");
    for (const name of [
      "deployment.apps/checkout",
      "statefulset.apps/postgres",
      "daemonset.apps/node-exporter",
      "networkpolicy.networking.k8s.io/default-deny",
    ]) {
      expect(out).toContain(name);
    }
  });

  it("describes a pod with its owner and a policy with its rules", async () => {
    const { out: pods } = await payments("describe", "pod", "-l", "app=ledger");
    expect(pods).toMatch(/Controlled By: +ReplicaSet\/ledger-/);
    const { out: rules } = await payments("describe", "netpol", "allow-ledger");
    expect(rules).toContain("PodSelector: app=checkout");
    expect(rules).toContain("To Port: 5432/TCP");
  });

  it("applies a manifest, shows the difference to a changed one, and applies that", async () => {
    expect((await kubectl("apply", "-f", manifest)).out).toContain("created");
    expect((await kubectl("apply", "-f", manifest)).out).toContain("unchanged");
    await writeFile(manifest, policy("TCP", 9090));
    if (!old) {
      const difference = await kubectl("diff", "-f", manifest);
      expect(difference.code).toBe(1);
      expect(difference.out).toMatch(/^\+.*port: 9090$/m);
    }
    expect((await kubectl("apply", "-f", manifest)).out).toContain("configured");
  });

  it("refuses a manifest with a field that does not exist", async ({ skip }) => {
    if (old) skip();
    const wrong = join(home, "wrong.yaml");
    await writeFile(wrong, policy("TCP", 1).replace("from:", "form:").replace("kubectl-made", "kubectl-wrong"));
    const { code, out } = await kubectl("apply", "-f", wrong);
    expect(code).toBe(1);
    expect(out).toContain('unknown field "spec.ingress[0].form"');
    expect((await payments("get", "netpol", "kubectl-wrong")).code).toBe(1);
  });

  it("applies server-side, and names the manager that a field belongs to", async () => {
    await writeFile(manifest, policy("TCP", 1234));
    const conflict = await kubectl("apply", "--server-side", "--field-manager=somebody", "-f", manifest);
    expect(conflict.code).toBe(1);
    expect(conflict.out).toContain(
      'conflict with "kubectl-client-side-apply" using networking.k8s.io/v1: .spec.ingress',
    );
    const forced = await kubectl(
      "apply",
      "--server-side",
      "--force-conflicts",
      "--field-manager=somebody",
      "-f",
      manifest,
    );
    expect(forced.out).toContain("serverside-applied");
  });

  it("labels and annotates, and the ReplicaSet replaces the pod that no longer matches", async () => {
    const { out } = await payments("get", "pods", "-l", "app=ledger", "-o", "name");
    const name = out.split("\n")[0] ?? "";
    expect((await payments("label", name, "app=isolated", "--overwrite")).out).toContain("labeled");
    expect((await payments("annotate", name, "note=why")).out).toContain("annotated");
    await waitFor(
      async () => (await payments("get", "pods", "-l", "app=ledger", "-o", "name")).out.trim().split("\n").length === 2,
    );
    expect((await payments("get", name, "-o", "jsonpath={.metadata.ownerReferences}")).out).toBe("");
  });

  it("watches a change, and waits for a deletion and for a condition", async () => {
    const watching = spawn("kubectl", ["-n", "payments", "get", "netpol", "-w", "--no-headers"], { env });
    let seen = "";
    watching.stdout.on("data", (chunk) => {
      seen += String(chunk);
    });
    await waitFor(() => seen.includes("allow-dns"), { timeoutMs: 15_000 });
    await payments("label", "netpol", "allow-dns", "seen=yes");
    await waitFor(() => seen.split("allow-dns").length > 2, { timeoutMs: 15_000 });
    watching.kill();
    // kubectl itself waits until what it deleted is gone, and `wait` until every pod is ready.
    expect((await payments("delete", "netpol", "kubectl-made", "--timeout=10s")).out).toContain("deleted");
    expect((await payments("wait", "--for=condition=Ready", "pod", "-l", "app=checkout", "--timeout=10s")).code).toBe(
      0,
    );
  });

  it("follows a rollout", async () => {
    await payments("set", "image", "deploy/checkout", "checkout=registry.example/checkout:4.2.2");
    expect((await payments("rollout", "status", "deploy/checkout", "--timeout=10s")).out).toContain(
      "successfully rolled out",
    );
  });

  it("deletes a pod, and creates and deletes a namespace", async () => {
    expect((await payments("delete", "pod", "debug-shell")).out).toContain("deleted");
    expect((await kubectl("create", "ns", "short-lived")).out).toContain("created");
    expect((await kubectl("delete", "ns", "short-lived", "--timeout=10s")).out).toContain("deleted");
  });

  it("asks what it may", async () => {
    expect((await payments("auth", "can-i", "patch", "pods")).out.trim()).toBe("yes");
    expect((await kubectl("auth", "can-i", "--list")).out).toContain("*.*");
  });

  it("serves what a CustomResourceDefinition describes", async () => {
    const path = join(home, "crd.yaml");
    await writeFile(path, definition);
    expect((await kubectl("apply", "-f", path)).out).toContain("created");
    await rm(join(home, ".kube"), { recursive: true, force: true });
    await writeFile(
      path,
      "apiVersion: bulkhead.dev/v1\nkind: Tier\nmetadata: {name: top, namespace: default}\nspec: {order: 1}\n",
    );
    expect((await kubectl("apply", "-f", path)).out).toContain("tier.bulkhead.dev/top created");
    expect((await kubectl("get", "tiers")).out).toContain("top");
  });
});

function policy(protocol: string, port: number): string {
  return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: kubectl-made, namespace: payments}
spec:
  podSelector: {matchLabels: {app: checkout}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {}}]
    ports: [{protocol: ${protocol}, port: ${port}}]
`;
}

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tiers.bulkhead.dev}
spec:
  group: bulkhead.dev
  scope: Namespaced
  names: {plural: tiers, singular: tier, kind: Tier}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`;
