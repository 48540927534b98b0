import { at, isObject, listAt, textsAt } from "./json.ts";
import type { KubeObject } from "./objects.ts";
import { badRequest } from "./status.ts";

/** Whether an object is selected. */
export type Selector = (object: KubeObject) => boolean;

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

/** A `labelSelector` of a query: `app=x,tier in (a,b),!canary`. Throws 400 where it cannot be read. */
export function labelQuery(query: string): Selector {
  if (query.trim() === "") return () => true;
  const tests = query.split(/,(?![^(]*\))/).map((term) => labelTerm(term.trim()));
  return ({ metadata }) => tests.every((test) => test(metadata.labels ?? {}));
}

/** A metav1.LabelSelector as stored in a spec; undefined selects nothing, an empty one everything. */
export function labelSelector(selector: unknown): LabelTest {
  if (!isObject(selector)) return () => false;
  const pairs = Object.entries(textsAt(selector, "matchLabels"));
  const tests = listAt(selector, "matchExpressions").map(expression);
  return (labels) =>
    pairs.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    tests.every((test) => test(labels));
}

/** A `fieldSelector` of a query. Throws 400 for fields that the resource does not know. */
export function fieldQuery(query: string, known: readonly string[]): Selector {
  if (query.trim() === "") return () => true;
  const tests = query.split(",").map((term) => fieldTerm(term.trim(), known));
  return (object) => tests.every((test) => test(object));
}

function labelTerm(term: string): LabelTest {
  const set = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null)
    return membership(
      set[1] ?? "",
      set[2] === "in",
      (set[3] ?? "").split(",").map((each) => each.trim()),
    );
  const pair = /^([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)$/.exec(term);
  if (pair !== null) return membership(pair[1] ?? "", pair[2] !== "!=", [pair[3] ?? ""]);
  const presence = /^(!?)\s*([^\s!=,()]+)$/.exec(term);
  if (presence === null) throw badRequest(`unable to parse requirement: "${term}"`);
  const key = presence[2] ?? "";
  return presence[1] === "!" ? (labels) => !Object.hasOwn(labels, key) : (labels) => Object.hasOwn(labels, key);
}

/** Absent keys are no member: `!=` and `notin` select them. */
function membership(key: string, wanted: boolean, values: readonly string[]): LabelTest {
  return (labels) => (Object.hasOwn(labels, key) && values.includes(labels[key] ?? "")) === wanted;
}

function expression(requirement: unknown): LabelTest {
  const key = String(at(requirement, "key"));
  const values = listAt(requirement, "values").map(String);
  switch (at(requirement, "operator")) {
    case "In":
      return membership(key, true, values);
    case "NotIn":
      return membership(key, false, values);
    case "Exists":
      return (labels) => Object.hasOwn(labels, key);
    case "DoesNotExist":
      return (labels) => !Object.hasOwn(labels, key);
    default:
      return () => false;
  }
}

function fieldTerm(term: string, known: readonly string[]): Selector {
  const parts = /^([^!=]+)(==|=|!=)(.*)$/.exec(term);
  if (parts === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const [, field = "", operator, value] = parts;
  if (!known.includes(field)) {
    const names = known.map((name) => `"${name}"`).join(", ");
    throw badRequest(`"${field}" is not a known field selector: only ${names}`);
  }
  const path = field.split(".");
  return (object) => ((at(object, ...path) ?? "") === value) === (operator !== "!=");
}
