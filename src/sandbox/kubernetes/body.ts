import { isObject } from "./json.ts";
import { type Draft, isDraft } from "./objects.ts";
import { groupVersion, type Resource } from "./resources.ts";
import { type Decoded, decode } from "./schema.ts";
import { metadataSchema, schemaOf } from "./schemas.ts";
import { badRequest, StatusError } from "./status.ts";

/** `fieldValidation` of the query: what becomes of fields that the server does not know (default Warn, since 1.27). */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export type ReadDraft = { readonly draft: Draft; readonly warnings: readonly string[] };

export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get("fieldValidation") ?? "";
  return value === "Strict" || value === "Ignore" ? value : "Warn";
}

/**
 * A body as an object of this resource. Throws 400 where it is of another kind or type, and in Strict mode for unknown
 * fields; else those are dropped, with a warning each.
 */
export function readDraft(resource: Resource, body: unknown, mode: FieldValidation): ReadDraft {
  const { value, unknown } = decodeAs(resource, body);
  const problems = unknown.map((path) => `unknown field "${path}"`);
  if (mode === "Strict" && problems.length > 0) {
    const name = `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`;
    throw badRequest(`${name}: strict decoding error: ${problems.join(", ")}`);
  }
  return { draft: value, warnings: mode === "Warn" ? problems : [] };
}

/** The same after a patch, where every such refusal is a 422. */
export function readPatched(resource: Resource, body: unknown, mode: FieldValidation): ReadDraft {
  try {
    return readDraft(resource, body, mode);
  } catch (error) {
    if (!(error instanceof StatusError) || error.status.code !== 400) throw error;
    throw new StatusError(422, "Invalid", ` "" is invalid: patch: Invalid value: ${error.message}`, {
      causes: [{ reason: "FieldValueInvalid", message: error.message, field: "patch" }],
    });
  }
}

/** A configuration for server-side apply, which knows no lenience: 500 for an unknown field, as the server answers. */
export function readConfiguration(resource: Resource, body: unknown): Draft {
  const { value, unknown } = decodeAs(resource, body);
  if (unknown.length === 0) return value;
  const { namespace, name } = value.metadata;
  const what = `${namespace ?? ""}/${name ?? ""}; ${groupVersion(resource)}, Kind=${resource.kind}`;
  const fields = unknown.map((path) => `.${path}: field not declared in schema`).join(", ");
  throw new StatusError(500, undefined, `failed to create typed patch object (${what}): ${fields}`);
}

function decodeAs(resource: Resource, body: unknown): Decoded & { readonly value: Draft } {
  if (!isObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`);
  const { apiVersion = groupVersion(resource), kind = resource.kind } = body;
  if (kind !== resource.kind || apiVersion !== groupVersion(resource)) {
    throw badRequest(`${String(kind)} in version "${String(apiVersion)}" cannot be handled as a ${resource.kind}`);
  }
  const whole = { ...body, apiVersion, kind, metadata: body["metadata"] ?? {} };
  const schema = schemaOf(resource.group, resource.kind);
  const { value, unknown } = decode(
    schema ?? metadataSchema,
    schema === undefined ? { metadata: whole.metadata } : whole,
    resource.kind,
  );
  const draft = schema === undefined ? { ...whole, ...(isObject(value) ? value : {}) } : value;
  if (!isDraft(draft)) throw badRequest(`the object provided is unrecognized (must be of type ${resource.kind})`);
  return { value: draft, unknown };
}
