import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SandboxCluster, startSandboxCluster } from "../src/sandbox/kubernetes/cluster.ts";
import { openTerminal, type Terminal } from "../src/terminal.ts";

let folder: string;
let eu: SandboxCluster;
let us: SandboxCluster;

const shared = {
  clusters: [
    { name: "prod-us", kubeconfig: "/only/in/the/pod" },
    { name: "prod-eu" },
    { name: "prod-ap", kubeconfig: "/only/in/the/pod", context: "asia" },
  ],
  defaultCluster: "prod-us",
};

/** A laptop's kubeconfig: eu is the current context, us bears its cluster's name, and nothing is called asia. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bulkhead-terminal-"));
  [eu, us] = await Promise.all([startSandboxCluster(), startSandboxCluster()]);
  for (const [sandbox, name] of [
    [eu, "in-eu"],
    [us, "in-us"],
  ] as const) {
    sandbox.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  eu.apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "bulkhead" } },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "bulkhead-config", namespace: "bulkhead" },
      data: { "config.yaml": stringify(shared) },
    },
  );
  await writeFile(join(folder, "kubeconfig"), merged({ mine: eu, "prod-us": us }));
});

afterAll(async () => {
  await Promise.all([eu?.close(), us?.close()]);
  await rm(folder, { recursive: true, force: true });
});

type Named = { readonly name: string } & Readonly<Record<string, unknown>>;

/** One kubeconfig with a context, a cluster and a user of each name; the first is the current one. */
function merged(sandboxes: Readonly<Record<string, SandboxCluster>>): string {
  const parts = Object.entries(sandboxes).map(([name, { kubeconfig }]) => {
    const { clusters, users } = parse(kubeconfig) as { clusters: readonly Named[]; users: readonly Named[] };
    return {
      cluster: { ...clusters[0], name },
      user: { ...users[0], name },
      context: { name, context: { cluster: name, user: name } },
    };
  });
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": parts[0]?.context.name,
    clusters: parts.map(({ cluster }) => cluster),
    users: parts.map(({ user }) => user),
    contexts: parts.map(({ context }) => context),
  });
}

async function open(configText?: string): Promise<Terminal> {
  const terminal = await openTerminal({
    env: { KUBECONFIG: join(folder, "kubeconfig") },
    configText,
    read: () => undefined,
    now: Date.now,
    wait: () => Promise.resolve(),
    host: "laptop",
  });
  if ("problems" in terminal) throw new Error(terminal.problems.join("\n"));
  return terminal;
}

async function namespacesOf({ services }: Terminal, cluster: string): Promise<readonly string[]> {
  const found = await services.clusters.get(cluster)?.cluster.namespaces();
  return (found ?? []).map(({ name }) => name);
}

test("A laptop reaches home by its current context and another cluster by the context of its name", async () => {
  const terminal = await open();
  expect(terminal.services.settings.clusters).toMatchObject({ home: "prod-eu", defaultCluster: "prod-us" });
  expect(await namespacesOf(terminal, "prod-eu")).toContain("in-eu");
  expect(await namespacesOf(terminal, "prod-us")).toContain("in-us");
  await expect(namespacesOf(terminal, "prod-ap")).rejects.toThrow(/prod-ap.*asia/);
  await terminal.close();
});

test("With a configuration of its own it goes by what that says", async () => {
  const clusters = [
    { name: "a", context: "prod-us" },
    { name: "b", kubeconfig: join(folder, "kubeconfig") },
  ];
  const terminal = await open(stringify({ clusters, home: "b" }));
  expect(await namespacesOf(terminal, "a")).toContain("in-us");
  expect(await namespacesOf(terminal, "b")).toContain("in-eu");
  await terminal.close();
});
