import type { AllMiddlewareArgs, App, Context } from "@slack/bolt";
import type { Entrance } from "./entrance.ts";
import { fieldPrefix, formPrefix } from "./form-view.ts";
import { errorText, type Log } from "./logger.ts";
import type { Arrival } from "./payload.ts";
import { actionPrefix } from "./render.ts";

export type ListenOptions = {
  readonly command: string;
  readonly entrance: Entrance;
  readonly log: Log;
  readonly onEvent: (name: "unmatched" | "error") => void;
};

/**
 * One listener for the command, one for our buttons, two for forms, one for the home tab. What matches neither (another command, a shortcut, an old button)
 * is acknowledged and counted: in Socket Mode Bolt says nothing then, and the person sees Slack's timeout.
 */
export function listen(app: App, options: ListenOptions): void {
  const { entrance, log, onEvent } = options;
  app.use(async (args) => {
    await args.next();
    if (args.context["matched"] === true) return;
    onEvent("unmatched");
    log.warn({ kind: args.body.type ?? "command" }, "Slack sent something that this app does not know");
    await acknowledge(args);
  });
  app.command(options.command, async ({ command, ack, context }) => {
    context["matched"] = true;
    await entrance.command(command, arrivalOf(context), ack);
  });
  app.action(new RegExp(`^${actionPrefix}`), async ({ body, ack, context }) => {
    context["matched"] = true;
    await entrance.press(body, arrivalOf(context), () => ack());
  });
  app.event("app_home_opened", async ({ body, context }) => {
    context["matched"] = true;
    entrance.home(body);
  });
  app.view({ callback_id: new RegExp(`^${formPrefix}`), type: "view_submission" }, async ({ body, ack, context }) => {
    context["matched"] = true;
    await entrance.submission(body, arrivalOf(context), (answer) => (answer === undefined ? ack() : ack(answer)));
  });
  app.options(new RegExp(`^${fieldPrefix}`), async ({ body, ack, context }) => {
    context["matched"] = true;
    await ack({ options: [...(await entrance.search(body))] });
  });
  app.error(async (error) => {
    onEvent("error");
    log.error({ error: errorText(error) }, "a Slack listener failed");
  });
}

async function acknowledge(args: AllMiddlewareArgs | (AllMiddlewareArgs & { ack?: unknown })): Promise<void> {
  if ("ack" in args && typeof args.ack === "function") await args.ack();
}

/** Put there by the receiver's extractor; see connection.ts. */
function arrivalOf(context: Context): Arrival {
  return context["arrival"] as Arrival;
}
