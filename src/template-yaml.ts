import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { Path } from "./config-problems.ts";

/** The value that one YAML document holds, and where each part of it stands. */
export type TemplateYaml = {
  readonly value: unknown;
  /** The line of the key or item at the path, from 1; of what is nearest to it where there is none. */
  readonly lineOf: (path: Path) => number;
};

type LineProblem = { readonly line?: number; readonly reason: string };

/**
 * Reads one document of YAML 1.2, or JSON. Anchors and aliases are refused: no template needs them, and a few lines of them
 * can make a value that fills the memory. So are tags, keys that stand twice and several documents.
 */
export function readTemplateYaml(text: string): TemplateYaml | { readonly problems: readonly LineProblem[] } {
  const lines = new LineCounter();
  // Pretty errors quote the document, and take seconds where there are thousands of them.
  const strict = { stringKeys: true, uniqueKeys: true, prettyErrors: false, logLevel: "error" } as const;
  try {
    const document = parseDocument(text, { ...strict, lineCounter: lines });
    const problems = [...syntaxProblems(document, lines), ...forbidden(document, lines)];
    if (problems.length > 0) return { problems };
    if (document.contents === null) return { problems: [{ reason: "is empty" }] };
    return { value: document.toJS({ maxAliasCount: 0 }), lineOf: (path) => lineOf(document, lines, path) };
  } catch (error) {
    // The parser recurses, so what is nested ten thousand deep ends here.
    const reason = error instanceof RangeError ? "is nested too deep" : `is not YAML: ${String(error)}`;
    return { problems: [{ reason }] };
  }
}

function syntaxProblems(document: Document, lines: LineCounter): readonly LineProblem[] {
  return [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    line: lines.linePos(pos[0]).line,
    reason: syntaxReason(code, message),
  }));
}

function syntaxReason(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "a key stands twice in one mapping";
  if (code === "MULTIPLE_DOCS") return "holds several documents: a template is a file of its own";
  if (message.startsWith("Maximum call stack")) return "is nested too deep";
  return `is not YAML: ${message.slice(0, 200)}`;
}

function forbidden(document: Document, lines: LineCounter): readonly LineProblem[] {
  const found: LineProblem[] = [];
  const tell = (node: Node, reason: string): void => {
    found.push({ line: lines.linePos(node.range?.[0] ?? 0).line, reason });
  };
  visit(document, {
    Alias: (_, node) => tell(node, "uses an alias (*): write it out"),
    Node: (_, node) => {
      if ("anchor" in node && node.anchor !== undefined) tell(node, "has an anchor (&): write it out");
      if (node.tag !== undefined) tell(node, `has the tag ${node.tag}, which no template needs`);
    },
  });
  return found;
}

function lineOf(document: Document, lines: LineCounter, path: Path): number {
  let [at, node]: Place = [document.contents?.range?.[0] ?? 0, document.contents];
  for (const part of path) {
    const next = placeIn(node, part);
    if (next === undefined) break;
    [at, node] = next;
  }
  return lines.linePos(at).line;
}

/** Where a part begins (for a value of a mapping, where its key does), and the part. */
type Place = readonly [at: number, node: unknown];

function placeIn(node: unknown, part: PropertyKey): Place | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === String(part));
    return isScalar(pair?.key) ? [pair.key.range?.[0] ?? 0, pair.value] : undefined;
  }
  const item = isSeq(node) ? node.items[Number(part)] : undefined;
  return isNode(item) ? [item.range?.[0] ?? 0, item] : undefined;
}
