export type Token =
  | { readonly kind: "mark"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "label"; readonly key: string }
  | { readonly kind: "has"; readonly key: string }
  | { readonly kind: "call"; readonly name: "all" | "global" }
  | { readonly kind: "end" };

/** Tabs and spaces only: a selector with a line break outside of quotes is none. */
const gap = /[ \t]*/y;
const mark = /[(){},]|==|!=|!|&&|\|\|/y;
const quoted = /"([^"]*)"|'([^']*)'/y;
const has = /has\([ \t]*([\w./-]{1,512})[ \t]*\)/y;
const call = /(all|global)\([ \t]*\)/y;
const label = /[\w./-]{1,512}(?![\w./-])/y;
/** Only after a label: everywhere else these words are labels. `notin` and `startswith` are also taken. */
const word = /(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?![\w./-])/y;

const words = ["contains", "starts with", "ends with", "not in", "in"];

/**
 * The words of Calico's selector language, or what cannot be read (libcalico-go/lib/selector/tokenizer). There are no
 * escapes in quotes.
 */
export function tokensOf(selector: string): readonly Token[] | { readonly message: string } {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += match(gap, selector, at)?.[0].length ?? 0;
    if (at >= selector.length) return [...tokens, { kind: "end" }];
    const found = tokens.at(-1)?.kind === "label" ? operatorAt(selector, at) : operandAt(selector, at);
    if (found === undefined) return { message: `cannot be read from \`${selector.slice(at, at + 20)}\`` };
    tokens.push(found.token);
    at += found.length;
  }
}

type Found = { readonly token: Token; readonly length: number };

function operatorAt(selector: string, at: number): Found | undefined {
  const found = match(word, selector, at);
  if (found === undefined) return markAt(selector, at) ?? textAt(selector, at);
  const plain = found[0].replaceAll(/[ \t]/g, "");
  const text = words.find((each) => each.replace(" ", "") === plain) ?? plain;
  return { token: { kind: "mark", text }, length: found[0].length };
}

function operandAt(selector: string, at: number): Found | undefined {
  const asked = match(has, selector, at);
  if (asked !== undefined) return { token: { kind: "has", key: asked[1] ?? "" }, length: asked[0].length };
  const called = match(call, selector, at);
  if (called !== undefined)
    return { token: { kind: "call", name: called[1] === "all" ? "all" : "global" }, length: called[0].length };
  const named = match(label, selector, at);
  if (named !== undefined) return { token: { kind: "label", key: named[0] }, length: named[0].length };
  return markAt(selector, at) ?? textAt(selector, at);
}

function markAt(selector: string, at: number): Found | undefined {
  const found = match(mark, selector, at);
  return found === undefined ? undefined : { token: { kind: "mark", text: found[0] }, length: found[0].length };
}

function textAt(selector: string, at: number): Found | undefined {
  const found = match(quoted, selector, at);
  if (found === undefined) return undefined;
  return { token: { kind: "text", text: found[1] ?? found[2] ?? "" }, length: found[0].length };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
