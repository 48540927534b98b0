import { bindTemplate } from "../policy/bind-template.ts";
import { parseDuration } from "../policy/duration.ts";
import { isRefusal } from "../policy/guard.ts";
import type { Labels } from "../policy/objects.ts";
import { type Template, ttlFor } from "../policy/template.ts";
import { allowCandidates, askedFor, valuePrefix } from "./allow-suggestions.ts";
import { refusalText } from "./answers.ts";
import { type Allowing, isAllowing } from "./command.ts";
import {
  anotherWord,
  dryRun,
  type FilledForm,
  type FormFields,
  type FormProblems,
  isShortened,
  optionValue,
  type Sender,
} from "./form.ts";
import { parse } from "./parse.ts";
import type { Services } from "./services.ts";
import { normalise } from "./words.ts";

/**
 * The form as the text that one could have typed instead, so that there is one way into an allowance; or what is wrong,
 * field by field. What was typed before the form opened, and has no field in it, stays. Throws where a cluster that has to be
 * asked does not answer.
 */
export async function allowText(services: Services, form: FilledForm, who: Sender): Promise<string | FormProblems> {
  const asked = askedFor(services, form.command);
  if (asked === undefined) return { reason: "What this form was about is not known any more. Type the command again." };
  const { template } = asked;
  const values = await valuesOf(services, form, template, who);
  const time = normalise(form.fields["time"] ?? "");
  const wrong = { ...valueProblems(template, values), ...timeProblem(template, time) };
  if (Object.keys(wrong).length > 0) return wrong;
  const wanted = commandOf(asked.command, form.fields, values, time);
  const text = textOf(wanted, time);
  const command = parse(text);
  if (command.kind === "usage") return { reason: command.problem };
  return isAllowing(command) && isSame(command, wanted) ? text : { reason: anotherWord };
}

/** By parameter; where a value stands for a longer one, that. One that is not there any more stays as it is. */
async function valuesOf(services: Services, form: FilledForm, template: Template, who: Sender): Promise<Labels> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(template.parameters)) {
    const field = `${valuePrefix}${name}`;
    const value = normalise(form.fields[field] ?? "");
    if (value !== "") given[name] = isShortened(value) ? await whole(services, { form, field, value }, who) : value;
  }
  return given;
}

type Shortened = { readonly form: FilledForm; readonly field: string; readonly value: string };

/** Only of what the sender is offered. */
async function whole(services: Services, { form, field, value }: Shortened, who: Sender): Promise<string> {
  const asked = askedFor(services, form.command);
  const name = field.slice(valuePrefix.length);
  const parameter = asked?.template.parameters[name];
  const known = [asked?.command.values[name], parameter?.default, ...choicesOf(parameter)];
  const found = known.find((text) => text !== undefined && optionValue(text) === value);
  if (found !== undefined) return found;
  const principal = await who();
  if (principal === undefined) return value;
  const offered = await allowCandidates(services, { ...form, principal, field, typed: "" });
  return offered.find((one) => one.value === value)?.name ?? value;
}

function choicesOf(parameter: Template["parameters"][string] | undefined): readonly string[] {
  return parameter?.type === "choice" ? parameter.oneOf : [];
}

/** What no single value is to blame for stands under the first. */
function valueProblems(template: Template, values: Labels): FormProblems {
  const bound = bindTemplate(template, values);
  if (!("refusals" in bound)) return {};
  const [first = ""] = Object.keys(template.parameters);
  const problems = bound.refusals.map(({ parameter = first, ...refusal }) => {
    return [`${valuePrefix}${parameter}`, refusalText(refusal)] as const;
  });
  return Object.fromEntries(problems);
}

function timeProblem(template: Template, time: string): FormProblems {
  const ms = time === "" ? undefined : parseDuration(time);
  if (time !== "" && ms === undefined) return { time: "That is no time such as 30m or 2h." };
  const ttl = ttlFor(template, ms);
  return isRefusal(ttl) ? { time: refusalText(ttl) } : {};
}

function commandOf(typed: Allowing, fields: FormFields, values: Labels, time: string): Allowing {
  const { cluster = "", reason = "", run } = fields;
  return {
    ...typed,
    values,
    cluster: typed.cluster ?? (cluster === "" ? undefined : cluster),
    ttlMs: parseDuration(time),
    dryRun: run === dryRun,
    reason: normalise(reason.replaceAll(/\s+/g, " ")).replaceAll('"', "'"),
  };
}

function textOf({ template, values, cluster, breakGlass, dryRun: dry, incident, reason }: Allowing, time: string) {
  return [
    "allow",
    ...(dry ? ["--dry-run"] : []),
    ...(breakGlass ? ["--break-glass"] : []),
    ...(incident === undefined ? [] : ["--incident", incident]),
    template,
    ...Object.entries(values).map(([name, value]) => word(`${name}=${value}`)),
    ...(cluster === undefined ? [] : [word(`cluster=${cluster}`)]),
    ...(time === "" ? [] : ["for", time]),
    ...(reason === "" ? [] : [`"${reason}"`]),
  ].join(" ");
}

function word(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text;
}

/** Whatever was filled in must mean when typed what it meant in its field. */
function isSame(parsed: Allowing, wanted: Allowing): boolean {
  const [a, b] = [parsed.values, wanted.values];
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.entries(a).every(([name, value]) => b[name] === value) &&
    (["template", "cluster", "ttlMs", "breakGlass", "dryRun", "incident", "reason"] as const).every(
      (key) => parsed[key] === wanted[key],
    )
  );
}
