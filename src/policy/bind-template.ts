import { containsCidr, formatCidr, parseExactCidr } from "./cidr.ts";
import { type Refusal, refusal } from "./guard.ts";
import type { Labels, NetworkPolicyPort } from "./objects.ts";
import { didYouMean } from "./suggest.ts";
import type { Parameter, Template, TemplateEnd, TemplateOpening, TemplatePort, Written } from "./template.ts";
import { checkValue, parseNamespaceValue, parseWorkloadValue, type WorkloadValue } from "./template-values.ts";

/** A template with a value for each parameter: what it opens, but for what only the cluster knows. */
export type BoundTemplate = {
  readonly template: Template;
  /** By name, each in the one way in which it is written: equal values are equal texts. */
  readonly parameters: Readonly<Record<string, string>>;
  /** That the values name; undefined where none does. */
  readonly cluster: string | undefined;
  readonly openings: readonly BoundOpening[];
};

export type BoundOpening = {
  readonly from: BoundEnd;
  readonly to: BoundEnd;
  /** Undefined: all ports, or those of the cluster's DNS. */
  readonly ports: readonly NetworkPolicyPort[] | undefined;
};

export type BoundEnd =
  | { readonly kind: "workload"; readonly workload: Omit<WorkloadValue, "cluster"> }
  | { readonly kind: "namespace"; readonly namespace: string; readonly pods: Labels }
  | { readonly kind: "block"; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: "dns" }
  | { readonly kind: "anything" };

/** A value that cannot be taken, and the parameter that it was for; absent where no single one is to blame. */
export type BindingRefusal = Refusal & { readonly parameter?: string };

/**
 * The template with the values as typed, defaults filled in; or everything that is wrong with them. A value beyond the
 * bounds of its parameter is refused, never cut down to them.
 */
export function bindTemplate(
  template: Template,
  given: Readonly<Record<string, string>>,
): BoundTemplate | { readonly refusals: readonly BindingRefusal[] } {
  const names = Object.keys(template.parameters);
  const checked = Object.entries(template.parameters).map(([name, parameter]) => ({
    name,
    ...valueOf(template, name, parameter, given),
  }));
  const unknown = Object.keys(given).filter((key) => !names.includes(key));
  const refusals = [
    ...unknown.map((key) => refuseKey(template, key, names)),
    ...checked.flatMap((value) => ("refusal" in value ? [value.refusal] : [])),
  ];
  if (refusals.length > 0) return { refusals };
  const parameters = Object.fromEntries(checked.map((value) => [value.name, "text" in value ? value.text : ""]));
  return bound(template, parameters);
}

/** `/np allow egress-to-cidr workload=… cidr=…`, with … for what has to be given. */
export function templateUsage({ name, parameters }: Pick<Template, "name" | "parameters">): string {
  const needed = Object.entries(parameters).filter(([, parameter]) => parameter.default === undefined);
  return ["/np allow", name, ...needed.map(([key]) => `${key}=…`), "for 30m reason"].join(" ");
}

type ValueOf = { readonly text: string } | { readonly refusal: BindingRefusal };

function valueOf(
  template: Template,
  name: string,
  parameter: Parameter,
  given: Readonly<Record<string, string>>,
): ValueOf {
  const typed = Object.hasOwn(given, name) ? given[name] : parameter.default;
  if (typed === undefined) {
    const missing = refusal(`the parameter ${name} is missing: ${parameter.about}`, `Type: ${templateUsage(template)}`);
    return { refusal: { ...missing, parameter: name } };
  }
  const value = checkValue(parameter, typed);
  return "text" in value
    ? value
    : {
        refusal: {
          ...refusal(
            `the value ${name}=${shown(typed)} ${value.problem}`,
            `Give ${name} another value: ${parameter.about}.`,
          ),
          parameter: name,
        },
      };
}

function refuseKey(template: Template, key: string, names: readonly string[]): Refusal {
  const known = names.length === 0 ? "It has none." : `Its parameters are ${names.join(", ")}.`;
  return refusal(
    `template ${template.name} has no parameter ${shown(key)}.${didYouMean(key, names)}`.replace(/\.$/, ""),
    known,
  );
}

/** Typed by somebody: short enough for a sentence. */
function shown(typed: string): string {
  return typed.length > 80 ? `${typed.slice(0, 80)}…` : typed;
}

type Values = Readonly<Record<string, string>>;

function bound(template: Template, parameters: Values): BoundTemplate | { readonly refusals: readonly Refusal[] } {
  const clusters = new Set(
    template.opens.flatMap(({ from, to }) => [from, to].flatMap((end) => clusterOf(end, parameters))),
  );
  const [cluster, ...others] = clusters;
  if (others.length > 0) {
    const names = [...clusters].join(" and ");
    const next = "Name one cluster: policies reach no further.";
    return { refusals: [refusal(`its ends are in different clusters, ${names}`, next)] };
  }
  const openings = template.opens.map((opening) => boundOpening(opening, parameters));
  const refusals = openings.flatMap(({ from, to }) => [from, to].flatMap((end) => refuseExcepted(end)));
  return refusals.length > 0 ? { refusals } : { template, parameters, cluster, openings };
}

function boundOpening({ from, to, ports }: TemplateOpening, values: Values): BoundOpening {
  return {
    from: boundEnd(from, values),
    to: boundEnd(to, values),
    ports: ports?.map((port) => boundPort(port, values)),
  };
}

function boundEnd(end: TemplateEnd, values: Values): BoundEnd {
  switch (end.kind) {
    case "workload": {
      const { namespace, kind, name } = known(parseWorkloadValue(textOf(end.workload, values)));
      return { kind: "workload", workload: { namespace, kind, name } };
    }
    case "namespace": {
      const { namespace } = known(parseNamespaceValue(textOf(end.namespace, values)));
      const pods = Object.entries(end.pods ?? {}).map(([key, value]) => [key, textOf(value, values)]);
      return { kind: "namespace", namespace, pods: Object.fromEntries(pods) };
    }
    case "block": {
      const cidr = canonicalCidr(textOf(end.cidr, values));
      return { kind: "block", cidr, except: end.except.filter((hole) => isWithin(cidr, hole) || isWithin(hole, cidr)) };
    }
    case "dns":
    case "anything":
      return end;
  }
}

function boundPort({ port, protocol, endPort }: TemplatePort, values: Values): NetworkPolicyPort {
  const typed = textOf(protocol, values);
  return {
    protocol: known((["TCP", "UDP", "SCTP"] as const).find((one) => one === typed)),
    port: Number(textOf(port, values)),
    ...(endPort === undefined ? {} : { endPort }),
  };
}

/** The API takes only exceptions that leave something of the block (validation of NetworkPolicy's ipBlock). */
function refuseExcepted(end: BoundEnd): readonly Refusal[] {
  if (end.kind !== "block") return [];
  const hole = end.except.find((each) => isWithin(each, end.cidr));
  return hole === undefined
    ? []
    : [refusal(`${end.cidr} lies in ${hole}, which the template leaves out`, "Choose other addresses.")];
}

function isWithin(outer: string, inner: string): boolean {
  const [whole, part] = [parseExactCidr(outer), parseExactCidr(inner)];
  return !("problem" in whole) && !("problem" in part) && containsCidr(whole, part);
}

function canonicalCidr(text: string): string {
  const cidr = parseExactCidr(text);
  return known("problem" in cidr ? undefined : formatCidr(cidr));
}

function clusterOf(end: TemplateEnd, values: Values): readonly string[] {
  if (end.kind !== "workload" && end.kind !== "namespace") return [];
  const text = textOf(end.kind === "workload" ? end.workload : end.namespace, values);
  const cluster = (parseWorkloadValue(text) ?? parseNamespaceValue(text))?.cluster;
  return cluster === undefined ? [] : [cluster];
}

function textOf(written: Written, values: Values): string {
  return "literal" in written ? written.literal : known(values[written.parameter]);
}

/** Reading the template has checked what it holds, and `checkValue` what was typed. */
function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("a template that was not checked");
  return value;
}
