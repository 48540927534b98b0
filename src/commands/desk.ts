import type { CardReference } from "../policy/operation.ts";
import type { Asked, FilledForm, Form, FormProblems, Sender, Suggestion } from "./form.ts";
import type { HomeRequest } from "./home.ts";
import type { Reply } from "./reply.ts";
import type { Press, Request } from "./request.ts";

/** Where answers go: a Slack channel or response_url, a terminal. */
export type Outlet = {
  /** Shows a reply: in place of `card` where that is given, else anew. Never throws: a failure is logged and counted. */
  show(reply: Reply, card: CardReference | undefined): Promise<Shown>;
  /** Says something below a card; whether that could be. Absent where there is no such place. Never throws. */
  follow?(reply: Reply, card: CardReference): Promise<boolean>;
};

export type Shown = {
  /** The durable card; undefined where there is none (a note, or no access to the channel). */
  readonly card: CardReference | undefined;
  /** Whether somebody saw it. Where nobody did, whoever owes the answer tries again later. */
  readonly reached: boolean;
};

/** What the text was understood as, in one line, and the id of the operation that it will be; touches nothing. */
export type Understanding = {
  readonly line: string;
  readonly operation: string | undefined;
};

/** The one door into commands: every entrance calls it, and it alone authorises, audits and maps errors. */
export type Desk = {
  understand(request: Request): Understanding;
  /**
   * The form that is to be shown instead of an answer; undefined where there is none, and where the person may not see it. Asks
   * who it is only where the form tells something. Never rejects.
   */
  form(request: Request, who: Sender): Promise<Form | undefined>;
  /** What may stand in a field of the form, for this person. Never rejects: what fails is metered, and nothing offered. */
  suggest(asked: Asked): Promise<readonly Suggestion[]>;
  /** The form as typed text, or what is wrong with its fields. Asks who sent it before it looks anything up. Never rejects. */
  formText(form: FilledForm, who: Sender): Promise<string | FormProblems>;
  /** Runs a command to its visible outcome, which is also shown. Never rejects. */
  run(request: Request, outlet: Outlet): Promise<Reply>;
  press(press: Press, outlet: Outlet): Promise<Reply>;
  /** The person's own page, as it stands now. Never rejects. */
  home(request: HomeRequest): Promise<Reply>;
  /** An entrance turned a known person away (guest, bot, shared channel …): audited; the answer says why. */
  turnAway(request: Request | Press, why: string, outlet: Outlet): Promise<Reply>;
  /** An entrance refused a call that no known person made. Written as samples; never rejects. */
  alarm(alarm: Alarm): Promise<void>;
  /** Writes what sampling only counted and is due now; with `all`, before the end, the rest as well. Never rejects. */
  flush(all: boolean): Promise<void>;
};

/** A call that was refused before anybody was known to have made it. */
export type Alarm = {
  readonly kind: "unsigned" | "forged" | "stale" | "future" | "replayed" | "foreign" | "forged-response-url";
  /** Who the call said that it came from; nobody vouches for it. */
  readonly from: string | undefined;
};
