import type { ManifestReference } from "../policy/manifest.ts";
import type { Connection } from "./connection.ts";
import { KubernetesError } from "./failure.ts";
import { policyApis } from "./policy-apis.ts";
import { type Resource, resources } from "./resources.ts";

/** Where the API keeps objects of a kind, and whether these lie in namespaces. */
export type KindResource = Resource & { readonly namespaced: boolean };

type Kind = Pick<ManifestReference, "apiVersion" | "kind">;

export type KindDiscovery = {
  /** Of any kind; undefined where it is not served in that version. */
  find(kind: Kind): Promise<KindResource | undefined>;
  /** Of a kind of policy. Throws KubernetesError `not-found` where it is not served, and Error for what is no policy. */
  policy(kind: Kind): Promise<Resource>;
};

type RawKinds = {
  readonly resources?:
    | readonly { readonly name?: string; readonly kind?: string; readonly namespaced?: boolean }[]
    | null;
};

/** By discovery, asked once for each kind that is found: which resource it is never changes for a version. */
export function createKindDiscovery(connection: Connection): KindDiscovery {
  const known = new Map<string, KindResource>();

  async function find({ apiVersion, kind }: Kind): Promise<KindResource | undefined> {
    const id = `${apiVersion} ${kind}`;
    const found = known.get(id) ?? (await ask(connection, apiVersion, kind));
    if (found !== undefined) known.set(id, found);
    return found;
  }

  return {
    find,
    async policy(kind) {
      if (kind.apiVersion === "networking.k8s.io/v1" && kind.kind === "NetworkPolicy") return resources.policies;
      if (!policyApis.some(({ group }) => group === kind.apiVersion.split("/")[0])) throw noPolicy(kind);
      const found = await find(kind);
      if (found === undefined) {
        const message = `the cluster does not serve ${kind.apiVersion} ${kind.kind}`;
        throw new KubernetesError({ kind: "not-found", message });
      }
      if (!isPolicy(found)) throw noPolicy(kind);
      return found;
    },
  };
}

async function ask(connection: Connection, apiVersion: string, kind: string): Promise<KindResource | undefined> {
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const path =
    group === ""
      ? `/api/${encodeURIComponent(version)}`
      : `/apis/${[group, version].map(encodeURIComponent).join("/")}`;
  try {
    const { resources: served } = (await connection.request("GET", path)) as RawKinds;
    const found = served?.find((each) => each.kind === kind && !each.name?.includes("/"));
    return found && { group, version, plural: found.name ?? "", namespaced: found.namespaced ?? false };
  } catch (error) {
    if (error instanceof KubernetesError && error.kind === "not-found") return undefined;
    throw error;
  }
}

/** In any version of its API. */
function isPolicy({ group, plural }: Resource): boolean {
  return policyApis.some((api) => api.group === group && api.plurals.includes(plural));
}

function noPolicy({ apiVersion, kind }: Kind): Error {
  return new Error(`${apiVersion} ${kind} is no kind of policy`);
}
