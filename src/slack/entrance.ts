import type { types } from "@slack/bolt";
import type { Request } from "../commands/request.ts";
import { type Acknowledgement, acknowledgement } from "./answers.ts";
import type { RequestOutlet } from "./deliver.ts";
import { readSubmission } from "./form-payload.ts";
import type { Forms, SentForm } from "./forms.ts";
import { type HandleOptions, handle } from "./handle.ts";
import type { Homes } from "./homes.ts";
import type { ForgedCall } from "./http.ts";
import { errorText } from "./logger.ts";
import { type Arrival, readCommand, readHome, readPress } from "./payload.ts";
import { linkAction } from "./render.ts";
import { createWork } from "./work.ts";

/** What the entrance counts. */
export type EntranceEvent =
  | "command"
  | "press"
  | "submission"
  | "home"
  | "malformed"
  | "unmatched"
  | "foreign"
  | "turned-away"
  | "forged-response-url"
  | "ack-failed"
  | "error";

/** Problems by field; undefined closes the form. */
export type FormAnswer = { readonly response_action: "errors"; readonly errors: Record<string, string> } | undefined;

/** Acknowledges at once and works afterwards: both return when the acknowledgement has been sent. */
export type Entrance = {
  command(payload: unknown, arrival: Arrival, ack: (text: Acknowledgement) => Promise<void>): Promise<void>;
  press(payload: unknown, arrival: Arrival, ack: () => Promise<void>): Promise<void>;
  /** A form was sent; the acknowledgement closes it or says what is wrong in it. */
  submission(payload: unknown, arrival: Arrival, ack: (answer: FormAnswer) => Promise<void>): Promise<void>;
  /** Somebody opened the home tab; Bolt has acknowledged that. */
  home(payload: unknown): void;
  /** Somebody types into a field of a form: what may be chosen. */
  search(payload: unknown): Promise<readonly types.Option[]>;
  /** A call was refused before anybody could be asked who it came from: counted, and told to the desk. */
  alarm(kind: ForgedCall): void;
  /** Whether all work ended within the time. */
  drain(timeoutMs: number): Promise<boolean>;
};

export type EntranceOptions = HandleOptions & {
  readonly forms: Forms;
  readonly homes: Homes;
  readonly onAck?: (ms: number) => void;
  readonly onEvent: (name: EntranceEvent | ForgedCall) => void;
};

/** The door for Slack's payloads: acknowledge, identify, hand to the desk, and see that there is an answer. */
export function createEntrance(options: EntranceOptions): Entrance {
  const { desk, onEvent } = options;
  const work = createWork((error) => {
    onEvent("error");
    options.log.error({ error: errorText(error) }, "a request could not even be answered");
  });
  const run: Run = (request, outlet) => desk.run(request, outlet);

  return {
    async command(payload, arrival, ack) {
      onEvent("command");
      const read = readCommand(payload, arrival);
      const at = await acknowledge(() => ack(acknowledgement(read?.request, desk)), arrival, options);
      if (read === undefined) return onEvent("malformed");
      void work.start(() => runOrAsk({ ...read, request: { ...read.request, ...at } }, run, options));
    },
    async press(payload, arrival, ack) {
      onEvent("press");
      const read = readPress(payload, arrival);
      await acknowledge(ack, arrival, options);
      if (read === undefined) return onEvent("malformed");
      if (read.request.action === linkAction) return;
      void work.start(() => pressAndRedraw(read, options));
    },
    home(payload) {
      onEvent("home");
      const caller = readHome(payload);
      if (caller !== undefined) void work.start(() => options.homes.publish(caller));
    },
    submission: (payload, arrival, ack) =>
      work.start(async () => {
        const sent = await takeForm(payload, arrival, ack, options);
        if (sent !== undefined) void work.start(() => handle(sent.caller, sent.request, run, options));
      }),
    search: (payload) => options.forms.search(payload),
    alarm(kind) {
      onEvent(kind);
      void work.start(() => desk.alarm({ kind, from: undefined }));
    },
    drain: (timeoutMs) => work.drain(timeoutMs),
  };
}

type ReadPress = NonNullable<ReturnType<typeof readPress>>;

type Run = (request: Request, outlet: RequestOutlet) => Promise<unknown>;

async function pressAndRedraw({ caller, request }: ReadPress, options: EntranceOptions): Promise<void> {
  await handle(caller, request, (press, outlet) => options.desk.press(press, outlet), options);
  if (caller.onHome === true) await options.homes.publish(caller);
}

/**
 * A command that says too little opens a form: who may not is told so meanwhile, and is offered nothing in it. Where no form
 * can be opened, the command runs and says what it lacks.
 */
async function runOrAsk(
  { caller, request, trigger }: NonNullable<ReturnType<typeof readCommand>>,
  run: Run,
  options: EntranceOptions,
): Promise<void> {
  const opened = trigger === undefined ? "none" : await options.forms.open(caller, trigger, request);
  if (opened === "taken") return;
  await handle(caller, request, opened === "opened" ? () => Promise.resolve() : run, options);
}

/** Answers the form that was sent: with what is wrong in it, or by closing it; then it is a request like a typed one. */
async function takeForm(
  payload: unknown,
  arrival: Arrival,
  ack: (answer: FormAnswer) => Promise<void>,
  options: EntranceOptions,
): Promise<SentForm | undefined> {
  options.onEvent("submission");
  const submission = readSubmission(payload);
  const read = submission === undefined ? undefined : await options.forms.read(submission, arrival.at);
  const wrong = read !== undefined && "problems" in read ? read.problems : undefined;
  const answer: FormAnswer = wrong === undefined ? undefined : { response_action: "errors", errors: { ...wrong } };
  const at = await acknowledge(() => ack(answer), arrival, options);
  if (read === undefined) options.onEvent("malformed");
  return read === undefined || "problems" in read ? undefined : { ...read, request: { ...read.request, ...at } };
}

/** Where the socket is gone, the person sees Slack's timeout, and then the answer all the same. */
async function acknowledge(
  ack: () => Promise<void>,
  arrival: Arrival,
  options: EntranceOptions,
): Promise<Pick<Request, "acknowledgedAt">> {
  try {
    await ack();
    const acknowledgedAt = options.now();
    options.onAck?.(acknowledgedAt - arrival.at);
    return { acknowledgedAt };
  } catch (error) {
    options.onEvent("ack-failed");
    options.log.warn({ error: errorText(error) }, "an acknowledgement did not reach Slack");
    return {};
  }
}
