import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Acknowledgement } from "./acknowledgements.ts";
import type { Delivery, Dispatch } from "./dispatch.ts";
import { app, team } from "./people.ts";
import type { Envelope } from "./socket.ts";

/**
 * Sends an event (`{ type: "app_home_opened", … }`) as an `event_callback`, and again while nobody acknowledges it: at
 * once, after a minute, after five (facts, section 1.1), unless `retriesMs` says otherwise. All its deliveries have one
 * event_id. Resolves with every delivery.
 */
export async function sendEvent(
  dispatch: Dispatch,
  event: Readonly<Record<string, unknown>>,
  { now, retriesMs }: { readonly now: () => number; readonly retriesMs: readonly number[] },
): Promise<readonly Delivery[]> {
  const payload = callback(event, now());
  const deliveries = [await dispatch.deliver(envelope(payload, 0, ""))];
  for (const [at, pauseMs] of retriesMs.entries()) {
    const reason = failure(deliveries.at(-1)?.acknowledgement);
    if (reason === undefined) break;
    await wait(pauseMs, undefined, { ref: false });
    deliveries.push(await dispatch.deliver(envelope(payload, at + 1, reason)));
  }
  return deliveries;
}

function callback(event: Readonly<Record<string, unknown>>, now: number): Envelope["payload"] {
  const installation = { enterprise_id: null, team_id: team.id, user_id: app.botUser };
  return {
    token: "deprecated",
    team_id: team.id,
    api_app_id: app.id,
    event,
    type: "event_callback",
    event_id: `Ev${randomUUID().replaceAll("-", "").slice(0, 9).toUpperCase()}`,
    event_time: Math.floor(now / 1_000),
    authorizations: [{ ...installation, is_bot: true, is_enterprise_install: false }],
    is_ext_shared_channel: false,
  };
}

/** The attempt is in the envelope of a socket, and in the headers of a request. */
function envelope(payload: Envelope["payload"], attempt: number, reason: string): Envelope {
  const again = { "x-slack-retry-num": String(attempt), "x-slack-retry-reason": reason };
  return {
    envelope_id: randomUUID(),
    type: "events_api",
    payload,
    accepts_response_payload: false,
    retry_attempt: attempt,
    retry_reason: reason,
    ...(attempt > 0 && { headers: again }),
  };
}

/** Slack's word for why it sends an event again; undefined where it was taken. */
function failure(acknowledgement: Acknowledgement | undefined): string | undefined {
  return acknowledgement === undefined ? undefined : reasons[acknowledgement.kind];
}

const reasons: Readonly<Record<Acknowledgement["kind"], string | undefined>> = {
  acknowledged: undefined,
  "timed-out": "http_timeout",
  refused: "http_error",
  "no-connection": "connection_failed",
};
