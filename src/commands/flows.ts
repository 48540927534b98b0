import { note, text } from "./answers.ts";
import type { Command } from "./command.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

type FlowsCommand = Extract<Command, { kind: "flows" }>;

/** What is denied, between whom, since when, and by which policy. */
export async function flows(context: Context, _command: FlowsCommand): Promise<Reply> {
  const reply = noFlows();
  await context.outlet.show(reply, undefined);
  return reply;
}

/** Silence is unknown: without a source nothing can be said, least of all that nothing is denied. */
function noFlows(): Reply {
  return note("What is denied is not known", [
    text("No flow source is configured, so nobody tells Bulkhead what is denied. That is not to say that nothing is."),
    text("Name one under flows in the configuration, such as a Hubble relay: see What is denied in the README."),
  ]);
}
