import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { type DeclaredTool, readDeclaredTool, runDeclared } from "../src/declared-tool.ts";
import { type SandboxCluster, startSandboxCluster } from "../src/sandbox/kubernetes/cluster.ts";

let sandbox: SandboxCluster;
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  sandbox = await startSandboxCluster({ controllers: false });
  folder = mkdtempSync(join(tmpdir(), "declared-"));
  kubeconfig = join(mkdtempSync(join(tmpdir(), "declared-kubeconfig-")), "config");
  writeFileSync(kubeconfig, sandbox.kubeconfig);
  for (const name of ["payments", "shop"]) sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  sandbox.apply(
    // As the server has what the first manifest declares.
    stored("allow-web", {
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80, protocol: "TCP" }] }],
    }),
    stored("allow-dns", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ ports: [{ port: 53, protocol: "UDP" }] }],
    }),
    stored("by-hand", { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] }),
    stored(
      "bulkhead-q-1234567",
      { podSelector: {}, policyTypes: ["Ingress"] },
      { "bulkhead.dev/operation": "q-1234567" },
    ),
  );
});

afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
  rmSync(kubeconfig);
});

beforeEach(() => {
  file(`
kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: { name: allow-web, namespace: payments, labels: { from: git } }
spec:
  podSelector: { matchLabels: { app: web }, matchExpressions: [] }
  ingress:
    - from: [{ podSelector: {} }]
      ports: [{ port: 80 }]
  egress: []
`);
});

describe("What a folder declares against the cluster", () => {
  test("is the same where only the server's defaults differ, and the exit code says so", async () => {
    const answer = await run("--exclude", "shop", "-o", "json");
    expect(answer).toMatchObject({ code: 1 });
    expect(JSON.parse(answer.out)).toEqual({
      missing: [],
      extra: ["NetworkPolicy payments/allow-dns", "NetworkPolicy payments/by-hand"],
      changed: [],
      same: 1,
      ours: ["NetworkPolicy payments/bulkhead-q-1234567"],
    });
    expect(await run("-n", "shop")).toMatchObject({
      code: 2,
      err: [expect.stringContaining("-n says shop"), expect.anything()],
    });
  });

  test("is told as missing, not declared and changed, with the difference as YAML", async () => {
    file(`
apiVersion: v1
kind: List
items:
  - { apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: gone }, spec: { podSelector: {} } }
  - { apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: allow-dns }, spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }], policyTypes: [Egress] } }
`);
    const { out, code } = await run("-n", "payments");
    expect(code).toBe(1);
    expect(out).toContain("Declared, and not in the cluster:\n  NetworkPolicy payments/gone\n");
    expect(out).toMatch(/\n +-[^\n]*protocol: TCP\n +\+[^\n]*protocol: UDP\n/);
    expect(out).toContain("1 missing, 2 not declared, 1 changed; 0 as declared.");
  });

  test("never guesses a namespace, and is nothing where what is declared cannot be read", async () => {
    file(
      "{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: no-place }, spec: { podSelector: {} } }",
    );
    expect(await run()).toEqual({
      out: "",
      err: ["policies.yaml: NetworkPolicy no-place names no namespace: give it by -n", "Nothing was compared."],
      code: 2,
    });
    file("a: [");
    expect(await run()).toMatchObject({ out: "", code: 2 });
  });

  test("is nothing where a part of the cluster cannot be read", async () => {
    sandbox.faults.inject({ path: /\/apis($|\?)/, times: 5 }, { type: "status", code: 403 });
    expect(await run()).toMatchObject({
      out: "",
      code: 2,
      err: [expect.stringContaining("could not be read"), expect.anything()],
    });
    sandbox.faults.clear();
    sandbox.faults.inject({ path: /networkpolicies/ }, { type: "status", code: 403 });
    await expect(run()).rejects.toThrow();
    sandbox.faults.clear();
  });
});

test("Arguments that say nothing for sure are refused", () => {
  expect(readDeclaredTool(["drift", "payments"])).toBeUndefined();
  expect(readDeclaredTool(["drift", "--declared"])).toHaveProperty("problem");
  expect(readDeclaredTool(["drift", "--declared", "x", "-n", "No_Name"])).toHaveProperty("problem");
  expect(readDeclaredTool(["drift", "--declared", "x", "--output", "yaml"])).toHaveProperty("problem");
  expect(readDeclaredTool(["drift", "--declared=x", "--whatever"])).toHaveProperty("problem");
});

function run(...args: readonly string[]) {
  const tool = readDeclaredTool(["drift", "--declared", folder, ...args]) as DeclaredTool;
  expect(tool).not.toHaveProperty("problem");
  const config = `clusters: [{ name: sandbox, kubeconfig: ${kubeconfig} }]`;
  const loaded = readConfig({}, config, () => undefined);
  if ("problems" in loaded) throw new Error(loaded.problems.join("\n"));
  return runDeclared(tool, loaded.config, { env: {}, now: Date.now });
}

function file(text: string): void {
  writeFileSync(join(folder, "policies.yaml"), text);
}

function stored(name: string, spec: object, labels: object = {}) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "payments", labels },
    spec,
  };
}
