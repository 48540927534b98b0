import { type Token, tokensOf } from "./calico-tokens.ts";

/** `==` is `in` of one value, `!=` is `not in`. */
export type Expression =
  | { readonly op: "all" | "global" }
  | { readonly op: "has"; readonly key: string }
  | { readonly op: "in" | "not in"; readonly key: string; readonly values: readonly string[] }
  | { readonly op: "contains" | "starts with" | "ends with"; readonly key: string; readonly text: string }
  | { readonly op: "not"; readonly of: Expression }
  | { readonly op: "and" | "or"; readonly of: readonly Expression[] };

/** Where the parser stands; the first thing wrong stays, and what is parsed after it is of no account. */
type Cursor = { readonly tokens: readonly Token[]; at: number; message: string | undefined };

const end: Token = { kind: "end" };
const nothing: Expression = { op: "all" };

/**
 * A selector in Calico's language, or what is wrong with it. Empty selects all. Binds from the tightest: the operators on
 * a label, `!`, `&&`, `||` (Calico reference, Selectors; libcalico-go/lib/selector/parser).
 */
export function parseSelector(selector: string): Expression | { readonly message: string } {
  const tokens = tokensOf(selector);
  if ("message" in tokens) return tokens;
  if (tokens.length === 1) return { op: "all" };
  const cursor: Cursor = { tokens, at: 0, message: undefined };
  const expression = anyOf(cursor);
  if (peek(cursor).kind !== "end") fail(cursor, "has more than one expression");
  return cursor.message === undefined ? expression : { message: cursor.message };
}

function anyOf(cursor: Cursor): Expression {
  return listOf(cursor, "||", () => listOf(cursor, "&&", () => oneOf(cursor)));
}

function listOf(cursor: Cursor, between: "&&" | "||", element: () => Expression): Expression {
  const first = element();
  const rest: Expression[] = [];
  while (takes(cursor, between)) rest.push(element());
  return rest.length === 0 ? first : { op: between === "&&" ? "and" : "or", of: [first, ...rest] };
}

function oneOf(cursor: Cursor): Expression {
  if (takes(cursor, "!")) return { op: "not", of: oneOf(cursor) };
  const token = next(cursor);
  switch (token.kind) {
    case "has":
      return { op: "has", key: token.key };
    case "call":
      return { op: token.name };
    case "label":
      return onLabel(cursor, token.key);
    case "mark":
      return token.text === "(" ? inParentheses(cursor) : fail(cursor, `has \`${token.text}\` in a wrong place`);
    case "text":
      return fail(cursor, `has the value "${token.text}" where a label must be`);
    case "end":
      return fail(cursor, "ends too early");
  }
}

function inParentheses(cursor: Cursor): Expression {
  const inner = anyOf(cursor);
  return takes(cursor, ")") ? inner : fail(cursor, "lacks a `)`");
}

function onLabel(cursor: Cursor, key: string): Expression {
  const operator = next(cursor);
  const op = operator.kind === "mark" ? operator.text : "";
  switch (op) {
    case "==":
      return { op: "in", key, values: [textOf(cursor)] };
    case "!=":
      return { op: "not in", key, values: [textOf(cursor)] };
    case "in":
    case "not in":
      return { op, key, values: setOf(cursor) };
    case "contains":
    case "starts with":
    case "ends with":
      return { op, key, text: textOf(cursor) };
    default:
      return fail(cursor, `needs an operator after the label \`${key}\``);
  }
}

/** A comma may stand after the last value. */
function setOf(cursor: Cursor): readonly string[] {
  const values: string[] = [];
  if (!takes(cursor, "{")) fail(cursor, "needs a set such as {'a', 'b'} after `in`");
  while (peek(cursor).kind === "text") {
    values.push(textOf(cursor));
    if (!takes(cursor, ",")) break;
  }
  if (!takes(cursor, "}")) fail(cursor, "lacks a `}`");
  return values;
}

function textOf(cursor: Cursor): string {
  const token = next(cursor);
  if (token.kind === "text") return token.text;
  fail(cursor, "needs a value in quotes after an operator");
  return "";
}

function peek({ tokens, at }: Cursor): Token {
  return tokens[at] ?? end;
}

function next(cursor: Cursor): Token {
  const token = peek(cursor);
  cursor.at += 1;
  return token;
}

function takes(cursor: Cursor, text: string): boolean {
  const token = peek(cursor);
  if (token.kind !== "mark" || token.text !== text) return false;
  cursor.at += 1;
  return true;
}

/** Moves to the end, so that every loop stops. */
function fail(cursor: Cursor, message: string): Expression {
  cursor.message ??= message;
  cursor.at = cursor.tokens.length;
  return nothing;
}
