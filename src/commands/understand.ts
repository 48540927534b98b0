import { operationId } from "../policy/operation.ts";
import { type Target, targetReference } from "../policy/target.ts";
import { isWriting, type Writing } from "./command.ts";
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
  const kind = command.kind === "allow" ? "allowance" : command.kind;
  const mayAsk = kind === "allowance" && request.source === "slack";
  const operation = command.dryRun || mayAsk ? undefined : operationId(kind, request.delivery);
  return { line: inWords(command), operation };
}

function inWords(command: Writing): string {
  const dry = command.dryRun ? " (dry run)" : "";
  if (command.kind === "allow") return `allow ${command.template}${dry}`;
  if (command.kind !== "release") return `${command.kind} ${typed(command)}${dry}`;
  const { what } = command;
  return `release ${"operation" in what ? what.operation : typed(what)}${dry}`;
}

type Typed = Pick<Target, "namespace" | "pod" | "workload"> & { readonly cluster: string | undefined };

function typed(reference: Typed): string {
  const { cluster } = reference;
  return `${cluster === undefined ? "" : `${cluster}:`}${targetReference(reference)}`;
}
