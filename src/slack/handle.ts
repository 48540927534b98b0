import type { Dispatcher } from "undici";
import type { Desk } from "../commands/desk.ts";
import type { Press, Request } from "../commands/request.ts";
import { principalKey } from "../policy/principal.ts";
import { failure, foreigner } from "./answers.ts";
import type { Delivery, RequestOutlet } from "./deliver.ts";
import { type IdentifyOptions, type Identity, identify } from "./identify.ts";
import { errorText } from "./logger.ts";
import { type Caller, principalOf } from "./payload.ts";
import { responseUrl } from "./response-url.ts";

export type HandleOptions = IdentifyOptions & {
  readonly desk: Desk;
  readonly delivery: Delivery;
  readonly apiUrl: string;
  readonly dispatcher?: Dispatcher | undefined;
  /** Such as `/np`. */
  readonly command: string;
  readonly now: () => number;
  readonly onEvent: (name: "foreign" | "turned-away" | "forged-response-url" | "error") => void;
};

type Handler<T> = (request: T, outlet: RequestOutlet) => Promise<unknown>;

/** Finds out who called, hands the request on and sees that there is an answer, whatever fails. */
export async function handle<T extends Request | Press>(
  caller: Caller,
  request: T,
  handler: Handler<T>,
  options: HandleOptions,
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

type Handling<T> = { readonly outlet: RequestOutlet; readonly handler: Handler<T>; readonly options: HandleOptions };

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
function outletFor(caller: Caller, identity: Identity, arrivedAt: number, options: HandleOptions): RequestOutlet {
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
    direct: caller.direct && identity.kind !== "foreign" ? caller.user : undefined,
    whisper: channel === undefined ? undefined : { channel, user: caller.user },
    responseUrl: back,
    replaces: caller.onEphemeral,
    person: identity.kind === "person" ? caller.user : undefined,
  });
}
