import type { Expression } from "./calico-selector.ts";

/** "perhaps" where a label is asked whose value is not known. */
export type Truth = boolean | "perhaps";

/** Undefined: the label is absent; null: not known. */
type Value = string | undefined | null;

export type LabelOf = (key: string) => Value;

type Test = Extract<Expression, { readonly key: string }>;

/** `!=` and `not in` hold where the label is absent (libcalico-go/lib/selector/parser/ast.go). */
export function truthOf(selector: Expression, labelOf: LabelOf): Truth {
  return truthFor(selector, (key) => () => labelOf(key))(undefined);
}

/** The selector as a function of what bears labels, for selectors that are held against many: keys are looked at once. */
export function truthFor<Bearer>(
  selector: Expression,
  labelOf: (key: string) => (bearer: Bearer) => Value,
): (bearer: Bearer) => Truth {
  if ("key" in selector) {
    const read = labelOf(selector.key);
    return (bearer) => {
      const value = read(bearer);
      return value === null ? "perhaps" : holds(selector, value);
    };
  }
  if (selector.op === "not") {
    const inner = truthFor(selector.of, labelOf);
    return (bearer) => negated(inner(bearer));
  }
  if (!("of" in selector)) return () => true;
  const parts = selector.of.map((part) => truthFor(part, labelOf));
  return selector.op === "and" ? all(parts) : any(parts);
}

function all<Bearer>(parts: readonly ((bearer: Bearer) => Truth)[]): (bearer: Bearer) => Truth {
  return (bearer) => {
    let truth: Truth = true;
    for (const part of parts) {
      const each = part(bearer);
      if (each === false) return false;
      if (each === "perhaps") truth = each;
    }
    return truth;
  };
}

function any<Bearer>(parts: readonly ((bearer: Bearer) => Truth)[]): (bearer: Bearer) => Truth {
  const none = all(parts.map((part) => (bearer: Bearer) => negated(part(bearer))));
  return (bearer) => negated(none(bearer));
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
