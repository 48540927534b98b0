/** Random numbers from 0 to 1 of a seed (mulberry32). */
export type Random = () => number;

/** The same numbers for the same seed. */
export function randomBy(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A line as something broken or hostile might send it: its fields changed where it is JSON, its text changed, or both. */
export function mutated(line: string, random: Random): string {
  const isJson = line.startsWith("{") || line.startsWith("[");
  const changed = isJson && random() < 0.7 ? mutatedJson(line, random) : line;
  return isJson && random() < 0.6 && changed !== line ? changed : mutatedText(changed, random);
}

function mutatedJson(line: string, random: Random): string {
  const value: unknown = JSON.parse(line);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1) changeSomewhere(value, random);
  return random() < 0.05 ? withRawNumber(JSON.stringify(value), random) : JSON.stringify(value);
}

/** Walks down to some object, and changes a field of it. */
function changeSomewhere(value: unknown, random: Random): void {
  let at = value as Record<string, unknown>;
  for (;;) {
    const names = Object.keys(at);
    if (names.length === 0) return;
    const name = pick(names, random);
    const inside = at[name];
    if (typeof inside === "object" && inside !== null && random() < 0.75) at = inside as Record<string, unknown>;
    else return changeField(at, name, random);
  }
}

function changeField(at: Record<string, unknown>, name: string, random: Random): void {
  const way = random();
  if (way < 0.25) delete at[name];
  else if (way < 0.8) at[name] = pick(oddValues, random)();
  else if (way < 0.9) reorder(at, random);
  else
    Object.defineProperty(at, pick(oddNames, random), {
      value: at[name],
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

function reorder(at: Record<string, unknown>, random: Random): void {
  const entries = Object.entries(at).toSorted(() => random() - 0.5);
  for (const [name] of entries) delete at[name];
  for (const [name, value] of entries) at[name] = value;
}

const oddNames = ["__proto__", "constructor", "toString", "flow", "Key", "log", "message", "msg", "data", "hits"];

const oddValues: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 0.5,
  () => 1e308,
  () => 2 ** 53,
  () => "",
  () => "18446744073709551615",
  () => "💥\u0000\u202e\ud800",
  () => "<!channel> `rm -rf /` *bold*",
  () => "x".repeat(5_000),
  () => "9999-99-99T99:99:99Z",
  () => "0001-01-01T00:00:00Z",
  () => "+275760-09-13T00:00:00Z",
  () => "::ffff:10.0.0.1%eth0",
  () => [],
  () => ({}),
  () => [[["nested"]]],
  () => Array.from({ length: 500 }, (_, index) => `name-${index}`),
  () => ({ seconds: "99999999999999999999", nanos: -1 }),
  () => JSON.parse(`${"[".repeat(400)}${"]".repeat(400)}`),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
];

function withRawNumber(text: string, random: Random): string {
  return text.replace(/:\d+/, `:${pick(["1e999", "-0", "123456789012345678901234567890"], random)}`);
}

function mutatedText(line: string, random: Random): string {
  return pick(textChanges, random)(line, Math.floor(random() * line.length), random);
}

const textChanges: readonly ((line: string, at: number, random: Random) => string)[] = [
  (line, at) => line.slice(0, at),
  (line, at) => line.slice(at),
  (line, at) => line.slice(0, at) + line.slice(at + 7),
  (line, at) => `${line.slice(0, at)}\u{1f4a5}\ud800\u0000${line.slice(at + 1)}`,
  (line, at) => `${line.slice(0, at)}${line.slice(at, at + 40).repeat(3)}${line.slice(at)}`,
  (line) => line.toUpperCase(),
  (line, _at, random) => line.replaceAll(/\d+/g, (number) => (random() < 0.2 ? "99999999999999999999999" : number)),
  (line, _at, random) =>
    line
      .split(" ")
      .toSorted(() => random() - 0.5)
      .join(" "),
  (line) => line.replaceAll(" ", "  "),
  (line, at) => `${line.slice(0, at)}${"{".repeat(3_000)}${line.slice(at)}`,
  (line) => `${line}${"x".repeat(70_000)}`,
  (line) => `2026-07-15T01:30:19.361221854Z stdout P ${line}`,
];

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[Math.floor(random() * values.length)]!;
}
