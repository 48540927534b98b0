import { expect, test } from "vitest";
import { onNamespace, onServiceAccount } from "../../src/simulator/calico-labels.ts";
import { parseSelector } from "../../src/simulator/calico-selector.ts";
import { type Truth, truthOf } from "../../src/simulator/calico-truth.ts";

type Labels = Readonly<Record<string, string>>;

function read(selector: string) {
  const parsed = parseSelector(selector);
  if ("message" in parsed) throw new Error(parsed.message);
  return parsed;
}

function selects(selector: string, labels: Labels): Truth {
  return truthOf(read(selector), (key) => labels[key]);
}

/** Calico reference, Selectors (the table of operators and the paragraph on precedence below it). */
const operators: readonly [selector: string, selected: readonly Labels[], others: readonly Labels[]][] = [
  ["all()", [{}, { k: "v" }], []],
  ["", [{}, { k: "v" }], []],
  [" \t", [{}], []],
  ["!all()", [], [{}, { k: "v" }]],
  ["k == 'v'", [{ k: "v" }], [{}, { k: "w" }, { v: "k" }]],
  ['k=="v"', [{ k: "v" }], [{ k: "w" }]],
  ["k != 'v'", [{}, { k: "w" }], [{ k: "v" }]],
  ["has(k)", [{ k: "" }, { k: "v" }], [{}, { kk: "v" }]],
  ["has( k )", [{ k: "v" }], [{}]],
  ["!has(k)", [{}, { kk: "v" }], [{ k: "v" }]],
  ["k in { 'v1', 'v2' }", [{ k: "v1" }, { k: "v2" }], [{}, { k: "v3" }]],
  ["k in {'v1',}", [{ k: "v1" }], [{ k: "" }]],
  ["k in {}", [], [{}, { k: "" }]],
  ["k not in { 'v1', 'v2' }", [{}, { k: "v3" }], [{ k: "v1" }]],
  ["k notin{'v1'}", [{}], [{ k: "v1" }]],
  ["k contains 'rod'", [{ k: "prod" }, { k: "rod" }], [{}, { k: "pro" }]],
  ["k starts with 'pro'", [{ k: "prod" }], [{}, { k: "nonprod" }]],
  ["k startswith 'pro'", [{ k: "prod" }], [{ k: "nonprod" }]],
  ["k ends with 'od'", [{ k: "prod" }], [{}, { k: "production" }]],
  ["k == ''", [{ k: "" }], [{}]],
  [`k == "it's"`, [{ k: "it's" }], [{ k: "its" }]],
  [`k == 'a "b" && c'`, [{ k: 'a "b" && c' }], [{}]],
  ["app.kubernetes.io/part-of == 'a_b'", [{ "app.kubernetes.io/part-of": "a_b" }], [{}]],
  ["in == 'x' && has == 'y'", [{ in: "x", has: "y" }], [{ in: "x" }]],
  ["a == '1' && b == '2'", [{ a: "1", b: "2" }], [{ a: "1" }, { b: "2" }]],
  ["a == '1' || b == '2'", [{ a: "1" }, { b: "2" }], [{}, { a: "2" }]],
  ["a == '1' || b == '2' && c == '3'", [{ a: "1" }, { b: "2", c: "3" }], [{ b: "2" }, { c: "3" }]],
  ["(a == '1' || b == '2') && c == '3'", [{ a: "1", c: "3" }], [{ a: "1" }, { c: "3" }]],
  ["!has(a) && b == '1'", [{ b: "1" }], [{ a: "", b: "1" }, {}]],
  ["!(has(a) && b == '1')", [{ a: "" }, { b: "1" }, {}], [{ a: "", b: "1" }]],
  ["!a == '1'", [{}, { a: "2" }], [{ a: "1" }]],
  ["!! has(a)", [{ a: "" }], [{}]],
  [
    "! has(my-label) || my-label starts with 'prod' && role in {'frontend','business'}",
    [{}, { role: "other" }, { "my-label": "production", role: "business" }],
    [{ "my-label": "production" }, { "my-label": "test", role: "frontend" }],
  ],
];

for (const [selector, selected, others] of operators)
  test(`The selector \`${selector}\` selects what Calico's reference says`, () => {
    for (const labels of selected) expect(selects(selector, labels), JSON.stringify(labels)).toBe(true);
    for (const labels of others) expect(selects(selector, labels), JSON.stringify(labels)).toBe(false);
  });

/** Each by the grammar of libcalico-go/lib/selector/parser. */
const broken: readonly [selector: string, message: string][] = [
  ["app", "needs an operator after the label `app`"],
  ["app = 'a'", "cannot be read from `= 'a'`"],
  ["app == a", "needs a value in quotes after an operator"],
  ["app == 'a", "cannot be read from `'a`"],
  ["'a' == app", 'has the value "a" where a label must be'],
  ["app in 'a'", "needs a set such as {'a', 'b'} after `in`"],
  ["app in {'a' 'b'}", "lacks a `}`"],
  ["app in {a}", "lacks a `}`"],
  ["app in ['a']", "cannot be read from `['a']`"],
  ["app == 'a' &", "cannot be read from `&`"],
  ["app == 'a' &&", "ends too early"],
  ["app == 'a' and tier == 'b'", "cannot be read from `tier == 'b'`"],
  ["app == 'a' tier == 'b'", "has more than one expression"],
  ["(app == 'a'", "lacks a `)`"],
  ["app == 'a')", "has more than one expression"],
  ["()", "has `)` in a wrong place"],
  ["!", "ends too early"],
  ["has(app", "needs an operator after the label `has`"],
  ["has()", "needs an operator after the label `has`"],
  ["all", "needs an operator after the label `all`"],
  ["app == 'a'\n&& has(b)", "cannot be read from `\n&& has(b)`"],
  ["app startswidth 'a'", "cannot be read from `startswidth 'a'`"],
];

for (const [selector, message] of broken)
  test(`The selector ${JSON.stringify(selector)} is refused: it ${JSON.stringify(message)}`, () => {
    expect(parseSelector(selector)).toEqual({ message });
  });

test("A selector as deep as one can be is read", () => {
  expect(selects(`${"(".repeat(500)}has(a)${")".repeat(500)}`, { a: "" })).toBe(true);
  expect(selects(`${"!".repeat(1000)}has(a)`, { a: "" })).toBe(true);
});

test("A namespaceSelector asks inherited labels; all() is to be in a namespace, global() in none", () => {
  const where = (selector: string, labels: Labels) => truthOf(onNamespace(read(selector)), (key) => labels[key]);
  const pod = { "projectcalico.org/namespace": "shop", "pcns.team": "a", team: "b" };
  expect(where("team == 'a'", pod)).toBe(true);
  expect(where("team == 'b'", pod)).toBe(false);
  expect([where("all()", pod), where("all()", {})]).toEqual([true, false]);
  expect([where("global()", pod), where("global()", {})]).toEqual([false, true]);
  expect([where("!has(team)", pod), where("!has(team)", {})]).toEqual([false, true]);
});

test("What asks a label that is not known is perhaps, unless the rest decides", () => {
  const truth = (selector: string) =>
    truthOf(onServiceAccount(read(selector)), (key) => (key === "pcsa.a" ? "1" : null));
  expect(truth("b == '1'")).toBe("perhaps");
  expect(truth("!b == '1'")).toBe("perhaps");
  expect(truth("a == '1' || b == '1'")).toBe(true);
  expect(truth("a == '2' && b == '1'")).toBe(false);
  expect(truth("a == '1' && b == '1'")).toBe("perhaps");
});
