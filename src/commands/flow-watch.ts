import { createHash, randomUUID } from "node:crypto";
import { firstLook } from "../flows/watch-times.ts";
import { type FlowWatch, mostInChannel, watchId } from "../flows/watches.ts";
import type { Place } from "../policy/access.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { principalName } from "../policy/principal.ts";
import { note, refused, text } from "./answers.ts";
import { placeFor } from "./clusters.ts";
import type { Command } from "./command.ts";
import type { FlowServices } from "./flow-services.ts";
import { maySeeWatch, scheduleWords, typedWatched, watchedWords, watchLine } from "./flow-watch-words.ts";
import type { Reply, Section } from "./reply.ts";
import type { Context } from "./services.ts";

type Flows = Extract<Command, { kind: "flows" }>;
type Watch = Flows & { readonly what: { readonly kind: "watch" } };
type Unwatch = Flows & { readonly what: { readonly kind: "unwatch" } };

/** Where the person looks who has something watched, or ends that: one by its id is where it is about. */
export async function locateWatch(context: Context, command: Flows): Promise<Place | Refusal> {
  const { what, cluster, namespace } = command;
  if (what.kind !== "unwatch" || what.watch === undefined) return placeFor(context, { cluster, namespace });
  const watch = await seenWatch(context, what.watch);
  return watch === undefined ? noWatch() : { cluster: watch.cluster, namespace: watch.namespace };
}

async function seenWatch(context: Context, id: string): Promise<FlowWatch | undefined> {
  const watch = (await context.services.flows?.watches.all())?.find((one) => one.id === id);
  return watch !== undefined && maySeeWatch(context, watch) ? watch : undefined;
}

function noWatch(): Refusal {
  return refusal("nothing of that is watched here", "Look at /np flows watched.");
}

/** Has it told in the channel from now on. Authorised already. Shows its own card there: that is how one knows that the bot may post. */
export async function watchFlows(context: Context, known: FlowServices, command: Watch): Promise<Reply> {
  const channel = channelOf(context);
  if (channel === undefined) return show(context, refused("watch", notInChannel()));
  const watch = watchAsked(command, channel, context);
  const before = await known.watches.get(watch);
  // Told already stays told, whoever changes the schedule.
  const next = before === undefined ? watch : { ...watch, told: before.told, postedMs: before.postedMs };
  if (!(await known.watches.put(next))) {
    const full = `${mostInChannel} are watched in this channel already, or too many in all`;
    return show(context, refused("watch", refusal(full, "End some of them: /np flows watched.")));
  }
  const card = setCard(watch);
  const shown = await context.outlet.show(card, undefined);
  if (shown.card?.channel !== channel) {
    // As it was before: nobody may have a channel watched where the bot cannot post.
    await known.watches.replace(next, before);
    return show(context, refused("watch", notInChannel()));
  }
  await audit(context, watch, `${watchedWords(watch)} is watched ${scheduleWords(watch.schedule)}`);
  return card;
}

/** A direct message is no channel that others read. */
function channelOf({ request: { source, channel } }: Context): string | undefined {
  return source === "slack" && channel !== undefined && !channel.startsWith("D") ? channel : undefined;
}

function notInChannel(): Refusal {
  return refusal(
    "a watch posts into the channel that it is typed in, and the bot has to be in there",
    "Invite the bot to a channel of your own organisation and type it there.",
  );
}

function watchAsked(command: Watch, channel: string, { services, request }: Context): FlowWatch {
  const { cluster, namespace, what } = command;
  const watched = { cluster, namespace, workload: what.workload };
  const nowMs = services.now();
  return {
    ...watched,
    id: watchId(channel, watched),
    channel,
    by: request.principal,
    schedule: what.schedule,
    setMs: nowMs,
    dueMs: firstLook(what.schedule, nowMs),
    lookedMs: undefined,
    postedMs: undefined,
    told: [],
    owed: undefined,
    ended: undefined,
    retryMs: undefined,
    revision: randomUUID(),
  };
}

function setCard(watch: FlowWatch): Reply {
  const who = principalName(watch.by);
  return {
    ...note(`Denied flows are watched here: ${watchedWords(watch)}`.slice(0, 150).toWellFormed(), [
      text(`${who} has them told here ${scheduleWords(watch.schedule)}, where something is new since the last post.`),
      text(`Everybody in this channel reads what ${who} may see. Where ${who} may not look any more, it ends.`),
    ]),
    shape: "card",
    footer: [`/np flows unwatch${typedWatched(watch)} ends it; /np flows watched lists all`],
  };
}

/** Ends a watch, of this channel unless it is named by its id. Authorised already. */
export async function unwatchFlows(context: Context, known: FlowServices, command: Unwatch): Promise<Reply> {
  const { what, cluster, namespace } = command;
  const { channel = "" } = context.request;
  const here = { channel, id: watchId(channel, { cluster, namespace, workload: what.workload }) };
  const watch = what.watch === undefined ? await known.watches.get(here) : await seenWatch(context, what.watch);
  if (watch === undefined) return refused("unwatch", noWatch());
  if (!(await removed(known, watch))) return refused("unwatch", noWatch());
  const words = watchedWords(watch);
  await audit(context, watch, `${words} is not watched any more`);
  return note("Not watched any more", [
    text(`${words} is not told any more by itself. /np flows shows it at any time.`),
  ]);
}

/** A look may change it meanwhile, and then it is the newer one that goes. */
async function removed({ watches }: Pick<FlowServices, "watches">, watch: FlowWatch, tries = 5): Promise<boolean> {
  if (await watches.replace(watch, undefined)) return true;
  const now = tries === 0 ? undefined : await watches.get(watch);
  return now === undefined ? false : removed({ watches }, now, tries - 1);
}

/** What is watched in this channel, at a terminal in all, as far as the person may look there; with buttons that end it. */
export async function listWatches(context: Context, known: FlowServices): Promise<Reply> {
  const { services, request } = context;
  const all = await known.watches.all();
  const seen = all.filter(
    (watch) => (request.source !== "slack" || watch.channel === request.channel) && maySeeWatch(context, watch),
  );
  if (seen.length === 0) {
    return note("Nothing is watched here that you may see", [
      text("/np flows watch payments every 1h has what is denied there told in a channel."),
    ]);
  }
  const rows = seen.slice(0, mostInChannel).map(
    (watch): Section => ({
      kind: "row",
      text: `${request.source === "slack" ? "" : `${watch.channel}: `}${watchLine(watch, services)}`,
      subject: watch.id,
      buttons: [{ action: "flow-unwatch", label: "Unwatch" }],
    }),
  );
  const left = seen.length - rows.length;
  return {
    ...note(seen.length === 1 ? "1 watch of denied flows" : `${seen.length} watches of denied flows`, [
      ...rows,
      ...(left > 0 ? [text(`${left} more are not shown.`)] : []),
    ]),
    footer: ["Times are UTC."],
  };
}

async function show({ outlet }: Context, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}

/** Written after the watch: nothing is open or closed by it. */
async function audit({ services, request }: Context, watch: FlowWatch, summary: string): Promise<void> {
  const { cluster, namespace } = watch;
  await services.audit.append(
    {
      id: `watch:${createHash("sha256").update(request.delivery).digest("hex").slice(0, 16)}`,
      kind: "watch",
      at: new Date(services.now()).toISOString(),
      verb: "flows",
      ...(cluster === undefined ? {} : { cluster }),
      ...(namespace === undefined ? {} : { namespace }),
      object: `watch ${watch.id}`,
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
