import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { fieldManagers } from "../policy/marks.ts";
import type { JsonPatchOperation } from "../policy/objects.ts";
import type { Patched } from "./cluster.ts";
import type { Connection } from "./connection.ts";
import { isAbsent, isConflict, KubernetesError } from "./failure.ts";
import { parsePod } from "./parse.ts";
import { objectPath, resources } from "./resources.ts";
import { getObject } from "./writes.ts";

type PodName = { readonly namespace: string; readonly name: string };
type Patch = readonly JsonPatchOperation[];

const mostTries = 4;

/**
 * JSON Patch. `conflict` says that this call changed nothing. Where no answer came, the pod decides: if it is as the
 * patch makes it, it is `patched`; if not, it is sent again after a broken connection or a 5xx, since its tests let it
 * take effect once; a server that did not answer in time is not made to wait for again, and anything else is thrown.
 */
export async function patchPod(connection: Connection, pod: PodName, patch: Patch): Promise<Patched> {
  for (let tries = 1; ; tries++) {
    try {
      return await (tries === 1 ? send(connection, pod, patch) : sendAgain(connection, pod, patch));
    } catch (error) {
      if (!(error instanceof KubernetesError) || !error.mayHaveTakenEffect) throw error;
      const found = await readBack(connection, pod, patch).catch(() => {
        throw error;
      });
      if (found !== "otherwise") return found;
      if (tries >= mostTries || (error.kind !== "unreachable" && error.kind !== "server-error")) throw error;
      await wait(100 * 2 ** tries * (0.5 + Math.random()));
    }
  }
}

async function send(connection: Connection, { namespace, name }: PodName, patch: Patch): Promise<Patched> {
  try {
    const stored = await connection.request("PATCH", objectPath(resources.pods, namespace, name), {
      query: { fieldManager: fieldManagers.labels },
      body: patch,
      contentType: "application/json-patch+json",
    });
    return { kind: "patched", pod: parsePod(stored) };
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
async function sendAgain(connection: Connection, pod: PodName, patch: Patch): Promise<Patched> {
  const answer = await send(connection, pod, patch);
  if (answer.kind !== "conflict") return answer;
  const found = await readBack(connection, pod, patch);
  return found === "otherwise" ? answer : found;
}

async function readBack(
  connection: Connection,
  { namespace, name }: PodName,
  patch: Patch,
): Promise<Patched | "otherwise"> {
  const raw = await getObject(connection, resources.pods, namespace, name);
  if (raw === undefined) return { kind: "gone" };
  return patch.every((operation) => holds(operation, raw)) ? { kind: "patched", pod: parsePod(raw) } : "otherwise";
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
