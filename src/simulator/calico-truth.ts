import type { Expression } from "./calico-selector.ts";

/** "perhaps" where a label is asked whose value is not known. */
export type Truth = boolean | "perhaps";

/** Undefined: the label is absent; null: not known. */
export type LabelOf = (key: string) => string | undefined | null;

type Test = Extract<Expression, { readonly key: string }>;

/** `!=` and `not in` hold where the label is absent (libcalico-go/lib/selector/parser/ast.go). */
export function truthOf(selector: Expression, labelOf: LabelOf): Truth {
  if ("key" in selector) {
    const value = labelOf(selector.key);
    return value === null ? "perhaps" : holds(selector, value);
  }
  if (selector.op === "not") return negated(truthOf(selector.of, labelOf));
  if (selector.op === "and") return worst(selector.of.map((part) => truthOf(part, labelOf)));
  if (selector.op === "or") return negated(worst(selector.of.map((part) => negated(truthOf(part, labelOf)))));
  return true;
}

/** Every label that it asks for. */
export function keysOf(selector: Expression): readonly string[] {
  if ("key" in selector) return [selector.key];
  if (selector.op === "not") return keysOf(selector.of);
  return "of" in selector ? selector.of.flatMap(keysOf) : [];
}

function holds(test: Test, value: string | undefined): boolean {
  if (value === undefined) return test.op === "not in";
  switch (test.op) {
    case "has":
      return true;
    case "in":
      return test.values.includes(value);
    case "not in":
      return !test.values.includes(value);
    case "contains":
      return value.includes(test.text);
    case "starts with":
      return value.startsWith(test.text);
    case "ends with":
      return value.endsWith(test.text);
  }
}

function negated(truth: Truth): Truth {
  return truth === "perhaps" ? truth : !truth;
}

function worst(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes("perhaps") ? "perhaps" : true;
}
