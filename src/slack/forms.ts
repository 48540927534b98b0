import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { types, webApi } from "@slack/bolt";
import type { Desk } from "../commands/desk.ts";
import type { FormProblems } from "../commands/form.ts";
import type { Request } from "../commands/request.ts";
import type { Suggestion } from "../commands/suggestions.ts";
import type { Principal } from "../policy/principal.ts";
import type { Shelf } from "../scheduler/shelf.ts";
import { refusal } from "./calls.ts";
import { clean, cut } from "./escape.ts";
import { readSearch, type Search, type Submission } from "./form-payload.ts";
import { formView } from "./form-view.ts";
import { type IdentifyOptions, identify } from "./identify.ts";
import { errorText, type Log } from "./logger.ts";
import { type Caller, principalOf } from "./payload.ts";

export type FormOptions = IdentifyOptions & {
  readonly desk: Desk;
  /** For views.open alone: a limit of another method does not hold it up. */
  readonly client: webApi.WebClient;
  readonly shelf: Shelf;
  readonly log: Log;
  readonly onEvent: (name: FormEvent) => void;
};

export type FormEvent = "form" | "form-failed" | "search";

export type Forms = {
  /**
   * Opens the form; at once, since a trigger is good for three seconds. `taken`: the trigger was used before, by another
   * delivery of the same command. `failed`: there is no form, and the person needs another answer.
   */
  open(
    caller: Caller,
    trigger: string,
    shown: { readonly askCluster: boolean },
  ): Promise<"opened" | "taken" | "failed">;
  /** What is wrong with a form that was sent, field by field, or the request that it is. */
  read(submission: Submission, at: number): Promise<{ readonly problems: FormProblems } | SentForm>;
  /** Options for what somebody types; none for who may not, and where it takes too long. */
  search(payload: unknown): Promise<readonly types.Option[]>;
};

export type SentForm = { readonly caller: Caller; readonly request: Request };

/** A form that lies open for longer is answered by a direct message. */
const keepMs = 24 * 3_600_000;
/** Slack waits three seconds. */
const answerWithinMs = 2_300;

export function createForms(options: FormOptions): Forms {
  return {
    open: (caller, trigger, shown) => open(caller, trigger, { ...options, shown }),
    read: (submission, at) => read(submission, at, options),
    async search(payload) {
      options.onEvent("search");
      const asked = readSearch(payload);
      if (asked === undefined) return [];
      const found = suggestions(asked, options).catch((error: unknown) => {
        options.log.warn({ error: errorText(error) }, "a search in a form failed");
        return [];
      });
      return Promise.race([found, wait(answerWithinMs, [], { ref: false })]);
    },
  };
}

type Opening = FormOptions & { readonly shown: { readonly askCluster: boolean } };

async function open(caller: Caller, trigger: string, { client, shelf, log, onEvent, shown }: Opening) {
  const id = randomUUID();
  const kept = shelf.put(formKey(id), JSON.stringify({ user: caller.user, channel: caller.channel }), keepMs);
  kept.catch((error: unknown) => log.warn({ error: errorText(error) }, "where a form came from was not kept"));
  try {
    await client.views.open({ trigger_id: trigger, view: formView(id, shown) });
    onEvent("form");
    return "opened";
  } catch (error) {
    if (refusal(error) === "exchanged_trigger_id") return "taken";
    onEvent("form-failed");
    log.warn({ error: errorText(error) }, "a form could not be opened");
    return "failed";
  }
}

/** One form is one request, however often it is sent and delivered. */
async function read({ caller, view, id, form }: Submission, at: number, options: FormOptions) {
  const sender = (): Promise<Principal | undefined> => vouchedFor(caller, options);
  const [text, channel] = await Promise.all([
    within(options.desk.formText(form, sender), late),
    channelOf(id, caller, options),
  ]);
  if (typeof text !== "string") return { problems: text };
  const from = { ...caller, channel };
  const delivery = `slack:${caller.team}:view:${view}`;
  const request: Request = { principal: principalOf(from), source: "slack", channel, text, at, delivery };
  return { caller: from, request };
}

const late: FormProblems = { pod: "Looking the pod up took too long. Try again." };

function within<T>(work: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([work, wait(answerWithinMs, otherwise, { ref: false })]);
}

/** Where the form was asked for, by who sends it now; undefined where that is not known any more. */
async function channelOf(
  id: string,
  { user }: Caller,
  { shelf, log }: Pick<FormOptions, "shelf" | "log">,
): Promise<string | undefined> {
  try {
    const kept: unknown = JSON.parse((await within(shelf.get(formKey(id)), undefined)) ?? "{}");
    if (typeof kept !== "object" || kept === null || Reflect.get(kept, "user") !== user) return undefined;
    const channel: unknown = Reflect.get(kept, "channel");
    return typeof channel === "string" ? channel : undefined;
  } catch (error) {
    log.warn({ error: errorText(error) }, "where a form came from could not be read");
    return undefined;
  }
}

/** Everybody is identified anew with every search: who has become a guest meanwhile is offered nothing. */
async function suggestions({ caller, field, ...typed }: Search, options: FormOptions): Promise<types.Option[]> {
  if (field !== "cluster" && field !== "namespace" && field !== "pod") return [];
  const principal = await vouchedFor(caller, options);
  if (principal === undefined) return [];
  const found = await options.desk.suggest({ ...typed, field, principal });
  return found.map(option);
}

async function vouchedFor(caller: Caller, options: IdentifyOptions): Promise<Principal | undefined> {
  const identity = await identify(caller, options);
  return identity.kind === "person" ? identity.principal : undefined;
}

function option({ label, value }: Suggestion): types.Option {
  return { text: { type: "plain_text", text: cut(clean(label), 75), emoji: false }, value };
}

function formKey(id: string): string {
  return `form:${id}`;
}
