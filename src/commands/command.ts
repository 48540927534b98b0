import type { KeepChoice } from "../policy/plan.ts";

/** What was typed, as a value. Names are as typed (a pod may be a prefix); nothing was looked up yet. */
export type Command =
  | {
      readonly kind: "quarantine";
      readonly namespace: string;
      readonly pod: string;
      readonly reviewMs: number | undefined;
      readonly dryRun: boolean;
      readonly reason: string;
    }
  | {
      readonly kind: "release";
      readonly what: { readonly operation: string } | { readonly namespace: string; readonly pod: string };
      readonly deletePod: boolean;
      readonly keep: KeepChoice;
      readonly dryRun: boolean;
      readonly reason: string;
    }
  | { readonly kind: "status"; readonly namespace: string | undefined }
  | {
      readonly kind: "audit";
      readonly sinceMs: number;
      readonly namespace: string | undefined;
      /** A Slack user id (`U…`) or a principal's key. */
      readonly by: string | undefined;
    }
  | { readonly kind: "whoami" }
  | { readonly kind: "help"; readonly topic: CommandName | undefined };

export type CommandName = Command["kind"];

/** Help of one command: how it is typed, what it does, and examples that a test runs through the parser. */
export type Manual = {
  readonly usage: string;
  readonly does: string;
  readonly details: readonly string[];
  readonly examples: readonly string[];
};

export const manuals = {
  quarantine: {
    usage: "quarantine <namespace>/<pod> [review 2h] [--dry-run] [reason …]",
    does: "cut one pod off from new connections, and say whether that holds",
    details: [
      "Shows the plan first; nothing is written before Confirm.",
      "The beginning of a pod's name is enough where it is unique.",
      "review 2h: the card asks after two hours whether it is still needed; it never releases by itself.",
    ],
    examples: [
      "quarantine payments/checkout-7d9f",
      "quarantine payments/checkout-7d9f review 2h odd outbound traffic",
      "quarantine payments/checkout-7d9f --dry-run",
    ],
  },
  release: {
    usage: "release <operation | namespace/pod> [--delete-pod] [--keep this|replacement] [--dry-run] [reason …]",
    does: "end a quarantine: restore the pod's labels exactly and remove what was written",
    details: [
      "Shows the plan first; nothing is written before Confirm.",
      "--delete-pod deletes the pod instead of restoring it.",
      "--keep says which pod the ReplicaSet should keep when the released one makes one too many.",
    ],
    examples: [
      "release q-7f3kd2m",
      "release payments/checkout-7d9f --keep this false alarm",
      "release q-7f3kd2m --delete-pod",
    ],
  },
  status: {
    usage: "status [namespace]",
    does: "what is in force, and whether Bulkhead itself is well",
    details: [],
    examples: ["status", "status payments"],
  },
  audit: {
    usage: "audit [since 24h] [namespace/] [by @user]",
    does: "who did what, when and why, and what was refused",
    details: ["From a terminal also: audit verify [--from FILE], audit export --output ndjson."],
    examples: ["audit", "audit since 2h payments/", "audit by <@U024BE7LH|jane>"],
  },
  whoami: {
    usage: "whoami",
    does: "who Bulkhead takes you for, and what you may do",
    details: [],
    examples: ["whoami"],
  },
  help: {
    usage: "help [command]",
    does: "this list, or one command in full",
    details: [],
    examples: ["help", "help quarantine"],
  },
} satisfies Record<CommandName, Manual>;

/** Whether the word is a command's name; looked up safely, since words come from outside. */
export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(manuals, word);
}
