import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Attribution } from "../../src/history/history.ts";
import { createKubeAudit } from "../../src/kube-audit.ts";
import { slackTest } from "../certificate.ts";
import { checkout, read } from "../deploy/manifests.ts";
import { waitFor } from "../wait.ts";
import { type ControlPlane, startControlPlane, whyNoControlPlane } from "./control-plane.ts";
import { kubectl, kubectlJson } from "./kubectl.ts";

/** An API server that posts its audit events as deploy/components/kubernetes-audit has it. */
const component = "deploy/components/kubernetes-audit";
const token = "the-token-of-this-test";
const missing = whyNoControlPlane();
const attributions: Attribution[] = [];
const problems: string[] = [];

let server: Server;
let folder: string | undefined;
let controlPlane: ControlPlane;

beforeAll(async () => {
  if (missing !== undefined) return;
  const receiver = createKubeAudit({
    token,
    clusters: new Set(["default"]),
    attribute: async (one) => void attributions.push(one),
    onProblem: (error) => void problems.push(String(error)),
  });
  // As the Ingress does: over plain HTTP the API server would send no token.
  server = createServer(slackTest, (request, response) => {
    if (!receiver(request, response)) response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  folder = await mkdtemp(join(tmpdir(), "bulkhead-kube-audit-"));
  const webhook = read(`${component}/webhook.example.yaml`)
    .replace(
      "server: https://bulkhead.example.com",
      `insecure-skip-tls-verify: true\n      server: https://127.0.0.1:${port}`,
    )
    .replace("<KUBERNETES_AUDIT_TOKEN>", token);
  await writeFile(join(folder, "webhook.yaml"), webhook);
  controlPlane = await startControlPlane([
    `--audit-policy-file=${join(checkout, component, "policy.yaml")}`,
    `--audit-webhook-config-file=${join(folder, "webhook.yaml")}`,
    "--audit-webhook-batch-max-wait=1s",
  ]);
});

afterAll(async () => {
  await controlPlane?.stop();
  server?.close();
  server?.closeAllConnections();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

type Stored = { readonly metadata: { readonly uid: string; readonly resourceVersion: string } };

function policy(port: number): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "web", namespace: "default" },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ ports: [{ protocol: "TCP", port }] }] },
  });
}

test.skipIf(missing !== undefined)(
  "The user of each change by kubectl is known, by the version that it made, within seconds",
  async () => {
    const { kubeconfig } = controlPlane;
    const does = async (args: readonly string[], input = "") => {
      await kubectl([...args, "-n", "default"], { kubeconfig, input });
      return (await kubectlJson<Stored>(["get", "netpol", "web", "-n", "default"], { kubeconfig })).metadata;
    };
    const as = ["--as", "deployer", "--as-group", "system:masters"];
    const made = await does(["create", "-f", "-"], policy(80));
    await does(["apply", "--dry-run=server", "-f", "-"], policy(90));
    const changed = await does(["replace", ...as, "-f", "-"], policy(81));
    const patched = await does(["patch", "netpol", "web", "--type", "merge", "-p", '{"spec":{"ingress":[]}}']);
    await expect(kubectl(["create", "-f", "-"], { kubeconfig, input: policy(80) })).rejects.toThrow("AlreadyExists");
    await kubectl(["delete", "netpol", "web", "-n", "default"], { kubeconfig });
    await waitFor(() => attributions.some(({ resourceVersion }) => resourceVersion === "deleted"), {
      timeoutMs: 15_000,
      everyMs: 50,
    });
    await waitFor(() => attributions.length >= 4, { timeoutMs: 15_000, everyMs: 50 });
    const byVersion = attributions.toSorted((one, other) =>
      one.resourceVersion.localeCompare(other.resourceVersion, "en", { numeric: true }),
    );
    expect(byVersion.map(({ uid, resourceVersion, author }) => ({ uid, resourceVersion, author }))).toEqual([
      { ...versionOf(made), author: expect.objectContaining({ kind: "user", user: "admin" }) },
      {
        ...versionOf(changed),
        author: {
          kind: "user",
          receivedAt: expect.any(Number),
          user: "deployer",
          groups: ["system:masters", "system:authenticated"],
          impersonatedBy: "admin",
          agent: expect.stringContaining("kubectl/"),
        },
      },
      { ...versionOf(patched), author: expect.objectContaining({ user: "admin" }) },
      { uid: made.uid, resourceVersion: "deleted", author: expect.objectContaining({ user: "admin" }) },
    ]);
    expect(problems).toEqual([]);
  },
);

function versionOf({ uid, resourceVersion }: Stored["metadata"]) {
  return { uid, resourceVersion };
}
