import { createHash } from "node:crypto";
import type { Principal } from "../policy/principal.ts";

/** What is asked where a command said too little. Every string in it is hostile until an edge renders it. */
export type Form = {
  readonly kind: FormKind;
  /** At most 24 characters. */
  readonly title: string;
  /** What it is for, where the title does not say it all. */
  readonly about?: string;
  readonly fields: readonly FormField[];
};

export const formKinds = ["quarantine", "allow"] as const;
export type FormKind = (typeof formKinds)[number];

export type FormField = {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** It may stay empty. */
  readonly optional?: true;
} & (
  | { readonly kind: "search"; readonly placeholder: string; readonly initial?: Suggestion }
  | { readonly kind: "menu"; readonly options: readonly Suggestion[]; readonly initial?: Suggestion }
  | {
      readonly kind: "words";
      readonly placeholder: string;
      readonly length: number;
      readonly multiline: boolean;
      readonly initial?: string;
    }
  | { readonly kind: "box"; readonly option: Suggestion; readonly ticked: boolean }
);

/** What is offered: the label is for reading, the value is what comes back. */
export type Suggestion = { readonly label: string; readonly value: string };

/** A name, and what stands for it in an option. */
export type Candidate = { readonly name: string; readonly value: string };

/** Slack takes no longer value of one (facts: 75, some sources say 150). */
const longestValue = 75;

/** What was filled in; nothing in it was looked up yet. */
export type FilledForm = {
  readonly kind: FormKind;
  /** The command that it was asked for with; undefined where that is not known any more. */
  readonly command: string | undefined;
  readonly fields: FormFields;
};

/** By the field's name: what was written, the value that was chosen, the box that was ticked. Empty or absent is none. */
export type FormFields = Readonly<Record<string, string>>;

/** Somebody types into a field of a form. */
export type Asked = FilledForm & {
  readonly principal: Principal;
  readonly field: string;
  readonly typed: string;
};

/** Who asked for a form or sent it; undefined where nobody vouches for that. */
export type Sender = () => Promise<Principal | undefined>;

/** What is wrong, by field. */
export type FormProblems = Readonly<Record<string, string>>;

/** The one box of a form. */
export const dryRun = "dry-run";

export const dryRunField: FormField & { readonly kind: "box" } = {
  kind: "box",
  name: "run",
  label: "How",
  optional: true,
  option: { label: "Dry run: only show what would be done", value: dryRun },
  ticked: false,
};

/** Occurs in no name of Kubernetes. */
const mark = "~";

/** What stands for a text in an option: itself, or where that is too long its beginning and a digest of `identity`. */
export function optionValue(text: string, identity = text): string {
  if (text.length <= longestValue) return text;
  return `${text.slice(0, 40)}${mark}${createHash("sha256").update(identity).digest("hex").slice(0, 24)}`;
}

/** Whether a value may stand for a longer text. */
export function isShortened(value: string): boolean {
  return value.includes(mark);
}

/** What begins with a reason must not read as a part of the command. */
export const anotherWord = "Begin the reason with another word: as it stands it reads as a part of the command.";
