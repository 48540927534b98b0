import { parseArgs } from "node:util";
import { declaredDrift } from "./commands/declared.ts";
import { declaredJson, declaredText, isDrift } from "./commands/declared-report.ts";
import { connectCluster } from "./composition.ts";
import type { ClusterConfig, Config, Environment } from "./config.ts";
import { type Cluster, openCluster } from "./kubernetes/cluster.ts";
import { readManifestFolder } from "./manifest-files.ts";
import type { Manifest } from "./policy/manifest.ts";
import { isNamespaceName } from "./policy/target.ts";
import { shown, type ToolOutput } from "./policy-tools.ts";
import { type Declared, readDeclared } from "./simulator/declared.ts";

export type DeclaredTool = {
  readonly folder: string;
  readonly namespace: string | undefined;
  readonly exclude: ReadonlySet<string>;
  readonly cluster: string | undefined;
  readonly output: "text" | "json";
};

const usage =
  "Usage: bulkhead drift --declared DIR [-n NAMESPACE] [--exclude NAMESPACE,…] [--cluster X] [--output text|json]";

/** `drift --declared DIR …`; undefined for any other command, `drift` of what is in force among them. */
export function readDeclaredTool([command, ...args]: readonly string[]):
  | DeclaredTool
  | { readonly problem: string }
  | undefined {
  if (command !== "drift" || !args.some((arg) => /^--declared(=|$)/.test(arg))) return undefined;
  try {
    const text = { type: "string" } as const;
    const options = {
      declared: text,
      namespace: { ...text, short: "n" },
      exclude: text,
      cluster: text,
      output: { ...text, short: "o" },
    };
    const { values } = parseArgs({ args: [...args], options, strict: true });
    const { declared: folder = "", namespace, exclude = "", cluster, output = "text" } = values;
    const excluded = exclude.split(",").filter((name) => name !== "");
    const wrong = [namespace, ...excluded].find((name) => name !== undefined && !isNamespaceName(name));
    if (wrong !== undefined) return { problem: `drift: "${wrong}" is no namespace's name. ${usage}` };
    if (folder === "" || (output !== "text" && output !== "json")) return { problem: `drift: ${usage}` };
    return { folder, namespace, exclude: new Set(excluded), cluster, output };
  } catch (error) {
    return { problem: `drift: ${error instanceof Error ? error.message : String(error)}. ${usage}` };
  }
}

type Surroundings = { readonly env: Environment; readonly now: () => number };

/** 0: the cluster is as declared; 1: it is not; 2: the folder, the configuration or a part of the cluster could not be read. */
export async function runDeclared(tool: DeclaredTool, config: Config, { env, now }: Surroundings): Promise<ToolOutput> {
  const declared = readFolder(tool);
  if ("broken" in declared) return broken(declared.broken);
  const chosen = chooseCluster(config.clusters, tool.cluster);
  if ("problem" in chosen) return broken([chosen.problem]);
  const cluster = openCluster(chosen.name, connectCluster(chosen, env, now), { now, watch: false });
  try {
    const there = await readCluster(cluster);
    if (there.unread.length > 0) return broken(there.unread);
    const drift = declaredDrift(declared.objects, there.objects, tool);
    const out = tool.output === "json" ? declaredJson(drift) : declaredText(drift);
    return { out: shown(out), err: declared.warnings.map(shown), code: isDrift(drift) ? 1 : 0 };
  } finally {
    await cluster.close();
  }
}

function broken(lines: readonly string[]): ToolOutput {
  return { out: "", err: [...lines.map(shown), "Nothing was compared."], code: 2 };
}

function chooseCluster(
  clusters: readonly ClusterConfig[],
  name: string | undefined,
): ClusterConfig | { readonly problem: string } {
  const [only, ...more] = name === undefined ? clusters : clusters.filter((one) => one.name === name);
  if (only === undefined) return { problem: `cluster ${name} is not configured` };
  return more.length === 0
    ? only
    : {
        problem: `several clusters are configured: name one by --cluster (${clusters.map((one) => one.name).join(", ")})`,
      };
}

type Folder = { readonly objects: readonly Manifest[]; readonly warnings: readonly string[] };

function readFolder({ folder, namespace }: DeclaredTool): Folder | { readonly broken: readonly string[] } {
  const read = readManifestFolder(folder);
  if ("problem" in read) return { broken: [read.problem] };
  if (read.files.length + read.broken.length === 0)
    return { broken: [`${folder}: holds no .yaml, .yml or .json file`] };
  const { policies, broken: unread, warnings } = readDeclared(read.files);
  const placed = policies.map((policy) => inNamespace(policy, namespace));
  const problems = [...read.broken, ...unread, ...placed.flatMap((one) => ("problem" in one ? [one.problem] : []))];
  if (problems.length > 0) return { broken: problems };
  const left = namespace === undefined ? [] : policies.filter(({ isNamespaced }) => !isNamespaced);
  return {
    objects: placed.flatMap((one) => ("object" in one ? [one.object] : [])),
    warnings: [
      ...warnings,
      ...left.map(({ place }) => `${place}: is of the whole cluster, and -n compares one namespace: left out`),
    ],
  };
}

/** A namespace is never guessed. */
function inNamespace(
  { place, object, isNamespaced }: Declared,
  wanted: string | undefined,
): { readonly object: Manifest } | { readonly problem: string } {
  const { namespace: own, name } = object.metadata;
  if (isNamespaced && own === undefined && wanted === undefined) {
    return { problem: `${place}: ${object.kind} ${name} names no namespace: give it by -n` };
  }
  if (isNamespaced && own !== undefined && wanted !== undefined && own !== wanted) {
    return { problem: `${place}: ${object.kind} ${name} is of namespace ${own}, and -n says ${wanted}` };
  }
  const namespace = isNamespaced ? (own ?? wanted) : undefined;
  const spec = (object["spec"] ?? {}) as Manifest["spec"];
  return { object: { ...object, metadata: namespace === undefined ? { name } : { namespace, name }, spec } };
}

type There = { readonly objects: readonly Manifest[]; readonly unread: readonly string[] };

/** Whatever could not be read might be what differs. */
async function readCluster(cluster: Cluster): Promise<There> {
  const [policies, { objects, unread }] = await Promise.all([cluster.listPolicies(""), cluster.policyObjects()]);
  return {
    objects: [...(policies as unknown as readonly Manifest[]), ...(objects as unknown as readonly Manifest[])],
    unread: unread.map(({ what, why }) => `${what} could not be read: ${why}`),
  };
}
