import { z } from "zod";
import type { Press, Request } from "../commands/request.ts";
import { isRowAction } from "../commands/row-press.ts";
import type { Principal } from "../policy/principal.ts";
import { actionPrefix } from "./render.ts";

/** What a payload says about who called, where, and how to answer; ids only, none of it checked yet. */
export type Caller = {
  readonly enterprise: string | undefined;
  readonly team: string;
  readonly user: string;
  readonly channel: string | undefined;
  readonly responseUrl: string | undefined;
  /** The button was on an ephemeral message, which only its own response_url can change. */
  readonly onEphemeral: boolean;
  /** Whether to write to the caller directly where no other way is left: a form has no response_url. */
  readonly direct: boolean;
  /** The button was on the caller's own page, which is drawn anew afterwards. */
  readonly onHome?: true;
};

/** When an envelope arrived (milliseconds since the epoch), and Slack's id of it. */
export type Arrival = { readonly at: number; readonly envelope: string };

/** What a form can be opened with, once and within three seconds. */
type Triggered = { readonly trigger: string | undefined };

type Read<T> = { readonly caller: Caller; readonly request: T };

export const callerId = z.string().min(1).max(64);
const id = callerId;
export const optionalId = id.nullish().transform((value) => value ?? undefined);
const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);

/** Slack's limits of what a button carries: action_id 255, value 2,000 characters. */
const shortValue = z
  .string()
  .max(2_000)
  .nullish()
  .transform((value) => value ?? undefined);

const commandPayload = z.object({
  team_id: id,
  user_id: id,
  channel_id: id,
  enterprise_id: optionalId,
  text: optionalText,
  trigger_id: optionalText,
  response_url: optionalText,
});

/** A slash command's payload (docs.slack.dev, slash commands; Bolt `SlashCommand`); undefined where it is malformed. */
export function readCommand(payload: unknown, arrival: Arrival): (Read<Request> & Triggered) | undefined {
  const parsed = commandPayload.safeParse(payload);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const caller: Caller = {
    enterprise: data.enterprise_id,
    team: data.team_id,
    user: data.user_id,
    channel: data.channel_id,
    responseUrl: data.response_url,
    onEphemeral: false,
    direct: false,
  };
  const { trigger_id: trigger } = data;
  const delivery = deliveryKey(caller, trigger, arrival);
  return { caller, request: { ...origin(caller, arrival), text: data.text ?? "", delivery }, trigger };
}

const pressPayload = z.object({
  team: z.object({ id }).nullish(),
  enterprise: z.object({ id }).nullish(),
  user: z.object({ id, team_id: optionalId }),
  channel: z.object({ id }).nullish(),
  container: z
    .object({
      channel_id: optionalId,
      message_ts: optionalId,
      thread_ts: optionalId,
      is_ephemeral: z.boolean().default(false),
    })
    .default({ channel_id: undefined, message_ts: undefined, thread_ts: undefined, is_ephemeral: false }),
  message: z.object({ thread_ts: optionalId }).nullish(),
  view: z.object({ type: z.string().max(64) }).nullish(),
  actions: z
    .tuple([z.object({ action_id: z.string().max(255), value: shortValue, action_ts: optionalId })])
    .rest(z.unknown()),
  trigger_id: optionalText,
  response_url: optionalText,
});

/** A block_actions payload of one of our buttons (Bolt `BlockAction`); undefined where it is malformed. */
export function readPress(payload: unknown, arrival: Arrival): Read<Press> | undefined {
  const parsed = pressPayload.safeParse(payload);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const [action] = data.actions;
  const name = action.action_id.slice(actionPrefix.length);
  // With an org-wide installation `team` is null and the user's own team is what there is.
  const team = data.team?.id ?? data.user.team_id;
  if (team === undefined) return undefined;
  const caller = presserOf(data, team, name);
  const pressed = { action: name, operation: action.value ?? "" };
  const card = cardOf(caller, data);
  const moment = action.action_ts === undefined ? undefined : `${caller.user}:${action.action_ts}`;
  const delivery = deliveryKey(caller, data.trigger_id ?? moment, arrival);
  return { caller, request: { ...origin(caller, arrival), ...pressed, card, delivery } };
}

function presserOf(data: z.infer<typeof pressPayload>, team: string, action: string): Caller {
  const onHome = data.view?.type === "home";
  return {
    enterprise: data.enterprise?.id,
    team,
    user: data.user.id,
    channel: data.container.channel_id ?? data.channel?.id,
    responseUrl: data.response_url,
    // A button beside a line of an answer is a command that could have been typed: what comes of it is as new.
    onEphemeral: data.container.is_ephemeral && !isRowAction(action),
    // There is no channel there, so that what is new goes to the person.
    direct: onHome,
    ...(onHome && { onHome }),
  };
}

const homePayload = z.object({
  team_id: id,
  enterprise_id: optionalId,
  event: z.object({ user: id, tab: z.string().max(64) }),
});

/** An app_home_opened event (docs.slack.dev); undefined where it is malformed, or is about the messages tab. */
export function readHome(payload: unknown): Caller | undefined {
  const parsed = homePayload.safeParse(payload);
  if (!parsed.success || parsed.data.event.tab !== "home") return undefined;
  const { team_id: team, enterprise_id: enterprise, event } = parsed.data;
  const nowhere = { channel: undefined, responseUrl: undefined, onEphemeral: false, direct: false };
  return { enterprise, team, user: event.user, ...nowhere, onHome: true };
}

/** Slack sends the same trigger_id with every delivery of one command or press; an envelope id is new each time. */
function deliveryKey(caller: Caller, trigger: string | undefined, arrival: Arrival): string {
  return `slack:${caller.team}:${trigger ?? arrival.envelope}`;
}

function origin(caller: Caller, arrival: Arrival) {
  return { principal: principalOf(caller), source: "slack", channel: caller.channel, at: arrival.at } as const;
}

/** The principal that the payload names, without a display name until Slack has been asked. */
export function principalOf(caller: Caller, displayName?: string): Extract<Principal, { kind: "slack" }> {
  const { enterprise, team, user } = caller;
  return { kind: "slack", enterprise, team, user, displayName };
}

/** A button in a thread is one of the card above it. The ts of an ephemeral message means nothing to the Web API: no card. */
function cardOf(caller: Caller, { container, message }: z.infer<typeof pressPayload>): Press["card"] {
  const ts = message?.thread_ts ?? container.thread_ts ?? container.message_ts;
  if (container.is_ephemeral || caller.channel === undefined || ts === undefined) return undefined;
  return { channel: caller.channel, ts };
}
