// The default import: Node sees no named exports in this CommonJS package, although bundlers do.
import jsonPatch from "fast-json-patch";
import { at, copy, isObject, type JsonObject, put } from "./json.ts";
import { badRequest, StatusError } from "./status.ts";

/**
 * RFC 6902. 400 where the body is no patch; 422 without details, as the server answers, where an operation does not
 * fit the object or a `test` fails.
 */
export function applyJsonPatch(document: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  const operations = copy(patch) as jsonPatch.Operation[];
  try {
    return operations.reduce<unknown>(
      (here, operation) =>
        testsForAbsence(here, operation) ? here : jsonPatch.applyOperation(here, operation, true, true).newDocument,
      copy(document),
    );
  } catch (error) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    throw new StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  }
}

/** The server's library lets a test for null hold where the member is absent; RFC 6902 does not. */
function testsForAbsence(document: unknown, { op, path, ...rest }: jsonPatch.Operation): boolean {
  if (op !== "test" || at(rest, "value") !== null || typeof path !== "string") return false;
  const steps = path.split("/").slice(1).map(jsonPatch.unescapePathComponent);
  const parent = at(document, ...steps.slice(0, -1));
  return isObject(parent) && !Object.hasOwn(parent, steps.at(-1) ?? "");
}

/** RFC 7386. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else put(result, key, applyMergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}
