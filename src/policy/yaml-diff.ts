import { stringify } from "yaml";
import { canonicalHash } from "./canonical.ts";
import type { Image } from "./revision.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** What differs between two images, as YAML. All of it is text from outside. */
export type YamlDiff = {
  /** A unified diff, its lines cut and their number bounded; empty where nothing differs. */
  readonly text: string;
  readonly added: number;
  readonly removed: number;
  /** Lines of the diff that are left out of the text. */
  readonly left: number;
};

type Options = {
  /** Lines of the text. */
  readonly mostLines?: number;
  /** UTF-16 units of the text. */
  readonly mostChars?: number;
  /** UTF-16 units of a line. */
  readonly mostOfLine?: number;
};

/** Nothing is cut; what stands for a long annotation is its length and digest all the same. */
export const whole: Options = { mostLines: Infinity, mostChars: Infinity, mostOfLine: Infinity };

/** From one image to the other; undefined is not there, and then all of the other one is what differs. */
export function yamlDiff(
  from: Image | undefined,
  to: Image | undefined,
  { mostLines = 80, mostChars = 2_600, mostOfLine = 300 }: Options = {},
): YamlDiff {
  const lines = unifiedDiff(yamlLines(from), yamlLines(to)).map((line) => cut(line, mostOfLine));
  const shown = withinBounds(lines, mostLines, mostChars);
  const left = lines.length - shown.length;
  return {
    text: [...shown, ...(left === 0 ? [] : [`… and ${left} more ${left === 1 ? "line" : "lines"}`])].join("\n"),
    added: lines.filter((line) => line.startsWith("+")).length,
    removed: lines.filter((line) => line.startsWith("-")).length,
    left,
  };
}

/** The image as a manifest for people and repositories: keys in one order, whoever wrote it; nothing is shortened. */
export function yamlOf(image: Image): string {
  return stringify(image, { lineWidth: 0, sortMapEntries: byKey, aliasDuplicateObjects: false });
}

function yamlLines(image: Image | undefined): readonly string[] {
  return image === undefined ? [] : yamlOf(shortened(image)).trimEnd().split("\n");
}

/** What stands first in a manifest that a person writes; the others by name. */
const first = ["apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations"];

type Entry = { readonly key: unknown };

function byKey(a: Entry, b: Entry): number {
  const [one, other] = [keyOf(a), keyOf(b)];
  return rank(one) - rank(other) || (one < other ? -1 : one > other ? 1 : 0);
}

function keyOf({ key }: Entry): string {
  return typeof key === "object" && key !== null && "value" in key ? String(key.value) : String(key);
}

function rank(key: string): number {
  const at = first.indexOf(key);
  return at < 0 ? first.length : at;
}

/** Annotations that are documents of their own (`last-applied-configuration`) by length and digest: enough to see a change. */
function shortened(image: Image): Image {
  const { annotations } = image.metadata;
  if (annotations === undefined) return image;
  const short = Object.entries(annotations).map(([key, value]) => [key, shortValue(value)]);
  return { ...image, metadata: { ...image.metadata, annotations: Object.fromEntries(short) } };
}

const longestValue = 200;

function shortValue(value: string): string {
  if (value.length <= longestValue) return value;
  return `(${value.length} characters, sha256 ${canonicalHash(value).slice(0, 12)})`;
}

function cut(line: string, most: number): string {
  return line.length <= most ? line : `${line.slice(0, most).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

function withinBounds(lines: readonly string[], mostLines: number, mostChars: number): readonly string[] {
  let chars = 0;
  const tooMuch = lines.findIndex((line, index) => {
    chars += line.length + 1;
    return index >= mostLines || chars > mostChars;
  });
  return tooMuch < 0 ? lines : lines.slice(0, tooMuch);
}
