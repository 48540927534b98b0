import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { fieldManagers } from "../policy/marks.ts";
import type { JsonPatchOperation } from "../policy/objects.ts";
import type { Patched } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { parsePod } from "./parse.ts";
import { objectPath, type Resource, resources } from "./resources.ts";
import { getObject } from "./writes.ts";

/** What is patched: where it lies, and as whom. */
export type Patching = {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly fieldManager: string;
};

type Patch = readonly JsonPatchOperation[];

/** With the object as it is stored then, raw. */
type PatchedRaw = { readonly kind: "patched"; readonly raw: unknown } | { readonly kind: "gone" | "conflict" };

const mostTries = 4;

/** The same of a pod. */
export async function patchPod(
  connection: Connection,
  pod: { readonly namespace: string; readonly name: string },
  patch: Patch,
): Promise<Patched> {
  const target = { ...pod, resource: resources.pods, fieldManager: fieldManagers.labels };
  const answer = await patchObject(connection, target, patch);
  return answer.kind === "patched" ? { kind: "patched", pod: parsePod(answer.raw) } : answer;
}

/**
 * JSON Patch. `conflict` says that this call changed nothing. Where no answer came, the object decides: if it is as the
 * patch makes it, it is `patched`; if not, it is sent again after a broken connection or a 5xx, since its tests let it
 * take effect once; a server that did not answer in time is not made to wait for again, and anything else is thrown.
 */
export async function patchObject(connection: Connection, target: Patching, patch: Patch): Promise<PatchedRaw> {
  for (let tries = 1; ; tries++) {
    try {
      return await (tries === 1 ? send(connection, target, patch) : sendAgain(connection, target, patch));
    } catch (error) {
      if (!(error instanceof KubernetesError) || !error.mayHaveTakenEffect) throw error;
      const found = await readBack(connection, target, patch).catch(() => {
        throw error;
      });
      if (found !== "otherwise") return found;
      if (tries >= mostTries || (error.kind !== "unreachable" && error.kind !== "server-error")) throw error;
      await wait(100 * 2 ** tries * (0.5 + Math.random()));
    }
  }
}

async function send(connection: Connection, target: Patching, patch: Patch): Promise<PatchedRaw> {
  const { resource, namespace, name, fieldManager } = target;
  try {
    const raw = await connection.request("PATCH", objectPath(resource, namespace, name), {
      query: { fieldManager },
      body: patch,
      contentType: "application/json-patch+json",
    });
    return { kind: "patched", raw };
  } catch (error) {
    if (isAbsent(error, name)) return { kind: "gone" };
    if (isConflict(error) || doesNotApply(error)) return { kind: "conflict" };
    throw error;
  }
}

/**
 * The API server answers 422 without any detail where a test failed or a path is missing (apiserver, handlers/patch.go:
 * NewGenericServerResponse); a 422 of validation names the object and its fields.
 */
function doesNotApply(error: unknown): boolean {
  if (!(error instanceof KubernetesError) || error.code !== 422) return false;
  return error.reason === "Invalid" && error.details.name === undefined && error.details.causes === undefined;
}

/** An earlier try may take effect as late as now; then this one's tests fail. */
async function sendAgain(connection: Connection, target: Patching, patch: Patch): Promise<PatchedRaw> {
  const answer = await send(connection, target, patch);
  if (answer.kind !== "conflict") return answer;
  const found = await readBack(connection, target, patch);
  return found === "otherwise" ? answer : found;
}

async function readBack(connection: Connection, target: Patching, patch: Patch): Promise<PatchedRaw | "otherwise"> {
  const raw = await getObject(connection, target.resource, target.namespace, target.name);
  if (raw === undefined) return { kind: "gone" };
  return patch.every((operation) => holds(operation, raw)) ? { kind: "patched", raw } : "otherwise";
}

/** Whether the object is as the operation leaves it. Of the tests only the uid's is still true afterwards. */
function holds(operation: JsonPatchOperation, object: unknown): boolean {
  const { op, path } = operation;
  if (op === "remove") return valueAt(object, path) === undefined;
  if (op === "test" && path !== "/metadata/uid") return true;
  return isDeepStrictEqual(valueAt(object, path), operation.value);
}

/** RFC 6901. */
function valueAt(object: unknown, pointer: string): unknown {
  const keys = pointer.split("/").slice(1);
  return keys
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}
