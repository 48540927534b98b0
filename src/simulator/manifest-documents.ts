import { Composer, type Document, LineCounter, Parser } from "yaml";

/** `path` as it is to be shown. */
export type ManifestFile = { readonly path: string; readonly text: string };

/** Where an object stands, for messages. */
export type Origin = {
  readonly file: string;
  /** From 1; undefined where the file has only one. */
  readonly document: number | undefined;
  /** Its path in a List: `items[3]`; empty elsewhere. */
  readonly item: string;
};

export type ManifestDocument = { readonly origin: Origin; readonly value: unknown };

/** `payments/np.yaml: document 2: items[3].spec.ports: …`; a field of "" is the object as a whole. */
export function at({ file, document, item }: Origin, field: string, message: string): string {
  const path = [item, field]
    .filter((part) => part !== "")
    .join(".")
    .replaceAll(".[", "[");
  const places = [file, document === undefined ? "" : `document ${document}`, path];
  return [...places.filter((place) => place !== ""), message].join(": ");
}

const tooDeep = "is nested too deep";

/** Beyond this, JSON is not also searched for keys that stand twice: only programs write such files. */
const smallJson = 1_000_000;

/** An alias may be used this often before it is taken for an attempt to fill the memory. */
const maxAliasCount = 1_000;

/**
 * The documents of a YAML or JSON file, empty ones left out; or why it is broken, a line each. YAML 1.2 with merge keys; keys
 * that stand twice, tabs and unknown aliases are broken.
 */
export function documentsOf(file: ManifestFile): {
  readonly documents: readonly ManifestDocument[];
  readonly broken: readonly string[];
} {
  const whole: Origin = { file: file.path, document: undefined, item: "" };
  try {
    const large = /\.json$/i.test(file.path) && file.text.length > smallJson;
    return large ? json(file.text, whole) : yaml(file.text, whole);
  } catch (error) {
    // The parser recurses, so what is nested ten thousand deep ends here.
    const message = error instanceof RangeError ? tooDeep : String(error);
    return { documents: [], broken: [at(whole, "", message)] };
  }
}

function json(text: string, origin: Origin) {
  try {
    return { documents: [{ origin, value: JSON.parse(text) as unknown }], broken: [] };
  } catch (error) {
    return { documents: [], broken: [at(origin, "", `is not JSON: ${error instanceof Error ? error.message : ""}`)] };
  }
}

function yaml(text: string, whole: Origin) {
  const all = outcomesOf(text);
  const documents: ManifestDocument[] = [];
  const broken: string[] = [];
  for (const [i, outcome] of all.entries()) {
    const origin = { ...whole, document: all.length > 1 ? i + 1 : undefined };
    if ("problem" in outcome) broken.push(at(origin, "", outcome.problem));
    else if (outcome.value !== null) documents.push({ origin, value: outcome.value });
  }
  return { documents, broken };
}

/** What one document holds, or what is wrong with it; `line` where its brackets are not indented as YAML 1.2 wants it. */
type Outcome = { readonly value: unknown } | { readonly problem: string; readonly line?: number };

/**
 * Each document becomes a value as soon as it is composed: its tree takes two hundred times the memory of its text. A line
 * of a list in brackets that begins with a tab is no YAML 1.2, but kubectl takes it, so it counts as indented. Tabs
 * elsewhere stay broken.
 */
function outcomesOf(text: string, again = 100): readonly Outcome[] {
  const lines = new LineCounter();
  const composer = new Composer({ merge: true, stringKeys: true, logLevel: "error" });
  const all = Array.from(composer.compose(new Parser(lines.addNewLine).parse(text)), (each) => outcomeOf(each, lines));
  const first = all.find((outcome) => "problem" in outcome);
  const spaced = first?.line === undefined ? undefined : spacesAt(text, first.line);
  return spaced === undefined || again === 0 ? all : outcomesOf(spaced, again - 1);
}

function outcomeOf(document: Document, lines: LineCounter): Outcome {
  const [error] = document.errors;
  if (error === undefined) return valueOf(document);
  const { line, col } = lines.linePos(error.pos[0]);
  const problem = syntaxProblem(error, ` at line ${line}, column ${col}`);
  return error.message.startsWith("Flow ") ? { problem, line } : { problem };
}

/** The text with spaces for the tabs that one line begins with; undefined where there are none. */
function spacesAt(text: string, number: number): string | undefined {
  const lines = text.split("\n");
  const line = lines[number - 1] ?? "";
  const [indent = ""] = /^[ \t]*/.exec(line) ?? [];
  if (!indent.includes("\t")) return undefined;
  return lines.with(number - 1, `${indent.replaceAll("\t", tab)}${line.trimStart()}`).join("\n");
}

/** Wide enough for the deepest manifest. */
const tab = " ".repeat(80);

function valueOf(document: Document): { value: unknown } | { problem: string } {
  try {
    return { value: document.toJS({ maxAliasCount }) };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const bomb = error.message.startsWith("Excessive");
    return { problem: bomb ? "uses aliases more often than any manifest needs" : `is not YAML: ${error.message}` };
  }
}

type SyntaxError = { readonly code: string; readonly message: string };

function syntaxProblem({ code, message }: SyntaxError, place: string): string {
  if (message.startsWith("Maximum call stack")) return tooDeep;
  return code === "DUPLICATE_KEY" ? `a key stands twice in one mapping${place}` : `is not YAML: ${message}${place}`;
}

/** A line for each broken file that looks as if it had yet to be rendered. */
export function templateHints(files: readonly ManifestFile[], broken: readonly string[]): readonly string[] {
  return files
    .filter(({ path, text }) => /\{\{[^{}\n]*\}\}/.test(text) && broken.some((line) => line.startsWith(`${path}: `)))
    .map(({ path }) => `${path}: it looks like a template; render it first, as with helm template`);
}
