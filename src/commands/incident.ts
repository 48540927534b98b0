import { createHash } from "node:crypto";
import type { Verb } from "../policy/access.ts";
import type { Operation } from "../policy/operation.ts";
import { type Principal, principalName } from "../policy/principal.ts";
import type { IncidentBinding } from "../scheduler/incidents.ts";
import { note, text } from "./answers.ts";
import type { Command, IncidentChange } from "./command.ts";
import type { Outcome, Reply } from "./reply.ts";
import type { Request } from "./request.ts";
import type { Context } from "./services.ts";

type IncidentCommand = Extract<Command, { kind: "incident" }>;

/** Whoever may write in some namespace may bind; whoever has any right may look. */
export function incidentVerbs({ change }: IncidentCommand): readonly Verb[] {
  return change.to === "nothing"
    ? ["status", "audit", "quarantine", "lockdown", "release", "rollback"]
    : ["quarantine", "lockdown", "release", "rollback"];
}

/** Shows, binds or unbinds the incident of the channel that it is typed in. A change is in the audit before it is made. */
export async function incident(context: Context, { change }: IncidentCommand): Promise<Reply> {
  const { request, outlet } = context;
  const channel = channelOf(request);
  const reply = channel === undefined ? noChannel() : await inChannel(context, channel, change);
  await outlet.show(reply, undefined);
  return reply;
}

/**
 * What an operation carries: the incident that the command names, else the channel's, else `otherwise`. Where the
 * channel's cannot be read, the operation goes on without one and says so: containing waits for no incident's id.
 */
export async function incidentOf(
  { services, request }: Context,
  named: string | undefined,
  otherwise: string | undefined,
): Promise<Pick<Operation, "incident" | "incidentUnread">> {
  const channel = channelOf(request);
  if (named !== undefined) return { incident: named };
  const fallback = otherwise === undefined ? {} : { incident: otherwise };
  if (channel === undefined) return fallback;
  try {
    const bound = await services.incidents.get(channel);
    return bound === undefined ? fallback : { incident: bound.incident };
  } catch (error) {
    services.meter({ kind: "error", where: "incident", message: String(error) });
    return { ...fallback, incidentUnread: true };
  }
}

/** `team/channel`, both Slack ids; a terminal has none. */
function channelOf({ principal, channel }: Pick<Request, "principal" | "channel">): string | undefined {
  return principal.kind === "slack" && channel !== undefined ? `${principal.team}/${channel}` : undefined;
}

async function inChannel(context: Context, channel: string, change: IncidentChange): Promise<Reply> {
  const { services, request } = context;
  let before: IncidentBinding | undefined;
  try {
    before = await services.incidents.get(channel);
  } catch (error) {
    services.meter({ kind: "error", where: "incident", message: String(error) });
    return failure("The channel's incident could not be read", "Redis does not answer. Type it again in a moment.");
  }
  if (change.to === "nothing") return shown(before);
  const after: IncidentBinding | undefined =
    change.to === "off"
      ? undefined
      : { version: 1, incident: change.incident, by: request.principal, at: services.now() };
  if (after?.incident === before?.incident) return shown(before);
  try {
    await recordChange(context, before?.incident, after?.incident);
    await services.incidents.set(channel, after);
  } catch (error) {
    services.meter({ kind: "error", where: "incident", message: String(error) });
    return failure(
      "The channel's incident could not be changed",
      "Redis does not answer, and nothing is changed that could not be recorded. Look with /np incident, then type it again.",
    );
  }
  return after === undefined ? unbound(before) : bound(after, before);
}

/** Its id follows from the delivery, so that the same delivery is one entry. */
async function recordChange(
  { services, request }: Context,
  before: string | undefined,
  after: string | undefined,
): Promise<void> {
  const { channel = "" } = request;
  await services.audit.append({
    id: `incident:${createHash("sha256").update(request.delivery).digest("hex").slice(0, 16)}`,
    kind: "incident",
    at: new Date(services.now()).toISOString(),
    incident: after ?? before ?? "",
    verb: "incident",
    object: `channel ${channel}`,
    actor: request.principal,
    where: { source: request.source, channel },
    command: request.text.slice(0, 1_000),
    ok: true,
    summary:
      after === undefined
        ? `channel ${channel} is not bound to incident ${before ?? ""} any more`
        : `channel ${channel} is bound to incident ${after}${before === undefined ? "" : `, no longer to ${before}`}`,
    detail: { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) },
    replica: services.replica,
  });
}

function shown(binding: IncidentBinding | undefined): Reply {
  return binding === undefined
    ? note("This channel is bound to no incident", [text("Bind it with /np incident and the incident's id: INC-482.")])
    : note(`This channel is bound to incident ${binding.incident}`, [
        text(`Bound by ${by(binding)}. /np incident off ends that.`),
        text(carried),
      ]);
}

const carried =
  "Every quarantine and release that is typed here carries it: on its card, in the audit and on the policy. --incident ID on one of them wins.";

function bound({ incident: id }: IncidentBinding, before: IncidentBinding | undefined): Reply {
  const instead = before === undefined ? [] : [text(`Before it was ${before.incident}, bound by ${by(before)}.`)];
  return note(`This channel is now bound to incident ${id}`, [
    ...instead,
    text(carried),
    text(`What was done for it: /np audit incident ${id}`),
  ]);
}

function unbound(before: IncidentBinding | undefined): Reply {
  return note("This channel is bound to no incident any more", [
    text(`It was ${before?.incident ?? "bound to none"}. Operations that carry it keep it.`),
  ]);
}

function by({ by: who, at }: { readonly by: Principal; readonly at: number }): string {
  return `${principalName(who)} at ${new Date(at).toISOString()}`;
}

function noChannel(): Reply {
  return problem(
    "A terminal has no channel to bind",
    "Give --incident ID on quarantine and release, or set BULKHEAD_INCIDENT.",
    "usage",
  );
}

function failure(headline: string, why: string): Reply {
  return problem(headline, why, "failed");
}

function problem(headline: string, why: string, outcome: Outcome): Reply {
  return note(headline, [text(why), text("Nothing was done.")], outcome);
}
