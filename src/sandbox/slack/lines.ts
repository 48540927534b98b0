/**
 * Text from a message, fit for a terminal: whatever could move the cursor, change colours, reorder or vanish (controls,
 * escape sequences, bidirectional and zero-width characters) becomes U+FFFD, so that it neither acts nor hides. Emoji keep their U+FE0F.
 */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "  ")
    .replace(/(?!\n|\u{FE0F})[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}]/gu, "\uFFFD");
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u;

/** Columns that the text takes in a terminal: East Asian wide characters and emoji take two. */
export function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Lines of at most `width` columns, broken at spaces where there are any, else anywhere. Nothing is left out. */
export function wrap(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(2, width)));
}

/** As `wrap`, but broken only where it must be, with every space kept: for preformatted text. */
export function chop(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((line) => pieces(line, Math.max(2, width)));
}

/** `text` and spaces up to that many columns. */
export function pad(text: string, columns: number, align: "left" | "center" | "right" = "left"): string {
  const missing = Math.max(0, columns - columnsOf(text));
  const before = { left: 0, center: Math.floor(missing / 2), right: missing }[align];
  return " ".repeat(before) + text + " ".repeat(missing - before);
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ").flatMap((one) => pieces(one, width))) {
    const joined = current === "" ? word : `${current} ${word}`;
    if (columnsOf(joined) <= width) current = joined;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current].map((one) => one.trimEnd());
}

function pieces(word: string, width: number): readonly string[] {
  if (columnsOf(word) <= width) return [word];
  const found = [""];
  for (const { segment } of graphemes.segment(word)) {
    const last = found.at(-1) ?? "";
    if (columnsOf(last + segment) <= width) found[found.length - 1] = last + segment;
    else found.push(segment);
  }
  return found;
}
