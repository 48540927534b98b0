import { join } from "node:path";
import type { ArgumentProblem } from "./cli-arguments.ts";
import { formatDuration } from "./policy/duration.ts";
import { didYouMean } from "./policy/suggest.ts";
import type { Parameter, Template } from "./policy/template.ts";
import { problemLine, type TemplateSet } from "./policy/template-set.ts";
import { shown, type ToolOutput } from "./policy-tools.ts";
import { proceduresBeside } from "./template-folder.ts";
import { loadTemplates, shippedTemplates } from "./templates.ts";

/** `templates lint [DIR]` and `templates list [DIR] [--output json]`. */
export type TemplateTool = {
  readonly kind: "templates";
  readonly action: "lint" | "list";
  readonly folder: string;
  readonly output: "text" | "json";
};

/** The words of the command line, `templates` first; or what is wrong with them. */
export function readTemplateTool([, action, ...args]: readonly string[]): TemplateTool | ArgumentProblem {
  if (action !== "lint" && action !== "list") {
    return problem(
      `takes lint or list, and a folder if it is not the shipped one.${didYouMean(action ?? "", ["lint", "list"])}`,
    );
  }
  const at = args.findIndex((arg) => arg === "--output" || arg === "-o");
  const output = at < 0 ? "text" : args[at + 1];
  const [folder = shippedTemplates, more] = at < 0 ? args : args.toSpliced(at, 2);
  if (output !== "text" && output !== "json") return problem("--output takes text or json");
  if (folder.startsWith("-")) return problem(`there is no option ${folder}`);
  return more === undefined
    ? { kind: "templates", action, folder, output }
    : problem(`"${more}" is more than it takes`);
}

/** Exit code 2 where anything is wrong with any file, whatever was asked. */
export function runTemplateTool({ action, folder, output }: TemplateTool): ToolOutput {
  const set = loadTemplates(folder, action === "lint" ? proceduresBeside(folder) : undefined);
  const err = set.problems.map((one) =>
    shown(problemLine({ ...one, file: one.file === folder ? folder : join(folder, one.file) })),
  );
  const code = err.length > 0 ? 2 : 0;
  if (output === "json") return { out: `${JSON.stringify(set)}\n`, err: [], code };
  return { out: action === "lint" ? lintText(set, code) : set.templates.map(listed).join("\n"), err, code };
}

function problem(text: string): ArgumentProblem {
  return { kind: "problem", problem: `templates ${text}` };
}

function lintText({ templates }: TemplateSet, code: number): string {
  if (code > 0) return "";
  return templates.length === 1 ? "1 template is fine.\n" : `${templates.length} templates are fine.\n`;
}

function listed(template: Template): string {
  const { name, version, title, when, owner, procedure, parameters, ttl, approvals, namespaces, clusters } = template;
  const from = approvals.from.length === 0 ? "" : ` of ${approvals.from.join(", ")}`;
  const times = [ttl.defaultMs, ttl.maxMs, ttl.totalMs].map(formatDuration);
  const lines = [
    `${name} (${version}): ${title}`,
    `  when: ${when}`,
    ...Object.entries(parameters).map(([key, parameter]) => `  ${key}=${bounds(parameter)}: ${parameter.about}`),
    `  for ${times[0]}, at most ${times[1]} at once and ${times[2]} in all`,
    `  in namespaces ${listOf(namespaces)} of clusters ${listOf(clusters)}`,
    `  ${approvals.count === 0 ? "no approval" : `${approvals.count} to approve${from}`}${template.review ? ", and a review afterwards" : ""}`,
    `  owner ${owner}, procedure ${procedure}`,
  ];
  return `${lines.join("\n")}\n`;
}

function listOf(patterns: readonly string[]): string {
  return patterns.length === 0 ? "(none)" : patterns.join(", ");
}

/** `PORT, one of 443, 8443 (443 if not given)`. */
function bounds(parameter: Parameter): string {
  const fallback = parameter.default === undefined ? "" : ` (${parameter.default} if not given)`;
  return `${kind(parameter)}${fallback}`;
}

function kind(parameter: Parameter): string {
  switch (parameter.type) {
    case "workload":
    case "namespace":
      return parameter.type.toUpperCase();
    case "choice":
      return `one of ${parameter.oneOf.join(", ")}`;
    case "port":
      return parameter.oneOf === undefined
        ? `PORT from ${parameter.min ?? 1} to ${parameter.max ?? 65_535}`
        : `PORT, one of ${parameter.oneOf.join(", ")}`;
    case "cidr": {
      const { ipv4, ipv6 } = parameter.widest;
      const widest = [ipv4 === undefined ? "" : `IPv4 /${ipv4}`, ipv6 === undefined ? "" : `IPv6 /${ipv6}`];
      const within = parameter.within === undefined ? "" : `, within ${parameter.within.join(", ")}`;
      return `CIDR, at widest ${widest.filter((one) => one !== "").join(" and ")}${within}`;
    }
  }
}
