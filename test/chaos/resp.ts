/**
 * Cuts a stream of RESP2 or RESP3 (github.com/redis/redis-specifications, protocol/RESP3.md) into whole values. Give it
 * the bytes as they come; it answers with the values that are complete by now, as they stand on the wire.
 */
export function createCutter(): (bytes: Buffer) => readonly Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const whole: Buffer[] = [];
    for (;;) {
      const end = endOf(rest, 0);
      if (end === undefined) return whole;
      whole.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

/** Words of a command: an array of bulk strings. Undefined for anything else (nobody sends inline commands here). */
export function wordsOf(command: Buffer): readonly string[] | undefined {
  if (command[0] !== code("*")) return undefined;
  const words: string[] = [];
  let at = lineEnd(command, 0) ?? command.length;
  while (at < command.length) {
    const start = lineEnd(command, at);
    const end = endOf(command, at);
    if (start === undefined || end === undefined) return undefined;
    words.push(command.toString("utf8", start, end - 2));
    at = end;
  }
  return words;
}

/** Where the value that begins at `at` ends; undefined while it is not all there. */
function endOf(bytes: Buffer, at: number): number | undefined {
  const line = lineEnd(bytes, at);
  if (line === undefined) return undefined;
  const type = String.fromCharCode(bytes[at] ?? 0);
  const size = Number(bytes.toString("latin1", at + 1, line - 2));
  if ("$!=".includes(type)) return within(bytes, size < 0 ? line : line + size + 2);
  if (!"*~>%|".includes(type)) return line;
  // A map has two values an entry; an attribute is followed by the value that it describes.
  const values = Math.max(size, 0) * (type === "%" || type === "|" ? 2 : 1) + (type === "|" ? 1 : 0);
  let end: number | undefined = line;
  for (let i = 0; i < values && end !== undefined; i++) end = endOf(bytes, end);
  return end;
}

/** After the next line feed, since every header is a line. */
function lineEnd(bytes: Buffer, at: number): number | undefined {
  const found = bytes.indexOf("\r\n", at);
  return found < 0 ? undefined : found + 2;
}

function within(bytes: Buffer, end: number): number | undefined {
  return end <= bytes.length ? end : undefined;
}

function code(character: string): number {
  return character.charCodeAt(0);
}
