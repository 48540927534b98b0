import { parseDocument } from "yaml";
import type { Environment } from "./config.ts";

/** Text of a file; undefined where it cannot be read. */
type Read = (path: string) => string | undefined;

/** Files that are merged as kubectl does it, and what names them: what somebody has to correct. */
type Files = { readonly place: string; readonly paths: readonly string[] };

type Source = Files & { readonly context: { readonly place: string; readonly name: string } | undefined };

/**
 * The kubeconfig of a cluster: the one that the configuration names, else KUBECONFIG, else the pod's service account
 * (undefined), else ~/.kube/config.
 */
export function kubeconfigFiles(named: string | undefined, env: Environment, place = "kubeconfig"): Files | undefined {
  if (named !== undefined) return { place, paths: named.split(":") };
  const given = env["KUBECONFIG"];
  if (given !== undefined && given !== "") return { place: "KUBECONFIG", paths: given.split(":") };
  if (isInPod(env)) return undefined;
  return { place: "kubeconfig", paths: [`${env["HOME"] ?? "/root"}/.kube/config`] };
}

/** Whether this process runs in a pod of a cluster (the kubelet sets the variable in every container). */
export function isInPod(env: Environment): boolean {
  return env["KUBERNETES_SERVICE_HOST"] !== undefined;
}

/**
 * What keeps the kubeconfigs of a configuration, as written, from naming their clusters: unreadable, broken, no such
 * context, no such cluster.
 */
export function kubeconfigProblems(document: unknown, env: Environment, read: Read): readonly string[] {
  const given = (document as { clusters?: unknown } | null | undefined)?.clusters;
  const clusters: readonly unknown[] = Array.isArray(given) && given.length > 0 ? given : [{}];
  const problems = clusters.flatMap((cluster, index) => {
    const { kubeconfig, context } = Object(cluster) as { kubeconfig?: unknown; context?: unknown };
    const place = `clusters.${index}`;
    const files = kubeconfigFiles(typeof kubeconfig === "string" ? kubeconfig : undefined, env, `${place}.kubeconfig`);
    const named = typeof context === "string" ? { place: `${place}.context`, name: context } : undefined;
    return files === undefined ? [] : problemsOf({ ...files, context: named }, read);
  });
  return [...new Set(problems)];
}

type Named = { readonly name?: unknown };

type Kubeconfig = {
  readonly clusters?: readonly Named[];
  readonly contexts?: readonly (Named & { readonly context?: { readonly cluster?: unknown } })[];
  readonly "current-context"?: unknown;
};

function problemsOf(source: Source, read: Read): readonly string[] {
  const problems: string[] = [];
  const files = source.paths.map((path) => {
    const { file, why } = readFile(path, read);
    if (why !== undefined) problems.push(`${source.place}: ${path} ${why}`);
    return file;
  });
  return problems.length > 0 ? problems : contextProblems(source, files);
}

function readFile(path: string, read: Read): { readonly file: Kubeconfig; readonly why?: string } {
  const text = read(path);
  if (text === undefined) return { file: {}, why: "cannot be read" };
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { file: {}, why: `is no YAML, at line ${error.linePos?.[0].line ?? 1}` };
  const file = document.toJS({ maxAliasCount: 10 }) as Kubeconfig | null;
  const lists = [file?.clusters, file?.contexts].every((list) => list === undefined || Array.isArray(list));
  if (typeof file !== "object" || file === null || Array.isArray(file) || !lists)
    return { file: {}, why: "is no kubeconfig" };
  return { file };
}

function contextProblems({ place, paths, context }: Source, files: readonly Kubeconfig[]): readonly string[] {
  const contexts = files.flatMap((file) => file.contexts ?? []);
  const known = contexts.map(({ name }) => String(name)).join(", ") || "none";
  const current = files.map((file) => file["current-context"]).find(Boolean);
  if (context === undefined && current === undefined) {
    return [`${place}: ${paths.join(":")} has no current context, and no context is configured (it has ${known})`];
  }
  const wanted = context?.name ?? current;
  const chosen = contexts.find(({ name }) => name === wanted);
  if (chosen === undefined) {
    return [`${context?.place ?? place}: the kubeconfig has no context ${String(wanted)} (it has ${known})`];
  }
  const clusters = files.flatMap((file) => file.clusters ?? []);
  if (clusters.some(({ name }) => name === chosen.context?.cluster)) return [];
  return [`${place}: context ${String(wanted)} names a cluster that the kubeconfig does not have`];
}
