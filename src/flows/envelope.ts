import { answered, type Entry } from "./carriers.ts";

/**
 * The entries of a body or a file: lines (NDJSON or text), a JSON array, or one JSON or YAML document such as an answer of Loki.
 * What is in a line is not looked at; what cannot be read is an entry as well. Nothing throws.
 */
export function* entriesOf(body: string): Generator<Entry> {
  const document = documentIn(body);
  if (document === undefined) yield* linesOf(body);
  else if (typeof document === "string") yield { entry: document, carried: {} };
  else if (Array.isArray(document)) yield* document.map(elementOf);
  else yield* answered(document) ?? [{ entry: document, carried: {} }];
}

/** An element that is neither text nor an object is no entry that could be read. */
function elementOf(value: unknown): Entry {
  const isEntry = typeof value === "string" || (typeof value === "object" && value !== null);
  return { entry: isEntry ? value : "", carried: {} };
}

/** Undefined where it is lines. */
function documentIn(body: string): object | string | undefined {
  const beginning = /\S[^\n]*/.exec(body);
  if (beginning === null) return undefined;
  const [first] = beginning;
  if (first.startsWith("[")) return parsed(body);
  if (first.startsWith("{")) return isOneObject(body, beginning.index + first.length) ? parsed(body) : undefined;
  return /^(---|apiVersion: )/.test(first) ? body.slice(0, longestYaml) : undefined;
}

/** A manifest is not read, only named. */
const longestYaml = 4096;

/** Where the first line is an object by itself, and more follow, each line is one. */
function isOneObject(body: string, endOfFirst: number): boolean {
  const isWhole = body.slice(0, endOfFirst).trimEnd().endsWith("}");
  return !isWhole || body.slice(endOfFirst).trim() === "";
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function* linesOf(body: string): Generator<Entry> {
  for (let from = 0; from < body.length; ) {
    const end = body.indexOf("\n", from);
    const line = body.slice(from, end === -1 ? body.length : end).trimEnd();
    if (line !== "") yield { entry: line, carried: {} };
    from = end === -1 ? body.length : end + 1;
  }
}
