/**
 * One line of text as the shipped font can draw it: no control, bidirectional or invisible character, at most 300
 * UTF-16 units, and `□` for each run of characters of other scripts than Latin, Greek and Cyrillic. Names in Kubernetes
 * are ASCII, so that what becomes a box was no name.
 */
export function drawable(text: string): string {
  return spoken(text, 300).replace(unknown, "□");
}

/** The same for the alternative text, which may hold any script: one line of at most `length` UTF-16 units. */
export function spoken(text: string, length: number): string {
  // Cut before anything is replaced: that would take long on a text without end.
  const line = text
    .slice(0, 4 * length)
    .toWellFormed()
    .normalize("NFC")
    .replace(/(?!\s)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= length
    ? line
    : `${line
        .slice(0, length - 1)
        .toWellFormed()
        .replace("\uFFFD", "")}…`;
}

const unknown = /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\u0020-\u007E→←↔·…–—×≥≤°±□]+/gu;
