/**
 * A string from outside as Markdown text on one line, fit for a table's cell: nothing in it can end the cell or the line,
 * link, mention, format or be read as HTML or mathematics. What has a meaning becomes an entity, which CommonMark (section
 * "Entity and numeric character references") never reads as structure; GFM splits rows at `|` before anything else.
 * Control, bidirectional and invisible characters are gone. What is longer than `longest` UTF-16 units is cut, and says so.
 */
export function inline(text: string, longest = 2_000): string {
  return cut(oneLine(text), longest)
    .replace(/[&<>|`\\*_[\]~$]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/:(?=\/\/)/g, "&#58;")
    .replace(/(www)\./gi, "$1&#46;")
    .replace(/@/g, "&#64;&#8288;");
}

/** An https address as a link that shows its host; undefined where the text is no such address. */
export function link(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, href } = new URL(url);
  return protocol === "https:" ? `[${inline(host)}](<${href.replace(/[^\w\-.~:/?#@!$&+,;=%]/g, encoded)}>)` : undefined;
}

/** Without line breaks, runs of white space, and characters that cannot be seen. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .trim();
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "")} … (cut)`;
}

function encoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
