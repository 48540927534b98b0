import type { Labels } from "../policy/objects.ts";
import type { Expression } from "./calico-selector.ts";
import { keysOf, type LabelOf, truthFor } from "./calico-truth.ts";
import { podLike } from "./examples.ts";
import type { Matcher, PodExample, PodIdentity, SimulatedNamespace } from "./model.ts";

/** Calico adds these to every pod, and the first also to what else has a namespace. */
const namespaceKey = "projectcalico.org/namespace";
const orchestratorKey = "projectcalico.org/orchestrator";
const serviceAccountKey = "projectcalico.org/serviceaccount";
/** What an endpoint inherits from its namespace and its service account bears a prefix; their names are this label. */
const namespacePrefix = "pcns.";
const serviceAccountPrefix = "pcsa.";
const nameKey = "projectcalico.org/name";

export const everything: Expression = { op: "all" };

const namespaced: Expression = { op: "has", key: namespaceKey };

export function inNamespace(namespace: string): Expression {
  return { op: "in", key: namespaceKey, values: [namespace] };
}

export function ofServiceAccounts(names: readonly string[]): Expression {
  return { op: "in", key: serviceAccountKey, values: names };
}

/** What is undefined asks nothing. */
export function and(parts: readonly (Expression | undefined)[]): Expression {
  const of = parts.flatMap((part) => (part === undefined || part.op === "all" ? [] : [part]));
  const [first] = of;
  if (first === undefined) return everything;
  return of.length === 1 ? first : { op: "and", of };
}

/**
 * What a namespaceSelector asks of an endpoint: the labels that it inherits from its namespace; `all()` is to be in some
 * namespace, `global()` in none (getEndpointSelector in rules.go of libcalico-go's update processors).
 */
export function onNamespace(selector: Expression): Expression {
  return mapped(selector, namespacePrefix, { all: namespaced, global: { op: "not", of: namespaced } });
}

/** What a selector of service accounts asks of an endpoint. */
export function onServiceAccount(selector: Expression): Expression {
  return mapped(selector, serviceAccountPrefix, { all: everything, global: everything });
}

/** Pods on which the selector holds for certain, or on which it may hold. */
export function podsWhere(selector: Expression, reading: "certain" | "possible"): Matcher {
  const truthOf = truthFor(selector, labelOfPods);
  const pods = (pod: PodIdentity): boolean => {
    const truth = truthOf(pod);
    return truth === true || (truth === "perhaps" && reading === "possible");
  };
  const namespace = namespaceIn(selector);
  const example = exampleOf(selector);
  return {
    key: `calico ${isCertain(selector) ? "" : reading} ${JSON.stringify(selector)}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(selector.op === "all" ? {} : { pods }),
    labels: keysOf(selector),
    ...(pods(podLike(example, namespace)) ? { example } : {}),
  };
}

/** An attempt to make the selector true: of several alternatives the first, and nothing for what is negated. */
function exampleOf(selector: Expression): PodExample {
  const wanted = wantedBy(selector);
  const inherited = wanted.filter(([key]) => key.startsWith(namespacePrefix) || key === namespaceKey);
  const nameOf = (key: string): string =>
    key === namespaceKey || key === namespacePrefix + nameKey
      ? "kubernetes.io/metadata.name"
      : key.slice(namespacePrefix.length);
  const account = wanted.find(([key]) => key === serviceAccountKey || key === serviceAccountPrefix + nameKey);
  return {
    namespaceLabels: Object.fromEntries(inherited.map(([key, value]) => [nameOf(key), value])),
    labels: Object.fromEntries(wanted.filter((each) => !inherited.includes(each) && each !== account)),
    serviceAccount: account?.[1],
  };
}

function wantedBy(selector: Expression): readonly (readonly [key: string, value: string])[] {
  switch (selector.op) {
    case "and":
      return selector.of.flatMap(wantedBy);
    case "or":
      return selector.of.slice(0, 1).flatMap(wantedBy);
    case "has":
      return [[selector.key, "any"]];
    case "in":
      return selector.values.slice(0, 1).map((value) => [selector.key, value]);
    case "contains":
    case "starts with":
    case "ends with":
      return [[selector.key, selector.text]];
    case "all":
    case "global":
    case "not":
    case "not in":
      return [];
  }
}

/** The one namespace that a pod must be in, if that is asked: no pod can bear this label of another. */
function namespaceIn(selector: Expression): string | undefined {
  if (selector.op === "and") return selector.of.map(namespaceIn).find((each) => each !== undefined);
  return selector.op === "in" && selector.key === namespaceKey && selector.values.length === 1
    ? selector.values[0]
    : undefined;
}

/** Whether all that is asked is known of every pod: the labels of service accounts are not, but for their names. */
export function isCertain(selector: Expression): boolean {
  return keysOf(selector).every((key) => !isUnknown(key));
}

/**
 * Its own labels, then what it inherits (felix/labelindex). Calico's own labels replace a pod's of the same name, and a
 * long name of a service account is no label (libcalico-go, conversion/workload_endpoint_default.go).
 */
function labelOfPods(key: string): (pod: PodIdentity) => string | undefined | null {
  if (key === namespaceKey) return ({ namespace }) => namespace.name;
  if (key === orchestratorKey) return () => "k8s";
  const own = ({ labels }: PodIdentity) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (key === serviceAccountKey) return (pod) => accountLabel(pod) ?? own(pod);
  if (isUnknown(key)) return (pod) => own(pod) ?? null;
  if (key.startsWith(serviceAccountPrefix)) return (pod) => own(pod) ?? pod.serviceAccount;
  if (!key.startsWith(namespacePrefix)) return own;
  const inherited = key.slice(namespacePrefix.length);
  return (pod) => own(pod) ?? ofNamespace(pod.namespace, inherited);
}

function accountLabel({ serviceAccount }: PodIdentity): string | undefined {
  return serviceAccount !== "" && serviceAccount.length < 63 ? serviceAccount : undefined;
}

/** Of a NetworkSet, which inherits from its namespace, or of what has none. */
export function labelsOfMember(labels: Labels, namespace: SimulatedNamespace | undefined): LabelOf {
  return (key) => {
    if (key === namespaceKey && namespace !== undefined) return namespace.name;
    if (Object.hasOwn(labels, key)) return labels[key];
    if (namespace === undefined || !key.startsWith(namespacePrefix)) return undefined;
    return ofNamespace(namespace, key.slice(namespacePrefix.length));
  };
}

function ofNamespace({ name, labels }: SimulatedNamespace, key: string): string | undefined {
  if (key === nameKey) return name;
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function isUnknown(key: string): boolean {
  return key.startsWith(serviceAccountPrefix) && key !== `${serviceAccountPrefix}${nameKey}`;
}

type Calls = { readonly all: Expression; readonly global: Expression };

function mapped(selector: Expression, prefix: string, calls: Calls): Expression {
  if ("key" in selector) return { ...selector, key: `${prefix}${selector.key}` };
  if (selector.op === "not") return { op: "not", of: mapped(selector.of, prefix, calls) };
  if ("of" in selector) return { op: selector.op, of: selector.of.map((part) => mapped(part, prefix, calls)) };
  return calls[selector.op];
}
