import { parseDuration } from "../policy/duration.ts";
import { isOperationIdPrefix } from "../policy/operation.ts";
import { isClusterName } from "../policy/target.ts";
import type { Command, CommandName } from "./command.ts";
import { reasonLimit, tooLong, type Usage, usage } from "./parse-answers.ts";
import { takeFlags } from "./parse-flags.ts";
import { takeIncident } from "./parse-incident.ts";

/** `allow <template> key=value … for 30m reason`; alone it lists templates. */
export function parseAllow(all: readonly string[]): Command | Usage {
  const named = takeIncident(all, "allow");
  if (named.kind === "usage") return named;
  const flags = takeFlags(named.words, ["--dry-run", "--incident", "--break-glass"]);
  if (flags.kind === "usage") return { ...flags, topic: "allow" };
  const [template, ...words] = flags.words;
  if (template === undefined && flags.set.size > 0) return usage("Which template?", "allow");
  if (template !== undefined && !isTemplateName(template)) {
    return usage(
      `"${template.slice(0, 80)}" is no template's name. Type /np allow to see those that there are.`,
      "allow",
    );
  }
  const given = takeGiven(words);
  if (given.kind === "usage") return given;
  const { cluster, ...values } = given.values;
  if (cluster !== undefined && !isClusterName(cluster)) {
    return usage(`"${cluster.slice(0, 80)}" is no cluster's name.`, "allow");
  }
  const reason = given.rest.join(" ");
  if (reason.length > reasonLimit) return tooLong("allow");
  return {
    kind: "allow",
    template,
    values,
    cluster,
    ttlMs: given.ttlMs,
    breakGlass: flags.set.has("--break-glass"),
    dryRun: flags.set.has("--dry-run"),
    incident: named.incident,
    reason,
  };
}

/** Names are files' names: nothing in one leads out of their folder. */
function isTemplateName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(text);
}

type Given = {
  readonly kind: "given";
  readonly values: Record<string, string>;
  readonly ttlMs: number | undefined;
  readonly rest: readonly string[];
};

/** `key=value` and `for TIME` in any order, up to the first word that is neither: there the reason begins. */
function takeGiven(words: readonly string[]): Given | Usage {
  const values = new Map<string, string>();
  let ttlMs: number | undefined;
  let at = 0;
  for (; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [, key, value] = /^([A-Za-z][\w-]{0,40})=(.*)$/s.exec(word) ?? [];
    if (key !== undefined && value !== undefined) {
      if (values.has(key)) return usage(`${key} is given twice.`, "allow");
      values.set(key, value);
    } else if (word === "for" && ttlMs === undefined) {
      ttlMs = parseDuration(words[(at += 1)] ?? "");
      if (ttlMs === undefined) return usage("for needs a time such as 30m or 2h.", "allow");
    } else break;
  }
  return { kind: "given", values: Object.fromEntries(values), ttlMs, rest: words.slice(at) };
}

/** `extend <operation> 30m [reason]`. */
export function parseExtend(words: readonly string[]): Command | Usage {
  const found = takeOperation(words, "extend");
  if (found.kind === "usage") return found;
  const [first, ...others] = found.rest;
  const [time = "", ...rest] = first === "by" || first === "for" ? others : found.rest;
  const byMs = parseDuration(time);
  if (byMs === undefined) return usage("By how much? A time such as 30m or 2h.", "extend");
  const reason = rest.join(" ");
  return reason.length > reasonLimit ? tooLong("extend") : { kind: "extend", operation: found.operation, byMs, reason };
}

/** `end <operation> [reason]`. */
export function parseEnd(words: readonly string[]): Command | Usage {
  const found = takeOperation(words, "end", /^[au]-/);
  if (found.kind === "usage") return found;
  const reason = found.rest.join(" ");
  return reason.length > reasonLimit ? tooLong("end") : { kind: "end", operation: found.operation, reason };
}

function takeOperation(
  words: readonly string[],
  topic: CommandName,
  form = /^a-/,
): Usage | { readonly kind: "operation"; readonly operation: string; readonly rest: readonly string[] } {
  const flag = words.find((word) => word.startsWith("--"));
  if (flag !== undefined) return usage(`There is no option "${flag.slice(0, 40)}".`, topic);
  const [operation, ...rest] = words;
  if (operation === undefined) return usage("Which allowance? Look at /np status.", topic);
  if (!isOperationIdPrefix(operation) || !form.test(operation)) {
    const other = form.test("u-") ? ", nor a rollback's (u-…)" : "";
    return usage(`"${operation.slice(0, 80)}" is no allowance's id (a-…)${other}.`, topic);
  }
  return { kind: "operation", operation, rest };
}
