import { formatDuration, parseDuration } from "../policy/duration.ts";
import type { CidrParameter, Parameter, PortParameter, Template } from "../policy/template.ts";
import { askedFor, clustersFor, valuePrefix } from "./allow-suggestions.ts";
import type { Allowing } from "./command.ts";
import { dryRunField, type Form, type FormField, optionValue, type Sender } from "./form.ts";
import { counted } from "./impact-words.ts";
import { reasonLimit } from "./parse-answers.ts";
import type { Services } from "./services.ts";
import { normalise, wordsOf } from "./words.ts";

/**
 * The form of a template whose name was typed with nothing else, or without a value that it needs; undefined for every
 * other command, and for who may use that template nowhere (invariant 7): what it takes is told to nobody else.
 */
export async function allowFormFor(services: Services, typed: string, who: Sender): Promise<Form | undefined> {
  const asked = askedFor(services, typed);
  if (asked === undefined || !saysTooLittle(typed, asked.command, asked.template)) return undefined;
  const sender = await who();
  if (sender === undefined || clustersFor(services, asked.template, sender).length === 0) return undefined;
  return allowForm(asked.command, asked.template, services.clusters.size > 1);
}

function saysTooLittle(typed: string, { values }: Allowing, { parameters }: Template): boolean {
  const isBare = wordsOf(normalise(typed)).length === 2;
  const needed = Object.entries(parameters).filter(([, parameter]) => parameter.default === undefined);
  return isBare || needed.some(([name]) => !Object.hasOwn(values, name));
}

function allowForm(command: Allowing, template: Template, several: boolean): Form {
  const { title, when, approvals, parameters } = template;
  const others =
    approvals.count === 0 ? "" : ` ${counted(approvals.count, "other person", "other people")} must approve.`;
  return {
    kind: "allow",
    title: "Open a path",
    about: `${title}. ${when}${others}`,
    fields: [
      ...(several && command.cluster === undefined ? [cluster] : []),
      ...Object.entries(parameters).map(([name, parameter]) => valueField(name, parameter, command.values[name])),
      timeField(template, command.ttlMs),
      reasonField(command),
      { ...dryRunField, ticked: command.dryRun },
    ],
  };
}

const cluster: FormField = {
  kind: "search",
  name: "cluster",
  label: "Cluster",
  placeholder: "Type a part of its name",
};

function timeField({ ttl }: Template, askedMs: number | undefined): FormField {
  const hint = `At most ${formatDuration(ttl.maxMs)}; ${formatDuration(ttl.totalMs)} in all, with extensions.`;
  const words = { placeholder: formatDuration(ttl.defaultMs), length: 20, multiline: false };
  const initial = askedMs === undefined ? {} : { initial: typedTime(askedMs) };
  return { kind: "words", name: "time", label: "For how long", hint, optional: true, ...words, ...initial };
}

/** As it can be typed again: `1h30m`. */
function typedTime(ms: number): string {
  const short = formatDuration(ms).replaceAll(" ", "");
  return parseDuration(short) === ms ? short : `${Math.round(ms / 1_000)}s`;
}

function reasonField({ reason, breakGlass }: Allowing): FormField {
  const words = { placeholder: "Why it is needed now", length: reasonLimit, multiline: true };
  const given = reason === "" ? {} : { initial: reason };
  return {
    kind: "words",
    name: "reason",
    label: "Reason",
    ...(breakGlass ? {} : { optional: true }),
    ...words,
    ...given,
  };
}

function valueField(name: string, parameter: Parameter, typed: string | undefined): FormField {
  const initial = typed ?? parameter.default;
  const hint = [parameter.about, ...bounds(parameter)].join(". ");
  const field = { name: `${valuePrefix}${name}`, label: name, hint };
  const needed = parameter.default === undefined ? {} : { optional: true as const };
  const options = menuOf(parameter);
  if (options !== undefined) {
    const chosen = initial === undefined || !options.includes(initial) ? {} : { initial: offer(initial) };
    return { ...field, ...needed, kind: "menu", options: options.map(offer), ...chosen };
  }
  if (parameter.type === "workload" || parameter.type === "namespace") {
    const chosen = initial === undefined || initial === "" ? {} : { initial: offer(initial) };
    return { ...field, ...needed, kind: "search", placeholder: "Type a part of its name", ...chosen };
  }
  const given = initial === undefined || initial.length > 100 ? {} : { initial };
  return {
    ...field,
    ...needed,
    kind: "words",
    placeholder: placeholders[parameter.type],
    length: 100,
    multiline: false,
    ...given,
  };
}

const placeholders = { port: "A port's number", cidr: "Such as 203.0.113.0/24", choice: "" } as const;

function menuOf(parameter: Parameter): readonly string[] | undefined {
  if (parameter.type === "choice") return parameter.oneOf;
  return parameter.type === "port" ? parameter.oneOf?.map(String) : undefined;
}

function offer(text: string) {
  return { label: text, value: optionValue(text) };
}

function bounds(parameter: Parameter): readonly string[] {
  if (parameter.type === "port") return portBounds(parameter);
  return parameter.type === "cidr" ? cidrBounds(parameter) : [];
}

function portBounds({ min, max, oneOf }: PortParameter): readonly string[] {
  if (oneOf !== undefined || (min === undefined && max === undefined)) return [];
  return [`From ${min ?? 1} to ${max ?? 65_535}`];
}

function cidrBounds({ widest: { ipv4, ipv6 }, within }: CidrParameter): readonly string[] {
  const widest = [
    ...(ipv4 === undefined ? [] : [`/${ipv4} (IPv4)`]),
    ...(ipv6 === undefined ? [] : [`/${ipv6} (IPv6)`]),
  ];
  return [`Not wider than ${widest.join(" or ")}`, ...(within === undefined ? [] : [`Within ${within.join(", ")}`])];
}
