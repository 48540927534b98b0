import type { Finding, Path } from "./config-problems.ts";
import { containsCidr, parseExactCidr } from "./policy/cidr.ts";
import { didYouMean } from "./policy/suggest.ts";
import type { Parameter, ParameterType, Template, TemplateEnd, TemplateOpening, Written } from "./policy/template.ts";
import { checkValue } from "./policy/template-values.ts";

type Parameters = Template["parameters"];

/** What is wrong with one opening of the template. */
export function openingFindings(opening: TemplateOpening, path: Path, template: Template): readonly Finding[] {
  const { parameters, wide } = template;
  const { from, to, ports } = opening;
  const found = [
    ...endFindings(from, [...path, "from"], parameters),
    ...endFindings(to, [...path, "to"], parameters),
    ...(ports ?? []).flatMap((_, index) => portFindings(opening, [...path, "ports", index], parameters)),
  ];
  const say = (key: string, text: string): unknown => found.push({ path: [...path, key], text });
  if (from.kind === "dns") say("from", "the cluster's DNS opens no connections: it stands in to");
  if (!isOfPods(from) && !isOfPods(to))
    say("from", "neither end is a workload or a namespace, so no policy can say it");
  if (to.kind === "dns" && ports !== undefined) say("ports", "are those of the cluster's DNS: leave them out");
  if (wide) return found;
  if (from.kind === "anything") say("from", "anywhere needs wide: true at the top of the template");
  if (to.kind === "anything") say("to", "anywhere needs wide: true at the top of the template");
  if (to.kind !== "dns" && ports === undefined) say("ports", "are missing: all ports need wide: true at the top");
  return found;
}

function isOfPods({ kind }: TemplateEnd): boolean {
  return kind === "workload" || kind === "namespace";
}

function endFindings(end: TemplateEnd, path: Path, parameters: Parameters): readonly Finding[] {
  switch (end.kind) {
    case "workload":
      return fits(end.workload, [...path, "workload"], parameters, { type: "workload" });
    case "namespace":
      return [
        ...fits(end.namespace, [...path, "namespace"], parameters, { type: "namespace" }),
        ...Object.entries(end.pods ?? {}).flatMap(([key, value]) =>
          labelFindings(value, [...path, "pods", key], parameters),
        ),
      ];
    case "block":
      return blockFindings(end, path, parameters);
    case "dns":
    case "anything":
      return [];
  }
}

function blockFindings(end: Extract<TemplateEnd, { kind: "block" }>, path: Path, parameters: Parameters) {
  const found = [...fits(end.cidr, [...path, "cidr"], parameters, anyCidr)];
  const whole = "literal" in end.cidr ? parseExactCidr(end.cidr.literal) : undefined;
  if (whole === undefined || "problem" in whole) return found;
  const outside = end.except.findIndex((text) => {
    const hole = parseExactCidr(text);
    return "problem" in hole || !containsCidr(whole, hole) || hole.length === whole.length;
  });
  if (outside >= 0) found.push({ path: [...path, "except", outside], text: "is not a part of the cidr" });
  return found;
}

/** A block that the template itself names may be any but everything, and not what nobody means. */
const anyCidr = { type: "cidr", widest: { ipv4: 1, ipv6: 1 } } as const;

const anyPort = { type: "port" } as const;
const protocols = { type: "choice", oneOf: ["TCP", "UDP", "SCTP"] } as const;

function portFindings({ ports }: TemplateOpening, path: Path, parameters: Parameters): readonly Finding[] {
  const given = ports?.[Number(path.at(-1))];
  if (given === undefined) return [];
  const { port, protocol, endPort } = given;
  const found = [
    ...fits(port, [...path, "port"], parameters, anyPort),
    ...fits(protocol, [...path, "protocol"], parameters, protocols),
  ];
  if (endPort === undefined || found.length > 0) return found;
  const highest = "literal" in port ? Number(port.literal) : highestOf(parameters[port.parameter]);
  return endPort >= highest ? [] : [{ path: [...path, "endPort"], text: `is below the port, which may be ${highest}` }];
}

function highestOf(parameter: Parameter | undefined): number {
  if (parameter?.type !== "port") return 65_535;
  return parameter.oneOf === undefined ? (parameter.max ?? 65_535) : Math.max(...parameter.oneOf);
}

function labelFindings(value: Written, path: Path, parameters: Parameters): readonly Finding[] {
  const texts = "literal" in value ? [value.literal] : choicesOf(parameters[value.parameter]);
  if (texts === undefined) return fits(value, path, parameters, { type: "choice", oneOf: [] });
  const wrong = texts.find((text) => !/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(text));
  return wrong === undefined ? [] : [{ path, text: `${wrong} is no value of a label` }];
}

function choicesOf(parameter: Parameter | undefined): readonly string[] | undefined {
  return parameter?.type === "choice" ? parameter.oneOf : undefined;
}

/** Whether what is written there, or each value that the parameter can have, is of that type. */
function fits(value: Written, path: Path, parameters: Parameters, wanted: ParameterType): readonly Finding[] {
  if ("literal" in value) {
    const checked = checkValue(wanted, value.literal);
    return "text" in checked ? [] : [{ path, text: `${value.literal} ${checked.problem}` }];
  }
  const parameter = Object.hasOwn(parameters, value.parameter) ? parameters[value.parameter] : undefined;
  if (parameter === undefined) {
    return [
      {
        path,
        text: `there is no parameter ${value.parameter}.${didYouMean(value.parameter, Object.keys(parameters))}`,
      },
    ];
  }
  if (parameter.type === wanted.type && wanted.type !== "choice") return [];
  const choices = choicesOf(parameter);
  if (choices === undefined) {
    return [{ path, text: `parameter ${value.parameter} is a ${parameter.type}, not a ${wanted.type}` }];
  }
  return choices.flatMap((literal) => fits({ literal }, path, parameters, wanted)).slice(0, 1);
}
