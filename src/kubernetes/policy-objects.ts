import type { Connection } from "./connection.ts";
import { listAll } from "./list.ts";
import { type PolicyApi, policyApis } from "./policy-apis.ts";
import { collectionPath } from "./resources.ts";

/** An object of any policy API as it is on the wire, without managedFields. */
export type PolicyObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly [field: string]: unknown;
};

/** The policy objects of the APIs beside NetworkPolicy, over all namespaces. An API that is not served has none. */
export type PolicyObjects = {
  readonly objects: readonly PolicyObject[];
  /** The API groups that the cluster serves; empty where it did not tell. */
  readonly groups: readonly string[];
  /** What is served, or may be, and could not be read: a verdict without it may be wrong. */
  readonly unread: readonly Unread[];
};

export type Unread = {
  /** `ciliumnetworkpolicies.cilium.io`, `the APIs of crd.antrea.io/v1beta1`. */
  readonly what: string;
  /** The server's words, or the transport's: hostile. */
  readonly why: string;
};

/** By discovery, each API on its own: what fails is named, and the others are read. Never rejects. */
export async function listPolicyObjects(connection: Connection, signal: AbortSignal): Promise<PolicyObjects> {
  const reader: Reader = { connection, signal, unread: [] };
  const served = await reading(reader, "the list of the APIs that the cluster serves", () => groupVersions(reader));
  const wanted = policyApis.filter(({ group, version }) => served?.has(`${group}/${version}`));
  const apis = [...wanted, ...otherVersions(served ?? new Set())];
  const kinds = (await Promise.all(apis.map((api) => kindsOf(reader, api)))).flat();
  const known = new Set(kinds.map(({ id }) => id));
  const listed = kinds
    .filter(({ unless }) => unless === undefined || !known.has(unless))
    .filter((kind, index, all) => index === all.findIndex((each) => isSame(each, kind)));
  const objects = (await Promise.all(listed.map((kind) => objectsOf(reader, kind)))).flat();
  const groups = new Set([...(served ?? [])].map((each) => each.split("/")[0] ?? ""));
  return { objects, groups: [...groups], unread: reader.unread };
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

/** In several versions of a group lie the same objects: they are read in the first. */
function isSame(a: ServedKind, b: ServedKind): boolean {
  return a.group === b.group && a.plural === b.plural;
}

type Reader = { readonly connection: Connection; readonly signal: AbortSignal; readonly unread: Unread[] };

type ServedKind = Omit<PolicyApi, "plurals"> & { readonly id: string; readonly plural: string; readonly kind: string };

/** What could not be read is noted, and is then undefined. */
async function reading<T>(reader: Reader, what: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    reader.unread.push({ what, why: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

type RawGroups = {
  readonly groups?: readonly { readonly versions?: readonly { readonly groupVersion?: string }[] }[] | null;
};

/** `cilium.io/v2`, … The list also has aggregated APIs that do not answer: asking those fails, and is noted. */
async function groupVersions({ connection, signal }: Reader): Promise<ReadonlySet<string>> {
  const { groups } = (await connection.request("GET", "/apis", { signal })) as RawGroups;
  return new Set(
    (groups ?? []).flatMap(({ versions }) => (versions ?? []).flatMap(({ groupVersion = [] }) => groupVersion)),
  );
}

type RawResources = { readonly resources?: readonly { readonly name?: string; readonly kind?: string }[] | null };

async function kindsOf(reader: Reader, api: PolicyApi): Promise<readonly ServedKind[]> {
  const { plurals, ...rest } = api;
  const groupVersion = `${api.group}/${api.version}`;
  const { connection, signal } = reader;
  const answer = await reading(reader, `the APIs of ${groupVersion}`, async () => {
    const { resources } = (await connection.request("GET", `/apis/${groupVersion}`, { signal })) as RawResources;
    return resources ?? [];
  });
  return (answer ?? []).flatMap(({ name = "", kind = "" }) =>
    plurals.includes(name) ? [{ ...rest, plural: name, kind, id: `${groupVersion}/${name}` }] : [],
  );
}

async function objectsOf(reader: Reader, served: ServedKind): Promise<readonly PolicyObject[]> {
  const { group, version, plural, kind } = served;
  const parse = (raw: unknown) => parseObject(raw, `${group}/${version}`, kind);
  const listed = await reading(reader, `${plural}.${group}`, () =>
    listAll(reader.connection, collectionPath(served), parse, { signal: reader.signal }),
  );
  return listed?.items ?? [];
}

type RawPolicyObject = { readonly metadata?: Record<string, unknown> };

/** Items of a list may come without apiVersion and kind. */
function parseObject(raw: unknown, apiVersion: string, kind: string): PolicyObject {
  const { metadata = {}, ...rest } = raw as RawPolicyObject;
  const { managedFields: _, name, namespace, ...meta } = metadata;
  const named = { name: String(name), ...(typeof namespace === "string" ? { namespace } : {}) };
  return { ...rest, apiVersion, kind, metadata: { ...meta, ...named } };
}
