import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout } from "../deploy/manifests.ts";
import { waitFor } from "../wait.ts";
import { canI, kubectl, kubectlJson } from "./kubectl.ts";

/** Bulkhead as deploy/ installs it in the cluster of KUBECONFIG. */
export type Deployed = {
  /** A kubeconfig, as text, that acts as the bot's ServiceAccount: its rights are those of deploy/ and no more. */
  readonly kubeconfig: string;
  /** Adds the RoleBinding of deploy/opt-in to a namespace that exists. Returns once the API server honours it. */
  optIn(namespace: string): Promise<void>;
  /** Takes it all away again, and returns when it is gone (some 7 s). */
  remove(): Promise<void>;
};

/** kubectl's arguments for asking what the bot's ServiceAccount may do. */
export const asBot = ["--as", "system:serviceaccount:bulkhead:bulkhead"] as const;

/**
 * Applies deploy/base with KUBECONFIG's rights and opts the namespaces in, which must exist. Only on a control plane on
 * loopback: `remove` deletes the namespace `bulkhead`, which might be somebody's real one.
 */
export async function deployBulkhead(optedIn: readonly string[]): Promise<Deployed> {
  const server = await loopbackServer();
  await kubectl(["apply", "-f", "-"], { input: await base() });
  const bound = new Set<string>();
  const optIn = async (namespace: string): Promise<void> => {
    bound.add(namespace);
    await applyOptIn(namespace);
    await waitFor(() => canI(asBot, "patch pods", namespace), { everyMs: 100 });
  };
  for (const namespace of optedIn) await optIn(namespace);
  return {
    kubeconfig: await botKubeconfig(server),
    optIn,
    async remove() {
      for (const namespace of bound) {
        await kubectl([
          "delete",
          "rolebinding",
          "bulkhead-write",
          "bulkhead-reaper",
          "-n",
          namespace,
          "--ignore-not-found",
        ]);
      }
      // A hollow node may take the whole grace period over a pod that never started; its controllers go first, so that
      // nothing replaces it.
      await kubectl(["delete", "deployments,replicasets", "--all", ...ownNamespace, "--cascade=orphan"]);
      await kubectl(["delete", "pods", "--all", ...ownNamespace, "--grace-period=0", "--force"]);
      const input = await base();
      await kubectl(["delete", "-f", "-", "--ignore-not-found", "--wait", "--timeout=50s"], { input });
    },
  };
}

/** deploy/base, but for the CronJob where the server is too old to know batch/v1 of it (before Kubernetes 1.21). */
async function base(): Promise<string> {
  const rendered = await kubectl(["kustomize", join(checkout, "deploy/base")]);
  const served = await kubectl(["api-resources", "--api-group", "batch", "--no-headers"]);
  if (/\bbatch\/v1\s+true\s+CronJob\b/.test(served)) return rendered;
  return rendered
    .split(/^---$/m)
    .filter((document) => !/^kind: CronJob$/m.test(document))
    .join("---");
}

const ownNamespace = ["--namespace", "bulkhead", "--ignore-not-found"];

type Server = { readonly server: string; readonly [option: string]: unknown };

async function loopbackServer(): Promise<Server> {
  const view = await kubectlJson<{ clusters: { cluster: Server }[] }>([
    "config",
    "view",
    "--raw",
    "--minify",
    "--flatten",
  ]);
  const cluster = view.clusters[0]?.cluster;
  const host = cluster && new URL(cluster.server).hostname;
  if (cluster === undefined || !["127.0.0.1", "localhost", "[::1]"].includes(host ?? "")) {
    throw new Error(`The suite installs and deletes Bulkhead: only a control plane on loopback will do, not ${host}.`);
  }
  return cluster;
}

/** As a person does it: a copy of the folder, pointed at the namespace. */
async function applyOptIn(namespace: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-opt-in-"));
  try {
    await cp(join(checkout, "deploy/opt-in"), folder, { recursive: true });
    const file = join(folder, "kustomization.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace(/^namespace: .*$/m, `namespace: ${namespace}`));
    await kubectl(["apply", "-k", folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The token comes from TokenRequest, which Kubernetes has since 1.20, and is good for an hour. */
async function botKubeconfig(cluster: Server): Promise<string> {
  const token = (await kubectl(["create", "token", "bulkhead", "--namespace", "bulkhead", "--duration", "1h"])).trim();
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "bulkhead", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "bulkhead" } }],
    "current-context": "test",
  });
}
