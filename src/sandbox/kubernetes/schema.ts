import { isObject, type JsonObject, put } from "./json.ts";
import { badRequest } from "./status.ts";

/** The shape of a value on the wire, as the Go types of the server have it. `any` is kept as it is. */
export type Schema =
  | "string"
  | "integer"
  | "boolean"
  | "intOrString"
  | "time"
  | "microTime"
  | "any"
  | { readonly list: Schema }
  | { readonly map: Schema }
  | { readonly fields: Readonly<Record<string, Schema>> };

export type Decoded = {
  /** Without unknown fields, nulls, and empty lists and maps, which the server does not keep either. */
  readonly value: unknown;
  /** Paths of the fields that the schema does not have. */
  readonly unknown: readonly string[];
};

/** Reads a body as the server decodes it; 400 where a value has another type than its field. */
export function decode(schema: Schema, body: unknown, kind: string): Decoded {
  const unknown: string[] = [];
  return { value: read(schema, body, { path: "", kind, unknown }), unknown };
}

type Place = { readonly path: string; readonly kind: string; readonly unknown: string[] };

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const rfc3339Micro = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

function read(schema: Schema, value: unknown, place: Place): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof schema === "string") return scalars[schema](value, place);
  if ("list" in schema) return readList(schema.list, value, place);
  return "map" in schema ? readMap(schema.map, value, place) : readFields(schema.fields, value, place);
}

type Reader = (value: unknown, place: Place) => unknown;

const scalars: Readonly<Record<Schema & string, Reader>> = {
  any: (value) => value,
  string: (value, place) => (typeof value === "string" ? value : mismatch(value, "string", place)),
  boolean: (value, place) => (typeof value === "boolean" ? value : mismatch(value, "bool", place)),
  integer: (value, place) => (Number.isInteger(value) ? value : mismatch(value, "int32", place)),
  intOrString: (value, place) =>
    typeof value === "string" || Number.isInteger(value) ? value : mismatch(value, "intstr.IntOrString", place),
  time: (value, place) => readTime(value, rfc3339, "2006-01-02T15:04:05Z07:00", place),
  microTime: (value, place) => readTime(value, rfc3339Micro, "2006-01-02T15:04:05.000000Z07:00", place),
};

/** Times are stored in UTC: metav1.Time to the second, MicroTime with the six decimals that it must come with. */
function readTime(value: unknown, form: RegExp, layout: string, place: Place): unknown {
  if (typeof value !== "string") return mismatch(value, "Time", place);
  const ms = Date.parse(value);
  if (!form.test(value) || Number.isNaN(ms))
    throw unreadable(place, `parsing time "${value}" as "${layout}": cannot parse it`);
  const seconds = new Date(ms).toISOString().slice(0, 19);
  return form === rfc3339Micro ? `${seconds}${/\.\d{6}/.exec(value)?.[0] ?? ""}Z` : `${seconds}Z`;
}

function readList(item: Schema, value: unknown, place: Place): unknown {
  if (!Array.isArray(value)) return mismatch(value, "[]", place);
  // null in a list is the zero value of the item, not an absence.
  const items = value.map((each, index) => read(item, each ?? zero(item), within(place, `[${index}]`)));
  return items.length === 0 ? undefined : items;
}

function readMap(item: Schema, value: unknown, place: Place): unknown {
  if (!isObject(value)) return mismatch(value, "map[string]", place);
  const result: JsonObject = {};
  for (const [key, each] of Object.entries(value))
    put(result, key, read(item, each ?? zero(item), within(place, `.${key}`)));
  return Object.keys(result).length === 0 ? undefined : result;
}

function readFields(fields: Readonly<Record<string, Schema>>, value: unknown, place: Place): unknown {
  if (!isObject(value)) return mismatch(value, "struct", place);
  const result: JsonObject = {};
  for (const [key, each] of Object.entries(value)) {
    const inside = within(place, `.${key}`);
    const schema = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (schema === undefined) place.unknown.push(inside.path.slice(1));
    else {
      const read_ = read(schema, each, inside);
      if (read_ !== undefined) result[key] = read_;
    }
  }
  return result;
}

function within(place: Place, step: string): Place {
  return { ...place, path: `${place.path}${step}` };
}

function zero(schema: Schema): unknown {
  if (typeof schema !== "string") return "list" in schema ? [] : {};
  return schema === "integer" ? 0 : schema === "boolean" ? false : schema === "any" ? null : "";
}

function mismatch(value: unknown, type: string, place: Place): never {
  const given = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  throw unreadable(
    place,
    `json: cannot unmarshal ${given} into Go struct field ${place.path.slice(1)} of type ${type}`,
  );
}

function unreadable({ kind }: Place, problem: string): Error {
  return badRequest(`${kind} cannot be handled as a ${kind}: ${problem}`);
}
