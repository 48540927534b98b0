import type { DeniedPicture } from "../pictures/picture.ts";
import type { RowAction } from "./row-press.ts";

/**
 * What a command answers, as data: `slack/render.ts` makes blocks of it, `cli.ts` text. Every string in it is hostile
 * until rendered: names, labels and reasons come from outside.
 */
export type Reply = {
  /** A card is one durable channel message per operation; a note is for the caller alone. */
  readonly shape: "card" | "note";
  /** First line: says what happened, without colour or emoji carrying it. At most 150 characters. */
  readonly headline: string;
  readonly tone: "neutral" | "good" | "warning" | "bad";
  readonly sections: readonly Section[];
  readonly buttons: readonly Button[];
  /** Small print: ids, sequence numbers, times. */
  readonly footer: readonly string[];
  readonly operation: string | undefined;
  readonly outcome: Outcome;
  /** Of the plan that is shown; where it is another than before, something else would be done. */
  readonly planHash?: string;
  /** The command line that shows all of a plan at a terminal, for a medium that has no room for it. */
  readonly atTerminal?: string;
  /** Keys of Slack users and groups (`slack:T1/U1`, `slack-group:T1/S1`) to be notified; from configuration and records alone. */
  readonly mentions?: readonly string[];
  /** More follows by itself: where it cannot be shown, nobody has to be told otherwise. */
  readonly interim?: boolean;
  /**
   * What may be shown as a picture besides; the text says everything without it. Slack gets it below the card, or for the caller
   * alone where the answer is; a terminal has none.
   */
  readonly picture?: DeniedPicture;
};

/** `mustRead`: where it cannot be shown in full, Confirm is not offered. */
export type Section = Content & { readonly mustRead?: true };

type Content =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "fields"; readonly fields: readonly (readonly [label: string, value: string])[] }
  | { readonly kind: "list"; readonly title: string | undefined; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly title: string | undefined; readonly text: string }
  /** A line with buttons of its own, which carry what it is about: the id of a change, of a flow's line, of a mute or of an operation. */
  | { readonly kind: "row"; readonly text: string; readonly subject: string; readonly buttons: readonly RowButton[] };

/** Does something, or leads to a message of ours: the address is Slack's own word. */
export type RowButton =
  | { readonly action: RowAction | ButtonAction; readonly label: string }
  | { readonly url: string; readonly label: string };

/** What a press asks for; `id` of the operation is all that the button carries. */
export type ButtonAction =
  | "confirm"
  | "confirm-again"
  | "approve"
  | "deny"
  | "cancel"
  | "release"
  | "retry"
  | "keep"
  | "extend"
  | "end"
  | "permanent"
  | "restore"
  | "accept"
  | "undo-later"
  | "undo-merge"
  | "resume-flux"
  | "show";

export type Button = {
  readonly action: ButtonAction;
  readonly label: string;
  readonly style: "primary" | "danger" | undefined;
};

/** For the terminal's exit code and for metrics. */
export type Outcome = "ok" | "needs-confirmation" | "needs-approval" | "refused" | "usage" | "failed" | "not-isolated";
