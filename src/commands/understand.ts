import { formatDuration } from "../policy/duration.ts";
import { type OperationKind, operationId } from "../policy/operation.ts";
import { type Target, targetReference } from "../policy/target.ts";
import { isWriting, type RolledBack, type Writing } from "./command.ts";
import type { Understanding } from "./desk.ts";
import { parse } from "./parse.ts";
import { asksForForm } from "./quarantine-form.ts";
import type { Request } from "./request.ts";

/**
 * What was typed, in one line, before anything is looked up. In Slack an allow names no operation: a form may open instead, and
 * that it does would tell which templates there are.
 */
export function understand(request: Request): Understanding {
  if (request.source === "slack" && asksForForm(request.text)) {
    return { line: "quarantine: say of what in the form that opens.", operation: undefined };
  }
  const command = parse(request.text);
  if (command.kind === "usage") return { line: "That command was not understood.", operation: undefined };
  if (!isWriting(command)) return { line: command.kind, operation: undefined };
  const kind = kindOf(command);
  const mayAsk = kind === undefined || (kind === "allowance" && request.source === "slack");
  const operation = command.dryRun || mayAsk ? undefined : operationId(kind, request.delivery);
  return { line: inWords(command), operation };
}

/** Undefined where that shows only when it is looked up: what a release is undone by cuts off again. */
function kindOf(command: Writing): OperationKind | undefined {
  if (command.kind === "allow") return "allowance";
  if (command.kind !== "rollback") return command.kind;
  const id = command.what.kind === "operation" ? command.what.operation : "u-";
  if (id.startsWith("r-")) return undefined;
  return /^[ql]-/.test(id) ? "release" : "undo";
}

function rollbackWords(what: RolledBack): string {
  if (what.kind === "revision") return what.revision;
  if (what.kind === "operation") return what.operation;
  const place = inClusterWords(what.cluster, what.namespace);
  if (what.kind === "policy") return `the last change of ${place}/${what.name}`;
  if (what.kind === "last") return `the last change${place === "" ? "" : ` in ${place}`}`;
  const since = what.kind === "since" ? `of the last ${formatDuration(what.sinceMs)}` : `since ${what.incident} began`;
  return `all changes ${since}${place === "" ? "" : ` in ${place}`}`;
}

function inClusterWords(cluster: string | undefined, namespace = ""): string {
  return `${cluster === undefined ? "" : `${cluster}:`}${namespace}`;
}

function inWords(command: Writing): string {
  const dry = command.dryRun ? " (dry run)" : "";
  if (command.kind === "allow") return `allow ${command.template}${dry}`;
  if (command.kind === "rollback") return `rollback: ${rollbackWords(command.what)}${dry}`;
  if (command.kind !== "release") return `${command.kind} ${typed(command)}${dry}`;
  const { what } = command;
  return `release ${"operation" in what ? what.operation : typed(what)}${dry}`;
}

type Typed = Pick<Target, "namespace" | "pod" | "workload"> & { readonly cluster: string | undefined };

function typed(reference: Typed): string {
  const { cluster } = reference;
  return `${cluster === undefined ? "" : `${cluster}:`}${targetReference(reference)}`;
}
