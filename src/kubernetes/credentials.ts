import { spawn } from "node:child_process";
import type { KubeConfig } from "@kubernetes/client-node";
import { KubernetesError } from "./failure.ts";

/**
 * Where the cluster and the credentials come from. Of several files the first that names something wins, as in
 * kubectl's KUBECONFIG. `in-cluster` is the pod's service account.
 */
export type CredentialSource =
  | {
      readonly kind: "files";
      readonly paths: readonly string[];
      readonly context?: string;
      /** The proxy for a server whose kubeconfig names none. */
      readonly proxyFor?: (server: string) => string | undefined;
    }
  | { readonly kind: "text"; readonly text: string; readonly context?: string }
  | { readonly kind: "in-cluster" };

/** What the TLS layer needs; PEM. */
export type TlsOptions = {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean;
};

export type Credentials = {
  /** `https://host:port`, perhaps with a path, without a slash at the end. */
  readonly server: string;
  readonly proxyUrl: string | undefined;
  /** The context's namespace. */
  readonly namespace: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
};

export type CredentialStore = {
  /** Credentials at most 10 s old. Throws KubernetesError of kind `credentials`. */
  read(): Promise<Credentials>;
  /** The next read starts from the files again: tokens, certificates and plugin caches. */
  forget(): void;
};

const freshForMs = 10_000;

/** Reads credentials with the KubeConfig of @kubernetes/client-node, imported at the first read: it costs 380 ms. */
export function createCredentialStore(source: CredentialSource, now: () => number): CredentialStore {
  let config: Promise<KubeConfig> | undefined;
  let latest: { readonly credentials: Promise<Credentials>; readonly readAt: number } | undefined;
  return {
    read() {
      if (latest !== undefined && now() - latest.readAt < freshForMs) return latest.credentials;
      config ??= load(source);
      const credentials = config.then((loaded) => credentialsOf(loaded, source)).catch(explain);
      latest = { credentials, readAt: now() };
      credentials.catch(() => this.forget());
      return credentials;
    },
    forget() {
      config = undefined;
      latest = undefined;
    },
  };
}

async function load(source: CredentialSource): Promise<KubeConfig> {
  const client = await import("@kubernetes/client-node");
  const config = new client.KubeConfig();
  if (source.kind === "in-cluster") config.loadFromCluster();
  if (source.kind === "text") config.loadFromString(source.text);
  if (source.kind === "files") mergeFiles(config, source.paths, () => new client.KubeConfig());
  if (source.kind !== "in-cluster" && source.context !== undefined) config.setCurrentContext(source.context);
  limitPlugins(config);
  return config;
}

type PluginRunner = { execFn?: (...given: Parameters<typeof spawn>) => unknown };

/** client-node waits for ever for an exec plugin: one that hangs is killed, so that they do not pile up. */
function limitPlugins(config: KubeConfig): void {
  const { authenticators = [] } = config as unknown as { authenticators?: readonly PluginRunner[] };
  for (const one of authenticators) {
    if (one.execFn === undefined) continue;
    one.execFn = (command, args, options) =>
      spawn(command, args, { ...options, timeout: 15_000, killSignal: "SIGKILL" });
  }
}

function mergeFiles(config: KubeConfig, paths: readonly string[], empty: () => KubeConfig): void {
  const files = paths.map((path) => {
    const file = empty();
    file.loadFromFile(path);
    return file;
  });
  config.loadFromOptions({
    clusters: firstOfEachName(files.flatMap((file) => file.getClusters())),
    users: firstOfEachName(files.flatMap((file) => file.getUsers())),
    contexts: firstOfEachName(files.flatMap((file) => file.getContexts())),
    currentContext: files.map((file) => file.getCurrentContext()).find((context) => context),
  });
}

function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): T[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.name, entry])).values()];
}

type HttpsOptions = {
  headers?: Record<string, string>;
  auth?: string;
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
};

async function credentialsOf(config: KubeConfig, source: CredentialSource): Promise<Credentials> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`no cluster in context ${config.getCurrentContext() ?? "(none)"}`);
  if (cluster.server.includes("//undefined")) throw new Error("this is no pod: KUBERNETES_SERVICE_HOST is not set");
  const options: HttpsOptions = {};
  await config.applyToHTTPSOptions(options);
  const proxyUrl = source.kind === "files" ? source.proxyFor?.(cluster.server) : undefined;
  return {
    server: cluster.server.replace(/\/$/, ""),
    proxyUrl: cluster.proxyUrl ?? proxyUrl,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    headers: headersOf(options),
    tls: {
      ca: options.ca?.toString(),
      cert: options.cert?.toString(),
      key: options.key?.toString(),
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized ?? true,
    },
  };
}

/** A token file may end in a newline, which no header may; user and password come beside the headers. */
function headersOf(options: HttpsOptions): Record<string, string> {
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value.trim()]);
  const basic = options.auth === undefined ? {} : { authorization: `Basic ${btoa(options.auth)}` };
  return { ...basic, ...Object.fromEntries(headers) };
}

function explain(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  throw new KubernetesError({ kind: "credentials", message: `no usable kubeconfig: ${firstLine(why)}`, cause: error });
}

/** Exec plugins fail with all of their standard error; what is long enough to be a token or a key does not go on. */
function firstLine(text: string): string {
  const line = (text.trim().split("\n")[0] ?? "").slice(0, 300);
  return line === "" ? "its plugin failed, or did not end in time" : line.replace(/[\w.+=-]{40,}/g, "…");
}
