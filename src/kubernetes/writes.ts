import { fieldManagers } from "../policy/marks.ts";
import type { NetworkPolicy } from "../policy/objects.ts";
import type { Created, Deleted } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { parsePolicy } from "./parse.ts";
import { collectionPath, objectPath, type Resource, resources } from "./resources.ts";

/**
 * POST. Its name is deterministic, so that a repeat collides with itself; where no answer came, whether the object is
 * there decides, and if it is not there the failure is thrown: it may still appear.
 */
export async function createPolicy(connection: Connection, policy: NetworkPolicy): Promise<Created> {
  const { namespace, name } = policy.metadata;
  try {
    const stored = await connection.request("POST", collectionPath(resources.policies, namespace), {
      query: { fieldManager: fieldManagers.objects, fieldValidation: "Strict" },
      body: policy,
      repeatable: true,
    });
    return { kind: "created", object: parsePolicy(stored) };
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    const isThere = error.reason === "AlreadyExists";
    if (!isThere && !error.mayHaveTakenEffect) throw error;
    const object = await getPolicy(connection, namespace, name).catch(() => undefined);
    if (object === undefined) throw error;
    return { kind: "exists", object };
  }
}

export async function getPolicy(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<NetworkPolicy | undefined> {
  const raw = await getObject(connection, resources.policies, namespace, name);
  return raw === undefined ? undefined : parsePolicy(raw);
}

/** The raw object; undefined where there is none of that name. */
export async function getObject(
  connection: Connection,
  resource: Resource,
  namespace: string,
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

/** DELETE of exactly that object; repeatable, since its uid never returns. */
export async function deleteObject(
  connection: Connection,
  resource: Resource,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  preconditions: Preconditions,
): Promise<Deleted> {
  try {
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    await connection.request("DELETE", objectPath(resource, namespace, name), { body, repeatable: true });
    return { kind: "deleted" };
  } catch (error) {
    if (isAbsent(error, name)) return { kind: "gone" };
    if (isConflict(error)) return { kind: "conflict" };
    throw error;
  }
}
