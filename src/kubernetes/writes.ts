import type { Manifest, ManifestReference } from "../policy/manifest.ts";
import { fieldManagers } from "../policy/marks.ts";
import type { Created, Deleted } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { manifestResource } from "./manifest-resources.ts";
import { parseManifest } from "./parse.ts";
import { collectionPath, objectPath, type Resource } from "./resources.ts";
import { servedKinds } from "./served-kinds.ts";

/**
 * POST. Its name is deterministic, so that a repeat collides with itself; where no answer came, whether the object is
 * there decides, and if it is not there the failure is thrown: it may still appear.
 */
export async function createObject(connection: Connection, object: Manifest): Promise<Created> {
  const path = collectionPath(manifestResource(object), object.metadata.namespace);
  try {
    const stored = await connection.request("POST", path, {
      query: { fieldManager: fieldManagers.objects, fieldValidation: "Strict" },
      body: object,
      repeatable: true,
    });
    return { kind: "created", object: parseManifest(stored) };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    const isThere = error.reason === "AlreadyExists";
    if (!isThere && !error.mayHaveTakenEffect) throw error;
    const existing = await getManifest(connection, object).catch(() => undefined);
    if (existing === undefined) throw error;
    return { kind: "exists", object: existing };
  }
}

/**
 * The object as it is stored; undefined where there is none, and where its API is gone. Throws where that API is served in
 * other versions only, or by its storage: then the object may be there and in force.
 */
export async function getManifest(connection: Connection, reference: ManifestReference): Promise<Manifest | undefined> {
  const { namespace, name } = reference.metadata;
  try {
    const raw = await getObject(connection, manifestResource(reference), namespace, name);
    return raw === undefined ? undefined : parseManifest(raw);
  } catch (error) {
    if (isNotServed(error) && !(await isServedOtherwise(connection, reference))) return undefined;
    throw error;
  }
}

/** DELETE with uid and resourceVersion as preconditions. */
export async function deleteManifest(
  connection: Connection,
  reference: ManifestReference,
  preconditions: Preconditions,
): Promise<Deleted> {
  try {
    return await deleteObject(connection, manifestResource(reference), reference.metadata, preconditions);
  } catch (error) {
    if (isNotServed(error) && !(await isServedOtherwise(connection, reference))) return { kind: "gone" };
    throw error;
  }
}

/** The 404 of an API that is not there names nothing: with its definition all objects of it went. */
function isNotServed(error: unknown): boolean {
  return error instanceof KubernetesError && error.kind === "not-found" && error.details.name === undefined;
}

/**
 * By discovery: an upgrade may drop a version, and Calico's own API be taken down, while the objects stay. What could not
 * be asked counts as served.
 */
async function isServedOtherwise(connection: Connection, reference: ManifestReference): Promise<boolean> {
  const { group, plural } = manifestResource(reference);
  const { kinds, unread, why } = await servedKinds(connection, AbortSignal.timeout(discoveredWithinMs));
  if (why !== undefined) return true;
  const isSame = (other: string): boolean => storageOf(other) === storageOf(group);
  return (
    kinds.some((kind) => isSame(kind.group) && kind.plural === plural) ||
    unread.some(({ groupVersion }) => isSame(groupVersion.split("/")[0] ?? ""))
  );
}

const discoveredWithinMs = 5_000;

function storageOf(group: string): string {
  return group === "projectcalico.org" ? "crd.projectcalico.org" : group;
}

/** The raw object; undefined where there is none of that name. */
export async function getObject(
  connection: Connection,
  resource: Resource,
  namespace: string | undefined,
  name: string,
): Promise<unknown> {
  try {
    return await connection.request("GET", objectPath(resource, namespace, name));
  } catch (error) {
    if (isAbsent(error, name)) return undefined;
    throw error;
  }
}

/** What must still be true of the object that is deleted. */
export type Preconditions = { readonly uid: string; readonly resourceVersion?: string };

/** `dryRun`: the server says what it would do, and does not. */
type Deletion = Preconditions & { readonly dryRun?: boolean };

/** DELETE of exactly that object; repeatable, since its uid never returns. */
export async function deleteObject(
  connection: Connection,
  resource: Resource,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
  { dryRun = false, ...preconditions }: Deletion,
): Promise<Deleted> {
  let again: Pick<Deleted, "isRetried"> = {};
  const onLost = (): void => {
    again = { isRetried: true };
  };
  try {
    const options = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    const body = dryRun ? { ...options, dryRun: ["All"] } : options;
    await connection.request("DELETE", objectPath(resource, namespace, name), { body, repeatable: true, onLost });
    return { kind: "deleted" };
  } catch (error) {
    if (isAbsent(error, name)) return { kind: "gone", ...again };
    if (isConflict(error)) return { kind: "conflict", ...again };
    throw error;
  }
}
