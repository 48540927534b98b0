/**
 * Makes a command that a phone "improved" typable again: curly quotes become straight, a dash that leads a word
 * becomes `--` and one inside a word `-`, odd spaces become spaces; invisible and control characters go; Slack's
 * link wrapping (`<http://x|x>`) is undone. User mentions stay as they are.
 */
export function normalise(text: string): string {
  return text
    .replace(/\p{Cc}/gu, " ")
    .replace(/\p{Cf}/gu, "")
    .replace(/\p{Zs}/gu, " ")
    .replace(/[“”„‟«»]/g, '"')
    .replace(/[‘’‚‛]/g, "'")
    .replace(/(^|\s)[‒–—―]+(?=\S)/g, "$1--")
    .replace(/[‐‑‒–—―−]/g, "-")
    .replace(/<https?:\/\/[^|>\s]*\|([^>]*)>/g, "$1")
    .trim();
}

/** Words of a normalised text; "quoted words" are one, without their quotes. A quote inside a word is itself. */
export function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}
