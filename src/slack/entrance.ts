import type { Dispatcher } from "undici";
import type { Desk } from "../commands/desk.ts";
import type { Reply } from "../commands/reply.ts";
import type { Press, Request } from "../commands/request.ts";
import { principalKey } from "../policy/principal.ts";
import { type Acknowledgement, acknowledgement, failure, foreigner } from "./answers.ts";
import type { Delivery, RequestOutlet } from "./deliver.ts";
import type { Groups } from "./groups.ts";
import type { ForgedCall } from "./http.ts";
import { type Identity, identify } from "./identify.ts";
import { errorText, type Log } from "./logger.ts";
import { type Arrival, type Caller, principalOf, readCommand, readPress } from "./payload.ts";
import type { People } from "./people.ts";
import { responseUrl } from "./response-url.ts";
import { createWork } from "./work.ts";

/** What the entrance counts. */
export type EntranceEvent =
  | "command"
  | "press"
  | "malformed"
  | "unmatched"
  | "foreign"
  | "turned-away"
  | "forged-response-url"
  | "ack-failed"
  | "error";

/** Acknowledges at once and works afterwards: both return when the acknowledgement has been sent. */
export type Entrance = {
  command(payload: unknown, arrival: Arrival, ack: (text: Acknowledgement) => Promise<void>): Promise<void>;
  press(payload: unknown, arrival: Arrival, ack: () => Promise<void>): Promise<void>;
  /** A call was refused before anybody could be asked who it came from: counted, and told to the desk. */
  alarm(kind: ForgedCall): void;
  /** Whether all work ended within the time. */
  drain(timeoutMs: number): Promise<boolean>;
};

export type EntranceOptions = {
  readonly desk: Desk;
  readonly people: People;
  readonly groups: Groups;
  readonly delivery: Delivery;
  readonly teams: readonly string[] | undefined;
  readonly apiUrl: string;
  readonly dispatcher?: Dispatcher | undefined;
  readonly command: string;
  readonly now: () => number;
  readonly log: Log;
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

  return {
    async command(payload, arrival, ack) {
      onEvent("command");
      const read = readCommand(payload, arrival);
      await acknowledge(() => ack(acknowledgement(read?.request, desk)), arrival, options);
      if (read === undefined) return onEvent("malformed");
      work.start(() => handle(read.caller, read.request, (request, outlet) => desk.run(request, outlet), options));
    },
    async press(payload, arrival, ack) {
      onEvent("press");
      const read = readPress(payload, arrival);
      await acknowledge(ack, arrival, options);
      if (read === undefined) return onEvent("malformed");
      work.start(() => handle(read.caller, read.request, (press, outlet) => desk.press(press, outlet), options));
    },
    alarm(kind) {
      onEvent(kind);
      work.start(() => desk.alarm({ kind, from: undefined }));
    },
    drain: (timeoutMs) => work.drain(timeoutMs),
  };
}

/** Where the socket is gone, the person sees Slack's timeout, and then the answer all the same. */
async function acknowledge(ack: () => Promise<void>, arrival: Arrival, options: EntranceOptions): Promise<void> {
  try {
    await ack();
    options.onAck?.(options.now() - arrival.at);
  } catch (error) {
    options.onEvent("ack-failed");
    options.log.warn({ error: errorText(error) }, "an acknowledgement did not reach Slack");
  }
}

type Handler<T> = (request: T, outlet: RequestOutlet) => Promise<Reply>;

async function handle<T extends Request | Press>(
  caller: Caller,
  request: T,
  handler: Handler<T>,
  options: EntranceOptions,
): Promise<void> {
  const identity = await identify(caller, options);
  const outlet = outletFor(caller, identity, request.at, options);
  try {
    await answer(identity, request, { outlet, handler, options });
  } catch (error) {
    options.onEvent("error");
    options.log.error({ delivery: request.delivery, error: errorText(error) }, "a request failed inside Bulkhead");
    await outlet.show(failure(request.delivery, options.command), undefined);
  } finally {
    await outlet.finish();
  }
}

type Handling<T> = { readonly outlet: RequestOutlet; readonly handler: Handler<T>; readonly options: EntranceOptions };

async function answer<T extends Request | Press>(identity: Identity, request: T, handling: Handling<T>): Promise<void> {
  const { outlet, handler, options } = handling;
  switch (identity.kind) {
    case "person":
      await handler({ ...request, principal: identity.principal }, outlet);
      return;
    case "turned-away":
      options.onEvent("turned-away");
      await options.desk.turnAway({ ...request, principal: identity.principal }, identity.why, outlet);
      return;
    case "foreign":
      options.onEvent("foreign");
      options.log.warn({ principal: request.principal, why: identity.why }, "a foreign caller was refused");
      await outlet.show(foreigner(), undefined);
      await options.desk.alarm({ kind: "foreign", from: principalKey(request.principal) });
  }
}

/**
 * Cards go to the channel only where it is known to be internal; where the bot has no view of it, or the caller is
 * turned away, everything goes to the caller alone.
 */
function outletFor(caller: Caller, identity: Identity, arrivedAt: number, options: EntranceOptions): RequestOutlet {
  const back = responseUrl(caller.responseUrl, { ...options, arrivedAt });
  if (back === undefined && caller.responseUrl !== undefined) {
    options.onEvent("forged-response-url");
    void options.desk.alarm({ kind: "forged-response-url", from: principalKey(principalOf(caller)) });
    options.log.warn({ user: caller.user }, "a payload named a response_url that is not Slack's");
  }
  const open = identity.kind === "person" && identity.channel === "internal";
  const channel = open ? caller.channel : undefined;
  return options.delivery.forRequest({
    channel: caller.onEphemeral ? undefined : channel,
    direct: undefined,
    whisper: channel === undefined ? undefined : { channel, user: caller.user },
    responseUrl: back,
    replaces: caller.onEphemeral,
  });
}
