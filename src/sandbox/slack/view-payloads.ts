import { randomUUID } from "node:crypto";
import { app, type SandboxUser, team } from "./people.ts";
import type { Envelope } from "./socket.ts";
import type { Field } from "./view-blocks.ts";
import type { FieldValue } from "./view-state.ts";
import type { View } from "./views.ts";

/** A view as the Web API and interaction payloads show it. */
export function wireView({ id, hash, root, previous, content, state }: View): Readonly<Record<string, unknown>> {
  return {
    id,
    team_id: team.id,
    type: "modal",
    blocks: content.blocks,
    private_metadata: content.private_metadata ?? "",
    callback_id: content.callback_id ?? "",
    external_id: content.external_id ?? "",
    state: { values: state },
    hash,
    title: content.title,
    submit: content.submit ?? null,
    close: content.close ?? null,
    clear_on_close: content.clear_on_close ?? false,
    notify_on_close: content.notify_on_close ?? false,
    previous_view_id: previous ?? null,
    root_view_id: root,
    app_id: app.id,
    app_installed_team_id: team.id,
    bot_id: app.botId,
  };
}

/** The form is sent. It has no channel and no response_url; the acknowledgement decides what becomes of the view. */
export function submissionEnvelope(view: View, user: SandboxUser, triggerId: string): Envelope {
  const fields = { trigger_id: triggerId, view: wireView(view), response_urls: [] };
  return interaction("view_submission", user, fields, true);
}

/** `cleared`: the whole stack went. */
export function closedEnvelope(view: View, user: SandboxUser, cleared: boolean): Envelope {
  return interaction("view_closed", user, { view: wireView(view), is_cleared: cleared }, false);
}

/** Somebody typed into an external_select, or opened it: the acknowledgement holds the options. */
export function suggestionEnvelope(view: View, user: SandboxUser, field: Field, query: string): Envelope {
  const { blockId, actionId } = field;
  const where = { block_id: blockId, action_id: actionId, value: query, ...inView(view) };
  return interaction("block_suggestion", user, where, true);
}

export type ViewAction = {
  readonly field: Field;
  /** What stands in the field now; undefined for a button. */
  readonly value: FieldValue | undefined;
  /** Milliseconds. */
  readonly at: number;
};

/** Something in the view was used: a button, a menu, or a field with dispatch_action. */
export function viewActionEnvelope(view: View, user: SandboxUser, act: ViewAction, triggerId: string): Envelope {
  const { field, value, at } = act;
  const { element } = field;
  const own = element.type === "button" ? { text: element.text, value: element.value, style: element.style } : value;
  const ids = { block_id: field.blockId, action_id: field.actionId, action_ts: (at / 1_000).toFixed(6) };
  const actions = [{ type: element.type, ...ids, ...own }];
  return interaction("block_actions", user, { trigger_id: triggerId, ...inView(view), actions }, false);
}

function inView(view: View): Readonly<Record<string, unknown>> {
  return { container: { type: "view", view_id: view.id }, view: wireView(view) };
}

function interaction(type: string, user: SandboxUser, fields: Envelope["payload"], answered: boolean): Envelope {
  const payload = {
    type,
    team: { id: team.id, domain: team.domain },
    enterprise: null,
    is_enterprise_install: false,
    user: { id: user.id, username: user.name, name: user.name, team_id: user.team },
    api_app_id: app.id,
    token: "deprecated",
    ...fields,
  };
  return { envelope_id: randomUUID(), type: "interactive", payload, accepts_response_payload: answered };
}
