import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { types, webApi } from "@slack/bolt";
import { z } from "zod";
import type { Desk } from "../commands/desk.ts";
import type { FormKind, FormProblems } from "../commands/form.ts";
import type { Request } from "../commands/request.ts";
import type { Principal } from "../policy/principal.ts";
import type { Shelf } from "../scheduler/shelf.ts";
import { refusal } from "./calls.ts";
import { clean, cut } from "./escape.ts";
import { readSearch, type Search, type Submission } from "./form-payload.ts";
import { formView, option } from "./form-view.ts";
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
   * Opens the form that the command asks for; soon, since a trigger is good for three seconds. `taken`: the trigger was used
   * before, by another delivery of the same command. `none`: there is no form, and the person needs another answer.
   */
  open(caller: Caller, trigger: string, request: Request): Promise<"opened" | "taken" | "none">;
  /** What is wrong with a form that was sent, field by field, or the request that it is. */
  read(submission: Submission, at: number): Promise<{ readonly problems: FormProblems } | SentForm>;
  /** Options for what somebody types; none for who may not, and where it takes too long. */
  search(payload: unknown): Promise<readonly types.Option[]>;
};

export type SentForm = { readonly caller: Caller; readonly request: Request };

/** A form that lies open for longer is answered by a direct message. */
const keepMs = 24 * 3_600_000;
/** Slack waits three seconds; after a question of ours there is still the form to open. */
const answerWithinMs = 2_300;
const askWithinMs = 1_500;

export function createForms(options: FormOptions): Forms {
  return {
    open: (caller, trigger, request) => open(caller, trigger, request, options),
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

async function open(caller: Caller, trigger: string, request: Request, options: FormOptions) {
  const { client, shelf, log, onEvent, desk } = options;
  const form = await within(
    desk.form(request, () => vouchedFor(caller, options)),
    undefined,
    askWithinMs,
  );
  if (form === undefined) return "none";
  const id = randomUUID();
  const origin: Kept = { user: caller.user, channel: caller.channel, command: request.text };
  const kept = shelf.put(formKey(id), JSON.stringify(origin), keepMs);
  kept.catch((error: unknown) => log.warn({ error: errorText(error) }, "where a form came from was not kept"));
  try {
    await client.views.open({ trigger_id: trigger, view: formView(id, form) });
    onEvent("form");
    return "opened";
  } catch (error) {
    if (refusal(error) === "exchanged_trigger_id") return "taken";
    onEvent("form-failed");
    log.warn({ error: errorText(error) }, "a form could not be opened");
    return "none";
  }
}

/** One form is one request, however often it is sent and delivered. */
async function read(submission: Submission, at: number, options: FormOptions) {
  const { caller, view, kind } = submission;
  const origin = originOf(submission, options);
  const [text, { channel }] = await Promise.all([
    within(textOf(submission, origin, options), late[kind], answerWithinMs),
    origin,
  ]);
  if (typeof text !== "string") return { problems: underFields(text, submission) };
  const from = { ...caller, channel };
  const delivery = `slack:${caller.team}:view:${view}`;
  const request: Request = { principal: principalOf(from), source: "slack", channel, text, at, delivery };
  return { caller: from, request };
}

async function textOf(
  { caller, kind, fields }: Submission,
  origin: Promise<Origin>,
  options: FormOptions,
): Promise<string | FormProblems> {
  const command = await commandOf(kind, origin);
  return options.desk.formText({ kind, command, fields }, () => vouchedFor(caller, options));
}

/** A quarantine's form says all of it, and does not wait for the store. */
async function commandOf(kind: FormKind, origin: Promise<Origin>): Promise<string | undefined> {
  return kind === "quarantine" ? undefined : (await origin).command;
}

const late: Readonly<Record<FormKind, FormProblems>> = {
  quarantine: { pod: "Looking the pod up took too long. Try again." },
  allow: { reason: "Looking these names up took too long. Try again." },
};

/** Slack takes problems of the form's own fields only; each form has a reason. */
function underFields(problems: FormProblems, { fields }: Submission): FormProblems {
  const entries = Object.entries(problems);
  return Object.fromEntries(
    entries.map(([name, problem]) => [Object.hasOwn(fields, name) ? name : "reason", cut(clean(problem), 1_000)]),
  );
}

function within<T>(work: Promise<T>, otherwise: T, ms: number): Promise<T> {
  return Promise.race([work, wait(ms, otherwise, { ref: false })]);
}

const kept = z.object({ user: z.string(), channel: z.string().optional(), command: z.string().optional() });
type Kept = { readonly user: string; readonly channel: string | undefined; readonly command: string };

/** Where a form was asked for, and with what. */
type Origin = { readonly channel?: string | undefined; readonly command?: string | undefined };

/** For who asked for it alone; nothing where it is not known any more. */
async function originOf(
  { id, caller }: Pick<Submission, "id" | "caller">,
  { shelf, log }: Pick<FormOptions, "shelf" | "log">,
): Promise<Origin> {
  try {
    const found = await within(shelf.get(formKey(id)), undefined, answerWithinMs);
    const { user, ...origin } = kept.parse(JSON.parse(found ?? '{"user":""}'));
    return user === caller.user ? origin : {};
  } catch (error) {
    log.warn({ error: errorText(error) }, "where a form came from could not be read");
    return {};
  }
}

/** Everybody is identified anew with every search: who has become a guest meanwhile is offered nothing. */
async function suggestions(search: Search, options: FormOptions): Promise<types.Option[]> {
  const { caller, kind, field, fields, typed } = search;
  const asking = { kind, field, fields, typed };
  const [principal, command] = await Promise.all([
    vouchedFor(caller, options),
    commandOf(kind, originOf(search, options)),
  ]);
  if (principal === undefined) return [];
  const found = await options.desk.suggest({ ...asking, command, principal });
  return found.map(option);
}

async function vouchedFor(caller: Caller, options: IdentifyOptions): Promise<Principal | undefined> {
  const identity = await identify(caller, options);
  return identity.kind === "person" ? identity.principal : undefined;
}

function formKey(id: string): string {
  return `form:${id}`;
}
