import { z } from "zod";
import { didYouMean } from "./policy/suggest.ts";
import { nameOfType } from "./policy/yaml-types.ts";

export type Path = readonly PropertyKey[];

/** Something that is wrong at a place of a document; the text goes on after the place. */
export type Finding = { readonly path: Path; readonly text: string };

/** As much of a JSON schema as tells which keys there are. */
type Shape = {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly additionalProperties?: Shape | boolean;
  /** Kinds of a mapping that are told apart by one key, whose `const` each has. */
  readonly oneOf?: readonly Shape[];
  readonly const?: unknown;
};

/** One line for each thing that the schema finds wrong with the document: the key's path, and what is expected there. */
export function schemaProblems(schema: z.ZodType, error: z.ZodError, document: unknown): readonly string[] {
  return schemaFindings(schema, error, document).map(({ path, text }) => problem(path, text));
}

/** The same, each with its path. */
export function schemaFindings(schema: z.ZodType, error: z.ZodError, document: unknown): readonly Finding[] {
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [{ path: issue.path, text: expectation(issue, document) }];
    const known = keysOf(shapeAt(shape, issue.path), valueAt(document, issue.path));
    return issue.keys.map((key) => ({ path: [...issue.path, key], text: unknownKey(key, known) }));
  });
}

/** Entries of one list that bear the same `name`: whoever names one would get either. */
export function duplicateNames(document: unknown, path: Path = []): readonly string[] {
  if (typeof document !== "object" || document === null) return [];
  const deeper = Object.entries(document).flatMap(([key, value]) => duplicateNames(value, [...path, key]));
  if (!Array.isArray(document)) return deeper;
  const names = document.map((entry: { name?: unknown } | null) => entry?.name);
  const repeated = names.flatMap((name, index) => {
    const first = names.indexOf(name);
    const same = typeof name === "string" && first < index;
    return same ? [problem([...path, index, "name"], `is the name of ${[...path, first].join(".")} already`)] : [];
  });
  return [...repeated, ...deeper];
}

function problem(path: Path, text: string): string {
  return `${path.map(String).join(".") || "configuration"}: ${text}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known) || (known.length > 0 ? ` Keys are: ${known.join(", ")}.` : "");
  return `is no key here.${hint}`;
}

/** Those that the value may have; of kinds those of its own kind. */
function keysOf(shape: Shape | undefined, value: unknown): readonly string[] {
  const isOfKind = ({ properties = {} }: Shape): boolean =>
    Object.entries(properties).every(([key, one]) => one.const === undefined || one.const === valueAt(value, [key]));
  return Object.keys((shape?.oneOf?.find(isOfKind) ?? shape)?.properties ?? {});
}

function expectation(issue: z.core.$ZodIssue, document: unknown): string {
  const value = valueAt(document, issue.path);
  if (issue.code === "invalid_type") return `${found(value)}; expected ${nameOfType(issue.expected)}`;
  if (issue.code === "invalid_value") return oneOf(issue.values, value);
  if (issue.code === "invalid_key" && issue.issues[0] !== undefined) return expectation(issue.issues[0], value);
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    return issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first, value)])).join("; or ");
  }
  if (issue.code === "invalid_union" && "options" in issue) return oneOf(issue.options ?? [], value);
  return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
}

function oneOf(known: readonly unknown[], value: unknown): string {
  const values = known.map(String);
  const hint = typeof value === "string" ? didYouMean(value, values) : "";
  return `expected one of ${values.join(", ")}.${hint}`;
}

function found(value: unknown): string {
  if (value === undefined) return "is missing";
  if (value === null) return "is empty";
  return `is ${nameOfType(Array.isArray(value) ? "array" : typeof value)}`;
}

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    document,
  );
}

function shapeAt(shape: Shape, path: Path): Shape | undefined {
  return path.reduce<Shape | undefined>((at, key) => {
    if (typeof key === "number") return at?.items;
    const any = at?.additionalProperties;
    return at?.properties?.[String(key)] ?? (typeof any === "object" ? any : undefined);
  }, shape);
}
