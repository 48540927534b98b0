import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";
import type { Action, Authorizer, User } from "./access.ts";
import { readDraft } from "./body.ts";
import { startControllers } from "./controllers/controllers.ts";
import { storedVerbs } from "./discovery.ts";
import { createFaults, type Faults } from "./faults.ts";
import type { KubeObject } from "./objects.ts";
import { createRandom } from "./random.ts";
import { everything, isMaster, roleAuthorizer } from "./rbac.ts";
import { createResources, type Resources } from "./resources.ts";
import { createApiServer } from "./server.ts";
import { type Change, createStore, type Store } from "./store.ts";
import { createWrites, type Writes } from "./write.ts";

export type SandboxClusterOptions = {
  /** Bearer token of an administrator; without it and without `users` no token is needed. */
  readonly token?: string;
  /** More tokens and whose they are. */
  readonly users?: Readonly<Record<string, User>>;
  /**
   * Whether a user may: by this function, or by the roles and bindings in the cluster. Without it everybody with a
   * token may do everything. Members of system:masters always may. Access reviews answer by it too.
   */
  readonly authorize?: "roles" | ((user: User, action: Action) => boolean);
  /** Port on 127.0.0.1; 0, the default, for any free one. */
  readonly port?: number;
  readonly now?: () => number;
  /** How many changes are remembered for watches that resume (default 5 000). */
  readonly historySize?: number;
  /** Between two bookmarks of a watch (default 60 000 ms, as on the server). */
  readonly bookmarkEveryMs?: number;
  /** What is in it at first, beside the namespaces that every cluster has; see seed.ts for a believable one. */
  readonly objects?: readonly object[];
  /** Whether ReplicaSets, kubelets, endpoints and the garbage collection are at work (default true). */
  readonly controllers?: boolean;
};

export type SandboxCluster = {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** YAML text of a kubeconfig with the administrator's token. */
  readonly kubeconfig: string;
  /** The same with the token of another user. */
  kubeconfigFor(token: string): string;
  /** Creates the objects, or replaces those of the same name. Throws StatusError where the server would refuse. */
  apply(...objects: readonly object[]): KubeObject[];
  /** What is stored of a kind, over all namespaces or in one. */
  objects(kind: string, namespace?: string): KubeObject[];
  readonly faults: Faults;
  /** The user of the old token has the new one from now on; the old one is refused (401). */
  rotateToken(old: string, next: string): void;
  close(): Promise<void>;
};

/** Starts an API server on loopback with an empty cluster, or with `objects` in it. */
export async function startSandboxCluster(options: SandboxClusterOptions = {}): Promise<SandboxCluster> {
  const now = options.now ?? Date.now;
  const store = createStore(options.historySize ?? 5_000);
  const resources = createResources();
  const writes = createWrites(store, now, createRandom(1));
  const faults = createFaults(() => store.expireHistory());
  store.subscribe((change) => serveCustomResources(store, resources, change));
  const apply = (...objects: readonly object[]): KubeObject[] =>
    objects.map((object) => put({ store, resources, writes }, object));
  const controllers = options.controllers === false ? undefined : startControllers({ store, resources, writes, now });
  apply(...systemNamespaces, ...(options.objects ?? []));
  controllers?.settle();

  const tokens = tokensOf(options);
  const server = createApiServer({
    store,
    resources,
    writes,
    now,
    faults,
    authorizer: authorizerOf(options, store, resources),
    tokens,
    timing: { bookmarkEveryMs: options.bookmarkEveryMs ?? 60_000 },
  });
  const port = await listen(server, options.port ?? 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    kubeconfig: kubeconfigFor(url, options.token),
    kubeconfigFor: (token) => kubeconfigFor(url, token),
    apply,
    objects: (kind, namespace) => {
      const resource = resources.all().find((each) => each.kind === kind);
      return resource === undefined ? [] : store.list(resource.storage, namespace);
    },
    faults,
    rotateToken: (old, next) => rotate(tokens, old, next),
    close: () =>
      new Promise((resolve) => {
        controllers?.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function put(
  { store, resources, writes }: { store: Store; resources: Resources; writes: Writes },
  object: object,
): KubeObject {
  const { apiVersion, kind } = object as KubeObject;
  const resource = resources.ofKind(apiVersion, kind);
  if (resource === undefined) throw new TypeError(`the sandbox serves no ${kind} in ${apiVersion}`);
  const { draft } = readDraft(resource, object, "Strict");
  const namespace = resource.namespaced ? (draft.metadata.namespace ?? "default") : "";
  const previous = store.get(resource.storage, namespace, draft.metadata.name ?? "");
  const writing = { manager: "kubectl-client-side-apply", keepStatus: true };
  return previous === undefined
    ? writes.create(resource, namespace, draft, writing)
    : writes.update(resource, previous, draft, writing);
}

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"].map((name) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name },
}));

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** A definition is served as soon as it is stored; with it go its objects. */
function serveCustomResources(store: Store, resources: Resources, { type, storage, object }: Change): void {
  if (storage !== "apiextensions.k8s.io/customresourcedefinitions") return;
  if (type !== "DELETED") return resources.define(object);
  for (const gone of resources.undefine(object)) for (const left of store.list(gone)) store.remove(gone, left);
}

function rotate(tokens: Map<string, User>, old: string, next: string): void {
  const user = tokens.get(old);
  if (user === undefined) throw new TypeError("nobody has that token");
  tokens.delete(old);
  tokens.set(next, user);
}

function tokensOf({ token, users = {} }: SandboxClusterOptions): Map<string, User> {
  const admin: User = { name: "admin", groups: ["system:masters", "system:authenticated"] };
  return new Map([...(token === undefined ? [] : ([[token, admin]] as const)), ...Object.entries(users)]);
}

function authorizerOf({ authorize }: SandboxClusterOptions, store: Store, resources: Resources): Authorizer {
  if (authorize === "roles") return roleAuthorizer(store);
  const decide = authorize ?? (({ groups }: User) => !groups.includes("system:unauthenticated"));
  const allows = (user: User, action: Action): boolean => isMaster(user) || decide(user, action);
  return {
    allows,
    rulesFor: (user, namespace) => {
      if (isMaster(user)) return [everything];
      const stored = resources.all().filter(({ type }) => type === "stored");
      return stored.flatMap(({ group, plural }) => {
        const action = { group, resource: plural, namespace, name: undefined };
        const verbs = storedVerbs.filter((verb) => allows(user, { ...action, verb }));
        return verbs.length === 0 ? [] : [{ verbs, apiGroups: [group], resources: [plural] }];
      });
    },
  };
}

function kubeconfigFor(server: string, token: string | undefined): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "sandbox", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "sandbox", user: token === undefined ? {} : { token } }],
    contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "sandbox" } }],
    "current-context": "sandbox",
  });
}
