import type { Flag } from "./flags.ts";
import type { PictureMark } from "./picture.ts";
import { type Sheet, types } from "./sheet.ts";
import { markWords } from "./words.ts";

/** Where the parts of an entry are, in units of the SVG from the margin: the middle of the symbol, the letter, the text. */
export const listIndent = { symbol: 8.5, letter: 20, text: 40 } as const;

/** How an entry of the list is written. */
export type MarkListRoom = {
  /** Units of the SVG. */
  readonly width: number;
  /** How a time is written. */
  readonly timeOf: (atMs: number) => string;
};

/**
 * What stands beside a flag's letter in the list below the plot, as lines that fit: when, what, who and the id on one, or who on
 * a second one. What is still too long is cut, what was done in its middle, where names differ least.
 */
export function entryLines({ marks }: Flag, { width, timeOf }: MarkListRoom, sheet: Sheet): readonly string[] {
  const time = `${spanOf(marks, timeOf)} `;
  const [what, who] = [whatOf(marks), whoOf(marks)];
  const id = sheet.fit(idOf(marks), types.normal, { width: width / 3, cut: "middle" });
  const after = id === "" ? "" : ` · ${id}`;
  const whole = `${time}${what}${who === "" ? "" : ` ${who}`}${after}`;
  if (sheet.width(whole, types.normal) <= width) return [whole];
  const room = width - sheet.width(`${time}${after}`, types.normal);
  const first = `${time}${sheet.fit(what, types.normal, { width: room, cut: "middle" })}${after}`;
  return who === "" ? [first] : [first, sheet.fit(who, types.normal, { width, cut: "end" })];
}

type Marks = readonly PictureMark[];

function spanOf(marks: Marks, timeOf: MarkListRoom["timeOf"]): string {
  const [from, to] = [timeOf(marks[0]?.atMs ?? 0), timeOf(marks.at(-1)?.atMs ?? 0)];
  return from === to ? from : `${from}–${to}`;
}

/** `payments/default-deny changed`, or `3 policy changes, 1 operation`. */
function whatOf(marks: Marks): string {
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  const [first] = marks;
  if (first !== undefined && marks.length === 1) return first.what || markWords(first.kind, 1);
  const counts = kinds.map((kind) => {
    const count = marks.filter((mark) => mark.kind === kind).length;
    return count === 1 ? `1 ${markWords(kind, 1)}` : markWords(kind, count);
  });
  return counts.join(", ");
}

function whoOf(marks: Marks): string {
  const known = [...new Set(marks.map(({ who }) => who))].filter((who) => who !== "");
  return known.length === 0 ? "" : `by ${known.join(", ")}`;
}

/** Of several there is no room for it. */
function idOf([first, ...others]: Marks): string {
  if (first === undefined || others.length > 0 || first.id === "") return "";
  return first.kind === "operation" ? `operation ${first.id}` : first.id;
}
