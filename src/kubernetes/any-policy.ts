import { setTimeout as wait } from "node:timers/promises";
import type { Manifest, ManifestReference } from "../policy/manifest.ts";
import { fieldManagers, marks } from "../policy/marks.ts";
import type { ObjectVersion } from "../policy/objects.ts";
import { type Image, imageOf, type OwnerReference, type RawPolicy, sameImage } from "../policy/revision.ts";
import type { Deleted } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { createKindDiscovery, type KindDiscovery } from "./kind-discovery.ts";
import { parseRawPolicy } from "./raw-policy.ts";
import { collectionPath, objectPath } from "./resources.ts";
import { deleteObject, getObject } from "./writes.ts";

/** `dryRun`: all that the server would do and say, its webhooks included, and nothing is stored. */
export type WriteOptions = { readonly dryRun?: boolean };

/** `object` is as it is stored, or would be; of `exists` the one that is there. */
export type CreatedPolicy = { readonly kind: "created" | "exists"; readonly object: RawPolicy };
export type ReplacedPolicy =
  | { readonly kind: "replaced"; readonly object: RawPolicy }
  | { readonly kind: "gone" | "conflict" };

/**
 * Policies of any API that the cluster serves, raw. What the server's rules refuse (403, 422, a webhook) throws
 * KubernetesError, as does a kind that is not served; `isNamespaceTerminating` tells a namespace that is being deleted.
 */
export type AnyPolicy = {
  /** From the API server; undefined where it is not there. */
  read(reference: ManifestReference): Promise<RawPolicy | undefined>;
  /** POST. One that is there and bears the same undo is what an earlier try made: `created`. */
  create(object: Image, options?: WriteOptions): Promise<CreatedPolicy>;
  /** PUT of the whole object on that version; `conflict` says that this call changed nothing. */
  replace(object: Image, version: ObjectVersion, options?: WriteOptions): Promise<ReplacedPolicy>;
  /** DELETE with uid and resourceVersion as preconditions. */
  delete(reference: ManifestReference, version: ObjectVersion, options?: WriteOptions): Promise<Deleted>;
  /**
   * Whether the owner with that uid is there, in the namespace of what it owns where its kind is namespaced. Undefined
   * where nobody can say: its kind is not served, or may not be read.
   */
  ownerExists(owner: OwnerReference, namespace: string | undefined): Promise<boolean | undefined>;
};

export function createAnyPolicy(connection: Connection): AnyPolicy {
  const kinds = createKindDiscovery(connection);
  const read = async (reference: ManifestReference): Promise<RawPolicy | undefined> => {
    const raw = await readRaw(connection, kinds, reference);
    return raw === undefined ? undefined : parseRawPolicy(raw, reference);
  };
  return {
    read,
    async create(object, { dryRun = false } = {}) {
      const path = collectionPath(await kinds.policy(object), object.metadata.namespace);
      try {
        const options = { query: queryOf(dryRun), body: object, repeatable: true };
        const raw = await connection.request("POST", path, options);
        return { kind: "created", object: parseRawPolicy(raw, object) };
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (error.reason !== "AlreadyExists" && (dryRun || !error.mayHaveTakenEffect)) throw error;
        const existing = await read(object).catch(() => undefined);
        if (existing === undefined) throw error;
        return { kind: !dryRun && bearsSameUndo(existing, object) ? "created" : "exists", object: existing };
      }
    },
    replace: (object, version, { dryRun = false } = {}) => replace({ connection, kinds, object, version, dryRun }),
    async delete(reference, { uid, resourceVersion }, { dryRun = false } = {}) {
      const resource = await kinds.policy(reference);
      return deleteObject(connection, resource, reference.metadata, { uid, resourceVersion, dryRun });
    },
    ownerExists: (owner, namespace) => ownerExists(connection, kinds, owner, namespace),
  };
}

async function readRaw(connection: Connection, kinds: KindDiscovery, reference: ManifestReference): Promise<unknown> {
  const { namespace, name } = reference.metadata;
  return getObject(connection, await kinds.policy(reference), namespace, name);
}

function queryOf(dryRun: boolean) {
  const fieldManager = fieldManagers.objects;
  return { fieldManager, fieldValidation: "Strict", ...(dryRun ? { dryRun: "All" } : {}) };
}

type Replacing = {
  readonly connection: Connection;
  readonly kinds: KindDiscovery;
  readonly object: Image;
  readonly version: ObjectVersion;
  readonly dryRun: boolean;
};

const mostTries = 4;

/**
 * Where no answer came, the object decides: as it was, it is sent again after a broken connection or a 5xx, since its
 * version lets it take effect once; as it was to be, it is `replaced`; else the failure is thrown.
 */
async function replace(replacing: Replacing): Promise<ReplacedPolicy> {
  for (let tries = 1; ; tries++) {
    try {
      return await put(replacing, tries > 1);
    } catch (error) {
      if (!(error instanceof KubernetesError) || !error.mayHaveTakenEffect || replacing.dryRun) throw error;
      const isBrief = error.kind === "unreachable" || error.kind === "server-error";
      const found = await lookUp(replacing, error);
      if (found !== "as before") return found;
      if (!isBrief || tries >= mostTries) throw error;
      await wait(100 * 2 ** tries * (0.5 + Math.random()));
    }
  }
}

/** A kind without a status of its own would lose it by a PUT that leaves it out, so that it is sent as it is. */
async function put(replacing: Replacing, again: boolean): Promise<ReplacedPolicy> {
  const { connection, kinds, object, version, dryRun } = replacing;
  const { namespace, name } = object.metadata;
  const current = await readRaw(connection, kinds, object);
  if (current === undefined) return { kind: "gone" };
  const { metadata, status } = current as RawPolicy;
  if (metadata.uid !== version.uid) return { kind: "conflict" };
  if (metadata.resourceVersion !== version.resourceVersion)
    return again ? ours(replacing, current) : { kind: "conflict" };
  const { uid, resourceVersion } = version;
  const body = {
    ...object,
    metadata: { ...object.metadata, uid, resourceVersion },
    ...(status === undefined ? {} : { status }),
  };
  try {
    const path = objectPath(await kinds.policy(object), namespace, name);
    const raw = await connection.request("PUT", path, { query: queryOf(dryRun), body, repeatable: dryRun });
    return { kind: "replaced", object: parseRawPolicy(raw, object) };
  } catch (error) {
    if (isAbsent(error, name)) return { kind: "gone" };
    if (!isConflict(error)) throw error;
    return again ? ours(replacing, await readRaw(connection, kinds, object)) : { kind: "conflict" };
  }
}

/** An earlier try may have taken effect as late as now. */
function ours({ object }: Replacing, raw: unknown): ReplacedPolicy {
  if (raw === undefined) return { kind: "conflict" };
  const stored = parseRawPolicy(raw, object);
  return isAsSent(stored, object) ? { kind: "replaced", object: stored } : { kind: "conflict" };
}

async function lookUp(replacing: Replacing, failure: KubernetesError): Promise<ReplacedPolicy | "as before"> {
  const { connection, kinds, object, version } = replacing;
  const raw = await readRaw(connection, kinds, object).catch(() => {
    throw failure;
  });
  if (raw === undefined) throw failure;
  const stored = parseRawPolicy(raw, object);
  if (stored.metadata.resourceVersion === version.resourceVersion) return "as before";
  if (stored.metadata.uid === version.uid && isAsSent(stored, object)) return { kind: "replaced", object: stored };
  throw failure;
}

function isAsSent(stored: RawPolicy, sent: Image): boolean {
  return bearsSameUndo(stored, sent) && sameImage(imageOf(stored), imageOf(sent));
}

function bearsSameUndo(stored: Manifest, sent: Manifest): boolean {
  const undo = sent.metadata.annotations?.[marks.undo];
  return undo !== undefined && stored.metadata.annotations?.[marks.undo] === undo;
}

async function ownerExists(
  connection: Connection,
  kinds: KindDiscovery,
  owner: OwnerReference,
  namespace: string | undefined,
): Promise<boolean | undefined> {
  try {
    const resource = await kinds.find(owner);
    if (resource === undefined) return undefined;
    // Of a namespaced kind, what is cluster-scoped has no owner that counts (garbage collector: OwnerRefInvalidNamespace).
    if (resource.namespaced && namespace === undefined) return false;
    const raw = await getObject(connection, resource, resource.namespaced ? namespace : undefined, owner.name);
    return raw !== undefined && (raw as RawPolicy).metadata.uid === owner.uid;
  } catch (error) {
    if (error instanceof KubernetesError && error.kind === "forbidden") return undefined;
    throw error;
  }
}
