/** So much of a file of lines is held at once, in characters. */
const pieceSize = 1 << 20;

/** A document is held whole: an answer of Loki with all the lines that it gives at once has some 5 MB. */
const largestDocument = 256 << 20;

/**
 * A file as pieces that can each be read by themselves: some lines, or all of one document such as an answer of Loki. Throws
 * where a document is larger than 256 Mi characters.
 */
export async function* bodiesOf(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = "";
  let isLines = false;
  for await (const chunk of input) {
    held += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    isLines ||= beginsWithLine(held);
    const end = isLines && held.length >= pieceSize ? held.lastIndexOf("\n") + 1 : 0;
    if (end > 0) yield held.slice(0, end);
    held = held.slice(end);
    if (held.length > largestDocument)
      throw new Error("a document of more than 256 MB is not read: split it into lines");
  }
  yield held + decoder.decode();
}

/** Whether its first line is whole, and is no beginning of a document (see entriesOf). */
function beginsWithLine(text: string): boolean {
  const [, first] = /^\s*(\S[^\n]*)\n/.exec(text) ?? [];
  if (first === undefined || /^(?:\[|---|apiVersion: )/.test(first)) return false;
  return !first.startsWith("{") || first.trimEnd().endsWith("}");
}
