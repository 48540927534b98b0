import type { z } from "zod";
import { nameOfType } from "../policy/yaml-types.ts";
import type { Problem } from "./model.ts";

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/**
 * Everything that a schema found wrong, each by its JSON path; an unknown field by its own path, and of the alternatives
 * of a union the one that was most likely meant. Messages are the predicate of a sentence whose subject is the field.
 * Where a field is unknown, nothing is said of those that its mapping lacks for it.
 */
export function problemsOf(error: z.ZodError): readonly Problem[] {
  const misspelt = new Set(
    error.issues.filter(({ code }) => code === "unrecognized_keys").map(({ path }) => fieldName(path)),
  );
  return error.issues
    .filter(({ code, path }) => code !== "custom" || !misspelt.has(fieldName(path)))
    .flatMap((issue) => problems(issue, issue.path));
}

/** `spec.ingress[0].from[1]`, `metadata.labels["app.kubernetes.io/name"]`. */
function fieldName(path: Path): string {
  const text = path.map((key) => {
    if (typeof key === "number") return `[${key}]`;
    return /^[\w-]+$/.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(String(key))}]`;
  });
  return text.join("").replace(/^\./, "");
}

function problems(issue: Issue, path: Path): readonly Problem[] {
  if (issue.code === "unrecognized_keys") {
    const message = issue.message.startsWith("Unrecognized") ? "is no field here" : issue.message;
    return issue.keys.map((key) => ({ field: fieldName([...path, key]), message }));
  }
  const meant = issue.code === "invalid_union" ? mostTelling(issue.errors) : undefined;
  if (meant !== undefined) return meant.flatMap((inner) => problems(inner, [...path, ...inner.path]));
  return [{ field: fieldName(path), message: messageOf(issue) }];
}

/** Of a union's alternatives the one that fits the value's own type; undefined where none or several do. */
function mostTelling(alternatives: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = alternatives.filter((issues) => !issues.some(isOfWrongType));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isOfWrongType(issue: Issue): boolean {
  return issue.path.length === 0 && issue.code === "invalid_type";
}

function messageOf(issue: Issue): string {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest have messages of the schemas' own
  switch (issue.code) {
    case "invalid_type":
      return `${found(issue.message)}; it must be ${nameOfType(issue.expected)}`;
    case "invalid_value":
      return `must be ${anyOf(issue.values.map(String))}`;
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    case "too_big":
      return `must ${bound(issue.origin, "at most", issue.maximum)}`;
    case "too_small":
      return `must ${bound(issue.origin, "at least", issue.minimum)}`;
    case "invalid_union":
      return unionMessage(issue);
    default:
      return issue.message;
  }
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  if ("options" in issue && issue.options !== undefined) return `must be ${anyOf(issue.options.map(String))}`;
  const messages = issue.errors.flatMap(([first]) => (first === undefined ? [] : [messageOf(first)]));
  const types = issue.errors.flatMap(([first]) => (first?.code === "invalid_type" ? [nameOfType(first.expected)] : []));
  const [received = ""] = issue.errors.flatMap(([first]) => (first === undefined ? [] : [found(first.message)]));
  return types.length === messages.length ? `${received}; it must be ${anyOf(types)}` : messages.join(", or ");
}

/** The schema's own message is the only place that says what was there. */
function found(message: string): string {
  const received = /received (\w+)/.exec(message)?.[1] ?? "something else";
  if (received === "undefined") return "is missing";
  return received === "null" ? "is empty" : `is ${nameOfType(received)}`;
}

function bound(origin: string, which: string, limit: number | bigint): string {
  if (origin === "array") return `have ${which} ${limit} ${limit === 1 ? "entry" : "entries"}`;
  if (origin === "string") return `have ${which} ${limit} ${limit === 1 ? "character" : "characters"}`;
  return `be ${which} ${limit}`;
}

function anyOf(values: readonly string[]): string {
  const last = values.at(-1) ?? "";
  return values.length < 2 ? last : `${values.slice(0, -1).join(", ")} or ${last}`;
}
