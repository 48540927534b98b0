import { createHash } from "node:crypto";
import type { FlowKey } from "../flows/flow-key.ts";
import { type Mute, mostMutes, mutedPattern, muteId } from "../flows/mutes.ts";
import { decideAccess, type Place, type Verb } from "../policy/access.ts";
import { formatDuration } from "../policy/duration.ts";
import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import { principalName } from "../policy/principal.ts";
import { note, refused, text } from "./answers.ts";
import type { FlowsAsked } from "./command.ts";
import type { FlowServices } from "./flow-services.ts";
import { lineNamed } from "./flow-shelf.ts";
import { asSeen, seenIn } from "./flow-sight.ts";
import { betweenWords } from "./flow-words.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

/** What one mutes nobody else is shown either: it is for those who may act on what is denied. */
export const mutingVerbs: readonly Verb[] = ["quarantine", "lockdown", "allow", "rollback"];

/** Where the person acts who mutes, or ends a mute: at an end where they may. */
export async function locateMute(
  context: Context,
  what: Extract<FlowsAsked, { kind: "mute" | "unmute" }>,
): Promise<Place | Refusal> {
  const key = what.kind === "mute" ? await lineNamed(context, what.line) : await mutedKey(context, what.mute);
  return isRefusal(key) ? key : placeOf(context, key);
}

/**
 * Where the person may mute the key: the first such end, else one where they may look, of which decideAccess then says no: its
 * answer names the namespace.
 */
export function placeOf(
  { services, request }: Pick<Context, "services" | "request">,
  { cluster, from, to }: FlowKey,
): Place {
  const places = [from, to].map((end) => ({ cluster, namespace: end.kind === "workload" ? end.namespace : "" }));
  const { access } = services.settings;
  const may = (place: Place): boolean =>
    mutingVerbs.some((verb) => decideAccess(access, request.principal, verb, place).allowed);
  const sees = seenIn({ services, request }, cluster);
  return (
    places.find((place) => place.namespace !== "" && may(place)) ??
    places.find(may) ??
    places.find(({ namespace }) => sees(namespace)) ?? { cluster, namespace: "" }
  );
}

async function mutedKey(context: Context, id: string): Promise<FlowKey | Refusal> {
  const mutes = (await context.services.flows?.mutes.all(context.services.now())) ?? [];
  const mute = mutes.find((one) => one.id === id && asSeen(one.pattern, seenIn(context, one.pattern.cluster)));
  return mute?.pattern ?? noMute(id);
}

function noMute(id: string): Refusal {
  return refusal(`there is no mute ${id}, or it has ended`, "Look at /np flows muted.");
}

/** Mutes a line for everybody, for that time. Authorised already. */
export async function muteLine(
  context: Context,
  flows: FlowServices,
  { line, forMs }: Extract<FlowsAsked, { kind: "mute" }>,
): Promise<Reply> {
  const { services, request } = context;
  const key = await lineNamed(context, line);
  if (isRefusal(key)) return refused("mute", key);
  const at = services.now();
  const mute: Mute = { id: muteId(key), pattern: mutedPattern(key), by: request.principal, at, until: at + forMs };
  const words = toldWords(context, mute);
  if (!(await flows.mutes.put(mute, at))) {
    const full = `${mostMutes} lines are muted already`;
    return refused("mute", refusal(full, "End some of them: /np flows muted."));
  }
  await audit(context, mute, `${words} is muted for ${formatDuration(forMs)}`);
  return note(`Muted for ${formatDuration(forMs)}`, [
    { ...rowOf(context, mute) },
    text("It is listed to nobody until then, and still counts in every total. /np flows muted lists what is muted."),
  ]);
}

/** Ends a mute. Authorised already. */
export async function unmute(context: Context, flows: FlowServices, id: string): Promise<Reply> {
  const mute = await flows.mutes.remove(id);
  if (mute === undefined) return refused("unmute", noMute(id));
  const words = toldWords(context, mute);
  await audit(context, mute, `${words} is not muted any more`);
  return note("Not muted any more", [text(`${words} is listed again.`)]);
}

/** So many mutes are listed with a button. */
const listed = 15;

/** What is muted, where the person may look, what ends first first. */
export async function listMutes(context: Context, flows: FlowServices, cluster: string | undefined): Promise<Reply> {
  const all = await flows.mutes.all(context.services.now());
  const seen = all.filter(
    ({ pattern }) =>
      (cluster === undefined || cluster === pattern.cluster) &&
      asSeen(pattern, seenIn(context, pattern.cluster)) !== undefined,
  );
  if (seen.length === 0)
    return note("Nothing is muted that you may see", [text("A line is muted by its button Mute.")]);
  const left = seen.length - listed;
  return note(seen.length === 1 ? "1 line is muted" : `${seen.length} lines are muted`, [
    ...seen.slice(0, listed).map((mute) => rowOf(context, mute)),
    ...(left > 0 ? [text(`${left} more are not shown: those end later.`)] : []),
  ]);
}

function rowOf(context: Context, mute: Mute): Section {
  const { services } = context;
  const left = formatDuration(Math.ceil((mute.until - services.now()) / 60_000) * 60_000);
  const by = principalName(mute.by);
  return {
    kind: "row",
    text: `${toldWords(context, mute)}: muted by ${by}, for ${left} more`,
    subject: mute.id,
    buttons: [{ action: "flow-unmute", label: "Unmute" }],
  };
}

function toldWords(context: Context, { pattern }: Mute): string {
  const key = asSeen(pattern, seenIn(context, pattern.cluster)) ?? pattern;
  const where = context.services.clusters.size > 1 ? `${pattern.cluster}: ` : "";
  return `${where}${betweenWords({ key, dnsQuery: undefined }, undefined)}`;
}

/** Written after the mute: it hides a line, and nothing is open or closed by it. */
async function audit({ services, request }: Context, mute: Mute, summary: string): Promise<void> {
  const { cluster } = mute.pattern;
  const { namespace } = placeOf({ services, request }, mute.pattern);
  await services.audit.append(
    {
      id: `mute:${createHash("sha256").update(request.delivery).digest("hex").slice(0, 16)}`,
      kind: "mute",
      at: new Date(services.now()).toISOString(),
      verb: "flows",
      cluster,
      ...(namespace === undefined || namespace === "" ? {} : { namespace }),
      object: `line ${mute.id}`,
      actor: request.principal,
      where: { source: request.source, ...(request.channel === undefined ? {} : { channel: request.channel }) },
      command: request.text.slice(0, 1_000),
      ok: true,
      summary,
      replica: services.replica,
    },
    { spool: true },
  );
}
