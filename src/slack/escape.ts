/**
 * A string from outside, made fit to be shown: no control, bidirectional, zero-width or otherwise invisible character
 * survives, lone surrogates become U+FFFD, every kind of line break becomes `\n`. Line breaks stay.
 * Slack still reads `<!channel>` or `*` in the result wherever mrkdwn is read: use it in plain_text and rich_text only.
 */
export function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replaceAll("\t", "  ")
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "");
}

/** The same on one line, without leading, trailing and repeated white space. */
export function oneLine(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

/**
 * For the places that Slack reads as mrkdwn (a message's top-level `text`): `&`, `<` and `>` as entities, so that no
 * mention, link or date can come about. Slack has no escape for `*`, `_`, `~` and backticks: they may format, not act.
 */
export function escapeMrkdwn(text: string): string {
  return clean(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** At most `length` UTF-16 units, which is what Slack counts; what was cut is told by an ellipsis. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
