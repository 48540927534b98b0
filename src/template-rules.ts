import type { Finding, Path } from "./config-problems.ts";
import type { Parameter, Template, TemplateEnd, TemplateOpening, Written } from "./policy/template.ts";
import { checkValue } from "./policy/template-values.ts";
import { openingFindings } from "./template-opening-rules.ts";
import { parameterName } from "./template-schema.ts";

/** What is wrong with a template whose keys are all of the right type; `named` is its file's name. */
export function templateFindings(template: Template, named: string): readonly Finding[] {
  const { parameters, opens } = template;
  return [
    ...(template.name === named
      ? []
      : [{ path: ["name"], text: `is ${template.name}, and its file's name is ${named}` }]),
    ...Object.entries(parameters).flatMap(([name, one]) => parameterFindings(name, one)),
    ...opens.flatMap((opening, index) => openingFindings(opening, ["opens", index], template)),
    ...unused(template),
    ...ttlFindings(template.ttl),
    ...approvalFindings(template),
  ];
}

function parameterFindings(name: string, parameter: Parameter): readonly Finding[] {
  const path = ["parameters", name];
  const found = [...boundFindings(parameter, path)];
  if (takenNames.includes(name)) found.push({ path, text: "is a word of the command itself: choose another name" });
  if (!parameterName.test(name)) {
    found.push({ path, text: "is no name for a parameter (at most 30 lower-case letters, digits, dashes)" });
  }
  // With bounds that are wrong, a default cannot be judged.
  if (parameter.default === undefined || found.length > 0) return found;
  const value = checkValue(parameter, parameter.default);
  return "text" in value ? [] : [{ path: [...path, "default"], text: `${parameter.default} ${value.problem}` }];
}

/** `/np allow … cluster=prod for 30m` (commands/parse-allow.ts). */
const takenNames = ["cluster", "for"];

function boundFindings(parameter: Parameter, path: Path): readonly Finding[] {
  if (parameter.type === "port") {
    const { min = 1, max = 65_535, oneOf } = parameter;
    if (min > max) return [{ path: [...path, "min"], text: `is above max, ${max}` }];
    const both = oneOf !== undefined && (parameter.min !== undefined || parameter.max !== undefined);
    return [
      ...(both ? [{ path: [...path, "oneOf"], text: "stands beside min or max: give the one or the other" }] : []),
      ...repeated(oneOf ?? [], path),
    ];
  }
  if (parameter.type === "choice") return repeated(parameter.oneOf, path);
  if (parameter.type !== "cidr" || Object.keys(parameter.widest).length > 0) return [];
  return [{ path: [...path, "widest"], text: "needs ipv4 or ipv6: a family without one is not taken" }];
}

function repeated(values: readonly unknown[], path: Path): readonly Finding[] {
  const again = values.findIndex((value, index) => values.indexOf(value) < index);
  return again < 0 ? [] : [{ path: [...path, "oneOf", again], text: `${String(values[again])} stands there twice` }];
}

function unused({ parameters, opens }: Template): readonly Finding[] {
  const used = new Set(
    opens.flatMap((opening) => writtenIn(opening)).flatMap((one) => ("parameter" in one ? [one.parameter] : [])),
  );
  return Object.keys(parameters)
    .filter((name) => !used.has(name))
    .map((name) => ({ path: ["parameters", name], text: `is used by no opening: write $${name} where it belongs` }));
}

function writtenIn({ from, to, ports = [] }: TemplateOpening): readonly Written[] {
  return [
    ...[from, to].flatMap((end) => writtenInEnd(end)),
    ...ports.flatMap(({ port, protocol }) => [port, protocol]),
  ];
}

function writtenInEnd(end: TemplateEnd): readonly Written[] {
  if (end.kind === "workload") return [end.workload];
  if (end.kind === "block") return [end.cidr];
  return end.kind === "namespace" ? [end.namespace, ...Object.values(end.pods ?? {})] : [];
}

function ttlFindings({ defaultMs, maxMs, totalMs }: Template["ttl"]): readonly Finding[] {
  return [
    ...(defaultMs > maxMs ? [{ path: ["ttl", "default"], text: "is more than max" }] : []),
    ...(maxMs > totalMs ? [{ path: ["ttl", "max"], text: "is more than total, the most with extensions" }] : []),
  ];
}

function approvalFindings({ approvals: { count, from }, wide }: Template): readonly Finding[] {
  const again = from.findIndex((one, index) => from.indexOf(one) < index);
  return [
    ...(wide && count === 0
      ? [{ path: ["approvals", "count"], text: "is 0, and what is wide needs at least one" }]
      : []),
    ...(count === 0 && from.length > 0 ? [{ path: ["approvals", "from"], text: "names people, and count is 0" }] : []),
    ...(again < 0 ? [] : [{ path: ["approvals", "from", again], text: "stands there twice" }]),
  ];
}
