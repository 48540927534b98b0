import type { z } from "zod";
import { type Finding, type Path, schemaFindings } from "./config-problems.ts";
import { canonicalHash } from "./policy/canonical.ts";
import { didYouMean } from "./policy/suggest.ts";
import type { Parameter, Template, TemplateEnd, TemplateOpening, Written } from "./policy/template.ts";
import type { TemplateProblem } from "./policy/template-set.ts";
import { templateFindings } from "./template-rules.ts";
import { endSchemas, openingSchema, parameterSchemas, templateFile } from "./template-schema.ts";
import { readTemplateYaml } from "./template-yaml.ts";

/**
 * The template of a file's text, named like the file; or everything that is wrong with it, in the order of its lines. Never
 * throws, whatever the text is. `procedures` are the files that there are; undefined where nobody can know.
 */
export function readTemplate(
  file: string,
  text: string,
  procedures?: readonly string[],
): { readonly template: Template } | { readonly problems: readonly TemplateProblem[] } {
  const yaml = readTemplateYaml(text);
  if ("problems" in yaml) {
    const shown = yaml.problems.slice(0, most).map((problem) => ({ file, ...problem }));
    return { problems: [...shown, ...more(file, yaml.problems)] };
  }
  const found: Finding[] = [];
  const template = templateOf(yaml.value, found);
  if (template !== undefined) found.push(...templateFindings(template, nameOf(file)));
  if (template !== undefined && procedures !== undefined) found.push(...procedureFindings(template, procedures));
  if (template !== undefined && found.length === 0) return { template };
  const problems = found.slice(0, most).map(({ path, text: reason }) => ({
    file,
    line: yaml.lineOf(path),
    reason: `${path.map(String).join(".") || "template"}: ${reason}`,
  }));
  return { problems: [...problems.toSorted((a, b) => a.line - b.line), ...more(file, found)] };
}

/** What is broken on every line is told of a few. */
const most = 20;

function more(file: string, found: readonly unknown[]): readonly TemplateProblem[] {
  return found.length <= most ? [] : [{ file, reason: `and ${found.length - most} more problems` }];
}

function procedureFindings({ procedure }: Template, procedures: readonly string[]): readonly Finding[] {
  if (procedures.includes(procedure)) return [];
  return [{ path: ["procedure"], text: `${procedure} is not there.${didYouMean(procedure, procedures)}` }];
}

/** `prod/egress-to-cidr.yaml` holds the template `egress-to-cidr`. */
function nameOf(file: string): string {
  return (file.split("/").at(-1) ?? "").replace(/\.ya?ml$/, "");
}

/** Undefined where so much is wrong that the rest cannot be judged. */
function templateOf(value: unknown, found: Finding[]): Template | undefined {
  const file = take(templateFile, value, [], found);
  // What is within is told even where something else is wrong.
  const { parameters: given, opens: openings } = lenient(value);
  const parameters = Object.entries(given).map(([name, one]) => [name, parameterOf(name, one, found)] as const);
  const opens = openings.map((one, index) => openingOf(one, ["opens", index], found));
  if (file === undefined) return undefined;
  const { version: _version, ttl, where, ...rest } = file;
  const content = {
    ...rest,
    parameters: Object.fromEntries(parameters.flatMap(([name, one]) => (one === undefined ? [] : [[name, one]]))),
    opens: opens.filter((one) => one !== undefined),
    ttl: { defaultMs: ttl.default, maxMs: ttl.max, totalMs: ttl.total },
    ...where,
  };
  const isWhole = Object.keys(content.parameters).length === parameters.length && content.opens.length === opens.length;
  return isWhole ? { ...content, version: canonicalHash(content).slice(0, 12) } : undefined;
}

function take<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  path: Path,
  found: Finding[],
): z.infer<Schema> | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const findings = schemaFindings(schema, parsed.error, value);
  found.push(...findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] })));
  return undefined;
}

function lenient(value: unknown): { parameters: Readonly<Record<string, unknown>>; opens: readonly unknown[] } {
  const { parameters, opens } = isMapping(value) ? value : {};
  return { parameters: isMapping(parameters) ? parameters : {}, opens: Array.isArray(opens) ? opens : [] };
}

function parameterOf(name: string, value: unknown, found: Finding[]): Parameter | undefined {
  const path = ["parameters", name];
  const type = oneOf(Object.keys(parameterSchemas), isMapping(value) ? value["type"] : undefined);
  if (!isMapping(value) || type === undefined) {
    found.push(typeFinding(value, path));
    return undefined;
  }
  const read = take(parameterSchemas[type as keyof typeof parameterSchemas], value, path, found);
  if (read === undefined) return undefined;
  const { default: given, ...rest } = read;
  return { ...rest, ...(given === undefined ? {} : { default: String(given) }) } as Parameter;
}

function typeFinding(value: unknown, path: Path): Finding {
  const types = Object.keys(parameterSchemas);
  if (!isMapping(value)) return { path, text: "expected a mapping with type and about" };
  const typed = value["type"];
  const hint = typeof typed === "string" ? didYouMean(typed, types) : "";
  return { path: [...path, "type"], text: `expected one of ${types.join(", ")}.${hint}` };
}

function openingOf(value: unknown, path: Path, found: Finding[]): TemplateOpening | undefined {
  const opening = take(openingSchema, value, path, found);
  const { from, to } = isMapping(value) ? value : {};
  const ends = isMapping(value) ? [endOf(from, [...path, "from"], found), endOf(to, [...path, "to"], found)] : [];
  const [source, target] = ends;
  if (opening === undefined || source === undefined || target === undefined) return undefined;
  const ports = opening.ports?.map(({ port, protocol, endPort }) => ({
    port: writtenOf(String(port)),
    protocol: writtenOf(protocol),
    ...(endPort === undefined ? {} : { endPort }),
  }));
  return { from: source, to: target, ...(ports === undefined ? {} : { ports }) };
}

function endOf(value: unknown, path: Path, found: Finding[]): TemplateEnd | undefined {
  const kinds = Object.keys(endSchemas);
  const keys = isMapping(value) ? Object.keys(value) : [];
  const named = keys.filter((key) => kinds.includes(key));
  const [kind] = named;
  if (kind === undefined || named.length > 1) {
    const [hint = ""] = kind === undefined ? keys.map((key) => didYouMean(key, kinds)) : [];
    const text = `expected a mapping with one of ${kinds.join(", ")}.${hint}`;
    found.push({ path, text: kind === undefined ? text : `is ${named.join(" and ")} at once; ${text}` });
    return undefined;
  }
  const end = take(endSchemas[kind as keyof typeof endSchemas], value, path, found);
  return end === undefined ? undefined : templateEnd(end);
}

type WrittenEnd = z.infer<(typeof endSchemas)[keyof typeof endSchemas]>;

function templateEnd(end: WrittenEnd): TemplateEnd {
  if ("workload" in end) return { kind: "workload", workload: writtenOf(end.workload) };
  if ("cidr" in end) return { kind: "block", cidr: writtenOf(end.cidr), except: end.except };
  if ("dns" in end) return { kind: "dns" };
  if ("anywhere" in end) return { kind: "anything" };
  const pods = Object.entries(end.pods ?? {}).map(([key, value]) => [key, writtenOf(value)] as const);
  return {
    kind: "namespace",
    namespace: writtenOf(end.namespace),
    ...(pods.length === 0 ? {} : { pods: Object.fromEntries(pods) }),
  };
}

function writtenOf(text: string): Written {
  return text.startsWith("$") ? { parameter: text.slice(1) } : { literal: text };
}

function oneOf(words: readonly string[], value: unknown): string | undefined {
  return words.find((word) => word === value);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
