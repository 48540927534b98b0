import type { Connection } from "./connection.ts";
import { listAll } from "./list.ts";
import { collectionPath } from "./resources.ts";
import { attempt, distinctKinds, type Served, type ServedKind, servedKinds } from "./served-kinds.ts";

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
  const served = await servedKinds(connection, signal);
  const lists = await Promise.all(
    distinctKinds(served.kinds).map(async (kind) => ({
      what: `${kind.plural}.${kind.group}`,
      found: await attempt(() => objectsOf(connection, kind, signal)),
    })),
  );
  return {
    objects: lists.flatMap(({ found }) => (found.read ? found.value : [])),
    unread: [
      ...undiscovered(served),
      ...lists.flatMap(({ what, found }) => (found.read ? [] : [{ what, why: found.why }])),
    ],
  };
}

function undiscovered({ why, unread }: Served): readonly Unread[] {
  const list = "the list of the APIs that the cluster serves";
  return [
    ...(why === undefined ? [] : [{ what: list, why }]),
    ...unread.map((each) => ({ what: `the APIs of ${each.groupVersion}`, why: each.why })),
  ];
}

async function objectsOf(
  connection: Connection,
  served: ServedKind,
  signal: AbortSignal,
): Promise<readonly PolicyObject[]> {
  const { group, version, kind } = served;
  const parse = (raw: unknown) => parseObject(raw, `${group}/${version}`, kind);
  return (await listAll(connection, collectionPath(served), parse, { signal })).items;
}

type RawPolicyObject = { readonly metadata?: Record<string, unknown> };

/** Items of a list may come without apiVersion and kind. */
function parseObject(raw: unknown, apiVersion: string, kind: string): PolicyObject {
  const { metadata = {}, ...rest } = raw as RawPolicyObject;
  const { managedFields: _, name, namespace, ...meta } = metadata;
  const named = { name: String(name), ...(typeof namespace === "string" ? { namespace } : {}) };
  return { ...rest, apiVersion, kind, metadata: { ...meta, ...named } };
}
