import type { Outlet } from "../commands/desk.ts";
import type { Operation } from "../policy/operation.ts";
import type { Delivery } from "./deliver.ts";
import { errorText, type Log } from "./logger.ts";
import type { People } from "./people.ts";

export type BackgroundOptions = { readonly delivery: Delivery; readonly people: People; readonly log: Log };

/**
 * The outlet of an operation that nobody waits for (another replica takes it over, a review is due). Its card is updated
 * in place; without one it is posted where the operation was asked for, where that is known to be internal and the bot
 * is in it, else written to the person who asked. An operation that was not asked for in Slack has neither: `reached`
 * is false then.
 */
export function operationOutlet({ origin, principal }: Operation, options: BackgroundOptions): Outlet {
  const direct = principal.kind === "slack" ? principal.user : undefined;
  let outlet: Promise<Outlet> | undefined;
  return {
    async show(reply, card) {
      outlet ??= openChannel(origin.channel, options).then((channel) =>
        options.delivery.forNobody({ channel, direct }),
      );
      return (await outlet).show(reply, card);
    },
    follow: async (reply, card) => (await options.delivery.background.follow?.(reply, card)) ?? false,
  };
}

/** The outlet of a channel that configuration names: nobody waits there, and it has to be internal as well. */
export function channelOutlet(channel: string, options: BackgroundOptions): Outlet {
  return {
    async show(reply, card) {
      const open = await openChannel(channel, options);
      return options.delivery.forNobody({ channel: open, direct: undefined }).show(reply, card);
    },
  };
}

/** Where Slack does not say what the channel is, nothing is posted there. */
async function openChannel(channel: string | undefined, options: BackgroundOptions): Promise<string | undefined> {
  if (channel === undefined) return undefined;
  try {
    return (await options.people.channel(channel)).kind === "internal" ? channel : undefined;
  } catch (error) {
    options.log.warn({ channel, error: errorText(error) }, "Slack did not say what a channel is");
    return undefined;
  }
}
