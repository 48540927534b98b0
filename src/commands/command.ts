import type { WatchSchedule } from "../flows/watch-times.ts";
import type { Labels } from "../policy/objects.ts";
import type { Choices, KeepChoice } from "../policy/plan.ts";
import type { NamespaceReference, PlaceReference, PodReference, WorkloadReference } from "../policy/target.ts";
import type { UndoWay } from "../policy/undo-plan.ts";

/** What was typed, as a value. Names are as typed (a pod may be a prefix); nothing was looked up yet. */
export type Command =
  | ({ readonly kind: "quarantine" } & PodReference & Containing)
  | ({ readonly kind: "quarantine" } & WorkloadReference & Containing)
  | ({ readonly kind: "lockdown" } & NamespaceReference & Containing)
  | {
      readonly kind: "release";
      readonly what: { readonly operation: string } | PodReference | WorkloadReference | NamespaceReference;
      readonly deletePod: boolean;
      readonly keep: KeepChoice;
      readonly dryRun: boolean;
      readonly incident: string | undefined;
      readonly reason: string;
    }
  | {
      readonly kind: "allow";
      /** Undefined: which there are is asked. */
      readonly template: string | undefined;
      /** As typed, by the parameter's name. */
      readonly values: Labels;
      readonly cluster: string | undefined;
      readonly ttlMs: number | undefined;
      readonly breakGlass: boolean;
      readonly dryRun: boolean;
      readonly incident: string | undefined;
      readonly reason: string;
    }
  | { readonly kind: "extend"; readonly operation: string; readonly byMs: number; readonly reason: string }
  | {
      readonly kind: "approve" | "deny";
      /** An id, or the beginning of one. */
      readonly operation: string;
      /** Only what would be agreed to. */
      readonly dryRun: boolean;
    }
  | { readonly kind: "review"; readonly operation: string; readonly note: string }
  | { readonly kind: "end"; readonly operation: string; readonly reason: string }
  | {
      readonly kind: "rollback";
      readonly what: RolledBack;
      readonly way: UndoWay;
      readonly choices: { readonly confirm: string | undefined; readonly override: boolean };
      readonly breakGlass: boolean;
      readonly dryRun: boolean;
      readonly incident: string | undefined;
      readonly reason: string;
    }
  | ({ readonly kind: "status" } & PlaceReference)
  | ({ readonly kind: "drift" } & PlaceReference)
  | {
      readonly kind: "explain";
      readonly cluster: string | undefined;
      /** At most one of the two is an address. */
      readonly from: End;
      readonly to: End;
      readonly protocol: "TCP" | "UDP" | "SCTP";
      /** A Service's own port, or a pod's. */
      readonly port: number;
    }
  | ({
      readonly kind: "audit";
      readonly sinceMs: number;
      /** A Slack user id (`U…`) or a principal's key. */
      readonly by: string | undefined;
      readonly incident: string | undefined;
    } & PlaceReference)
  | ({
      readonly kind: "history";
      /** Its kind in lower case where one is named. */
      readonly policy: { readonly of: string | undefined; readonly name: string } | undefined;
      readonly sinceMs: number | undefined;
    } & PlaceReference)
  /** A change of a policy by its id or the beginning of it. */
  | { readonly kind: "diff"; readonly revision: string }
  | ({
      readonly kind: "flows";
      readonly what: FlowsAsked;
      /** Undefined: the last 15 minutes, or an operation's own time. */
      readonly sinceMs: number | undefined;
    } & PlaceReference)
  | { readonly kind: "verify-enforcement"; readonly cluster: string | undefined }
  | { readonly kind: "incident"; readonly change: IncidentChange }
  | { readonly kind: "whoami" }
  | { readonly kind: "help"; readonly topic: CommandName | undefined };

/** What is to be undone. The cluster and the namespace are undefined where none was named. */
export type RolledBack =
  | ({ readonly kind: "last" } & PlaceReference)
  /** The last change of one policy; `of` is its kind in lower case. */
  | {
      readonly kind: "policy";
      readonly cluster: string | undefined;
      readonly namespace: string;
      readonly of: string | undefined;
      readonly name: string;
    }
  /** Ids, or beginnings of ones. */
  | { readonly kind: "revision"; readonly revision: string }
  | { readonly kind: "operation"; readonly operation: string }
  /** All changes of the last so many milliseconds, or since an incident began, whoever made them. */
  | ({ readonly kind: "since"; readonly sinceMs: number } & PlaceReference)
  | ({ readonly kind: "incident"; readonly incident: string } & PlaceReference);

/** What of denied flows is asked for. A line, `f-…`, is one that somebody was shown; its buttons stand for these commands. */
export type FlowsAsked =
  | {
      readonly kind: "denied";
      readonly workload: WorkloadAsked | undefined;
    }
  /** An id, or the beginning of one. */
  | { readonly kind: "operation"; readonly operation: string }
  | { readonly kind: "explain" | "allow"; readonly line: string }
  | { readonly kind: "mute"; readonly line: string; readonly forMs: number }
  | { readonly kind: "muted" }
  | { readonly kind: "unmute"; readonly mute: string }
  | { readonly kind: "watch"; readonly workload: WorkloadAsked | undefined; readonly schedule: WatchSchedule }
  /** `watch` is an id; undefined: the one of that place in the channel. */
  | { readonly kind: "unwatch"; readonly watch: string | undefined; readonly workload: WorkloadAsked | undefined }
  | { readonly kind: "watched" };

/** A workload, a pod or the beginning of its name; `of` is its kind in lower case where one is named. */
type WorkloadAsked = { readonly of: string | undefined; readonly name: string };

/** What is typed after what is to be cut off. */
type Containing = {
  readonly choices: Choices;
  readonly reviewMs: number | undefined;
  readonly dryRun: boolean;
  readonly incident: string | undefined;
  readonly reason: string;
};

/** Commands that become operations. */
export type Writing = Extract<Command, { kind: "quarantine" | "lockdown" | "release" | "rollback" }> | Allowing;

/** What opens something; without a template it only asks. */
export type Allowing = Extract<Command, { kind: "allow" }> & { readonly template: string };

/** Whether an operation comes of the command. */
export function isWriting(command: Command): command is Writing {
  const { kind } = command;
  if (kind === "rollback") return !isOfAllowance(command.what);
  return kind === "quarantine" || kind === "lockdown" || kind === "release" || isAllowing(command);
}

/** An allowance is shortened or ended at once, and is an operation already. */
function isOfAllowance(what: RolledBack): boolean {
  return what.kind === "operation" && what.operation.startsWith("a-");
}

export function isAllowing(command: Command): command is Allowing {
  return command.kind === "allow" && command.template !== undefined;
}

/**
 * One end of a connection as typed: a pod or the beginning of its name, a workload or a Service, `of` only that kind where
 * one is named; or an IP address.
 */
export type End =
  | { readonly kind: "named"; readonly namespace: string; readonly of: string | undefined; readonly name: string }
  | { readonly kind: "address"; readonly address: string };

/** What is to become of the channel's incident. */
export type IncidentChange =
  | { readonly to: "nothing" }
  | { readonly to: "off" }
  | { readonly to: "bound"; readonly incident: string };

export type CommandName = Command["kind"];
