import type { LabelSelector, Labels } from "../policy/objects.ts";
import type { Connection } from "./connection.ts";
import { listAll } from "./list.ts";
import type { RawObject } from "./parse.ts";
import { type PodDetails, parsePodDetails } from "./pod-details.ts";
import type { Unread } from "./policy-objects.ts";
import { collectionPath, type Resource, resources } from "./resources.ts";
import { getObject } from "./writes.ts";

/** A PodDisruptionBudget; the numbers are its status, undefined where it has none yet. */
export type Budget = {
  readonly name: string;
  /** Undefined selects nothing. */
  readonly selector: LabelSelector | undefined;
  readonly allowed: number | undefined;
  readonly healthy: number | undefined;
  readonly desired: number | undefined;
};

/** A RoleBinding, or a ClusterRoleBinding, which has no namespace. */
export type Binding = {
  readonly name: string;
  readonly namespace: string | undefined;
  /** `ClusterRole view`. */
  readonly role: string;
  readonly subjects: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace: string | undefined;
  }[];
  /** One that every cluster has, and that gives next to nothing. */
  readonly builtIn: boolean;
};

export type ServiceAccount = { readonly name: string; readonly annotations: Labels };

/** What a plan about some pods of one namespace needs beside policies; what could not be read is named. */
export type Surroundings = {
  readonly pods: readonly PodDetails[];
  readonly budgets: readonly Budget[];
  readonly accounts: readonly ServiceAccount[];
  /** RoleBindings of the namespace and ClusterRoleBindings. */
  readonly bindings: readonly Binding[];
  readonly namespaceLabels: Labels;
  readonly unread: readonly Unread[];
};

/** What is read for a plan only, and by which verb: rights that a test compares with deploy/. */
export const surroundingResources = {
  serviceAccounts: { group: "", version: "v1", plural: "serviceaccounts", verb: "get" },
  budgets: { group: "policy", version: "v1", plural: "poddisruptionbudgets", verb: "list" },
  roleBindings: { group: "rbac.authorization.k8s.io", version: "v1", plural: "rolebindings", verb: "list" },
  clusterRoleBindings: {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    plural: "clusterrolebindings",
    verb: "list",
  },
} as const satisfies Record<string, Resource & { readonly verb: string }>;

/** Reads all of it at once, each on its own. Never rejects. Of a Secret nothing is read. */
export async function readSurroundings(
  connection: Connection,
  namespace: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Surroundings> {
  const reader: Reader = { connection, signal, unread: [] };
  const [pods, budgets, labels, ...bindings] = await Promise.all([
    readPods(reader, namespace, names),
    list(reader, surroundingResources.budgets, { namespace, parse: parseBudget }),
    readNamespaceLabels(reader, namespace),
    list(reader, surroundingResources.roleBindings, { namespace, parse: parseBinding }),
    list(reader, surroundingResources.clusterRoleBindings, { namespace: undefined, parse: parseBinding }),
  ]);
  const accounts = await readAccounts(reader, namespace, pods);
  return { pods, budgets, accounts, bindings: bindings.flat(), namespaceLabels: labels, unread: reader.unread };
}

type Reader = { readonly connection: Connection; readonly signal: AbortSignal; readonly unread: Unread[] };

async function reading<T>(reader: Reader, what: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await within(reader.signal, read());
  } catch (error) {
    reader.unread.push({ what, why: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

/** Not every call takes the signal. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error("the API server did not answer in time"));
    if (signal.aborted) late();
    signal.addEventListener("abort", late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", late));
  });
}

async function readPods(reader: Reader, namespace: string, names: readonly string[]): Promise<readonly PodDetails[]> {
  const found = await Promise.all(
    names.map((name) =>
      reading(reader, `pod ${namespace}/${name}`, () => getObject(reader.connection, resources.pods, namespace, name)),
    ),
  );
  return found.filter((raw) => raw !== undefined).map(parsePodDetails);
}

async function readAccounts(
  reader: Reader,
  namespace: string,
  pods: readonly PodDetails[],
): Promise<readonly ServiceAccount[]> {
  const names = [...new Set(pods.map(({ serviceAccount }) => serviceAccount))];
  const found = await Promise.all(
    names.map((name) =>
      reading(reader, `ServiceAccount ${namespace}/${name}`, () =>
        getObject(reader.connection, surroundingResources.serviceAccounts, namespace, name),
      ),
    ),
  );
  return found.filter((raw) => raw !== undefined).map((raw) => named(raw));
}

function named(raw: unknown): ServiceAccount {
  const { metadata = {} } = raw as RawObject;
  return { name: metadata.name ?? "", annotations: metadata.annotations ?? {} };
}

async function list<T>(
  reader: Reader,
  resource: Resource,
  { namespace, parse }: { readonly namespace: string | undefined; readonly parse: (raw: unknown) => T },
): Promise<readonly T[]> {
  const path = collectionPath(resource, namespace);
  const what = `${resource.plural}.${resource.group}`;
  const listed = await reading(reader, what, () => listAll(reader.connection, path, parse, { signal: reader.signal }));
  return listed?.items ?? [];
}

/** Namespaces are no namespaced objects: the collection's path is all there is to add the name to. */
async function readNamespaceLabels(reader: Reader, namespace: string): Promise<Labels> {
  const path = `${collectionPath(resources.namespaces)}/${encodeURIComponent(namespace)}`;
  const raw = await reading(reader, `namespace ${namespace}`, () =>
    reader.connection.request("GET", path, { signal: reader.signal }),
  );
  return (raw as RawObject | undefined)?.metadata?.labels ?? {};
}

type RawBudget = RawObject<
  { readonly selector?: LabelSelector },
  { readonly disruptionsAllowed?: number; readonly currentHealthy?: number; readonly desiredHealthy?: number }
>;

function parseBudget(raw: unknown): Budget {
  const { metadata = {}, spec = {}, status = {} } = raw as RawBudget;
  return {
    name: metadata.name ?? "",
    selector: spec.selector,
    allowed: status.disruptionsAllowed,
    healthy: status.currentHealthy,
    desired: status.desiredHealthy,
  };
}

type RawBinding = RawObject & {
  readonly roleRef?: { readonly kind?: string; readonly name?: string };
  readonly subjects?: readonly { readonly kind?: string; readonly name?: string; readonly namespace?: string }[];
};

function parseBinding(raw: unknown): Binding {
  const { metadata = {}, roleRef = {}, subjects = [] } = raw as RawBinding;
  const { name = "", namespace, labels = {} } = metadata;
  return {
    name,
    namespace,
    role: `${roleRef.kind ?? ""} ${roleRef.name ?? ""}`,
    subjects: subjects.map(({ kind = "", name: subject = "", namespace: at }) => ({
      kind,
      name: subject,
      namespace: at,
    })),
    // The label alone proves nothing: anybody who may write a binding may hang it there.
    builtIn: labels["kubernetes.io/bootstrapping"] === "rbac-defaults" && (roleRef.name ?? "").startsWith("system:"),
  };
}
