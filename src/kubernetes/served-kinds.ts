import type { Reading } from "../policy/evidence.ts";
import type { Connection } from "./connection.ts";
import { type PolicyApi, policyApis } from "./policy-apis.ts";

/** A kind of policy that the cluster serves; `id` is `group/version/plural`. */
export type ServedKind = Omit<PolicyApi, "plurals"> & {
  readonly id: string;
  readonly plural: string;
  readonly kind: string;
};

export type Served = {
  /** In every served version of a group, known or not. */
  readonly kinds: readonly ServedKind[];
  /** Why the cluster did not tell which groups it serves; undefined where it did. */
  readonly why: string | undefined;
  /** Groups, as `group/version`, that are served and whose kinds could not be read. */
  readonly unread: readonly { readonly groupVersion: string; readonly why: string }[];
};

/** The policy kinds that the cluster serves, by discovery. Never rejects. */
export async function servedKinds(connection: Connection, signal: AbortSignal): Promise<Served> {
  const found = await attempt(() => groupVersions(connection, signal));
  const served = found.read ? found.value : new Set<string>();
  const wanted = policyApis.filter(({ group, version }) => served.has(`${group}/${version}`));
  const apis = await Promise.all(
    [...wanted, ...otherVersions(served)].map(async (api) => ({
      groupVersion: `${api.group}/${api.version}`,
      kinds: await attempt(() => kindsOf(connection, api, signal)),
    })),
  );
  return {
    why: found.read ? undefined : found.why,
    kinds: apis.flatMap(({ kinds }) => (kinds.read ? kinds.value : [])),
    unread: apis.flatMap(({ groupVersion, kinds }) => (kinds.read ? [] : [{ groupVersion, why: kinds.why }])),
  };
}

/** Each kind of object once: in the first version of its group, and not where `unless` names that it lies elsewhere. */
export function distinctKinds(kinds: readonly ServedKind[]): readonly ServedKind[] {
  const known = new Set(kinds.map(({ id }) => id));
  return kinds
    .filter(({ unless }) => unless === undefined || !known.has(unless))
    .filter((kind, index, all) => index === all.findIndex((each) => isSame(each, kind)));
}

/** In several versions of a group lie the same objects. */
function isSame(a: ServedKind, b: ServedKind): boolean {
  return a.group === b.group && a.plural === b.plural;
}

/** The answer, or why there is none. */
export async function attempt<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { read: true, value: await read() };
  } catch (error) {
    return { read: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Versions of the same groups that nobody here knows: who reads their objects says that they cannot be read. */
function otherVersions(served: ReadonlySet<string>): readonly PolicyApi[] {
  return [...served].flatMap((groupVersion) => {
    const [group = "", version = ""] = groupVersion.split("/");
    const own = policyApis.filter((api) => api.group === group);
    if (own.length === 0 || own.some((api) => api.version === version)) return [];
    return [{ group, version, plurals: [...new Set(own.flatMap(({ plurals }) => plurals))] }];
  });
}

type RawGroups = {
  readonly groups?: readonly { readonly versions?: readonly { readonly groupVersion?: string }[] }[] | null;
};

/** `cilium.io/v2`, … The list also has aggregated APIs that do not answer: asking those fails. */
async function groupVersions(connection: Connection, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { groups } = (await connection.request("GET", "/apis", { signal })) as RawGroups;
  return new Set(
    (groups ?? []).flatMap(({ versions }) => (versions ?? []).flatMap(({ groupVersion = [] }) => groupVersion)),
  );
}

type RawResources = { readonly resources?: readonly { readonly name?: string; readonly kind?: string }[] | null };

async function kindsOf(
  connection: Connection,
  { plurals, ...api }: PolicyApi,
  signal: AbortSignal,
): Promise<readonly ServedKind[]> {
  const groupVersion = `${api.group}/${api.version}`;
  const { resources } = (await connection.request("GET", `/apis/${groupVersion}`, { signal })) as RawResources;
  return (resources ?? []).flatMap(({ name = "", kind = "" }) =>
    plurals.includes(name) ? [{ ...api, plural: name, kind, id: `${groupVersion}/${name}` }] : [],
  );
}
