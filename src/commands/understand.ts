import { operationId } from "../policy/operation.ts";
import type { PodReference } from "../policy/target.ts";
import type { Command } from "./command.ts";
import type { Understanding } from "./desk.ts";
import { asksForForm } from "./form.ts";
import { parse } from "./parse.ts";
import type { Request } from "./request.ts";
import type { Services } from "./services.ts";

/** What was typed, in one line, before anything is looked up; a quarantine of nothing opens a form in Slack. */
export function understand(services: Services, request: Request): Understanding {
  if (request.source === "slack" && asksForForm(request.text)) {
    const form = { askCluster: services.clusters.size > 1 };
    return { line: "quarantine: say of what in the form that opens.", operation: undefined, form };
  }
  const command = parse(request.text);
  if (command.kind === "usage") return { line: "That command was not understood.", operation: undefined };
  if (command.kind !== "quarantine" && command.kind !== "release") return { line: command.kind, operation: undefined };
  const operation = command.dryRun ? undefined : operationId(command.kind, request.delivery);
  return { line: inWords(command), operation };
}

function inWords(command: Extract<Command, { kind: "quarantine" | "release" }>): string {
  const dry = command.dryRun ? " (dry run)" : "";
  if (command.kind === "quarantine") return `quarantine ${typed(command)}${dry}`;
  const { what } = command;
  return `release ${"operation" in what ? what.operation : typed(what)}${dry}`;
}

function typed({ cluster, namespace, pod }: PodReference): string {
  return `${cluster === undefined ? "" : `${cluster}:`}${namespace}/${pod}`;
}
