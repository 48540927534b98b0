// The default import: Node sees no named exports in this CommonJS package, although bundlers do.
import jsonPatch from "fast-json-patch";
import { copy, isObject, type JsonObject, put } from "./json.ts";
import { badRequest, StatusError } from "./status.ts";

/**
 * RFC 6902. 400 where the body is no patch; 422 without details, as the server answers, where an operation does not
 * fit the object or a `test` fails.
 */
export function applyJsonPatch(document: JsonObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  const operations = copy(patch) as jsonPatch.Operation[];
  try {
    return jsonPatch.applyPatch(copy(document), operations, true, true).newDocument;
  } catch (error) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    throw new StatusError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  }
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
