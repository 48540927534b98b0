import { randomUUID } from "node:crypto";
import type { Turns } from "../flows/turns.ts";
import { betweenLooks, nextLook } from "../flows/watch-times.ts";
import { type FlowWatch, wakeOf } from "../flows/watches.ts";
import { decideAccess } from "../policy/access.ts";
import { isRefusal } from "../policy/guard.ts";
import type { Principal } from "../policy/principal.ts";
import { placeFor } from "./clusters.ts";
import type { Outlet } from "./desk.ts";
import { answerFlows } from "./flow-answer.ts";
import type { GatheredFlows } from "./flow-gather.ts";
import { gatherAsked } from "./flow-gathered.ts";
import { type FlowNews, newsOf } from "./flow-news.ts";
import type { FlowServices } from "./flow-services.ts";
import { auditEnd, endedCard, postOf } from "./flow-watch-post.ts";
import { typedWatched } from "./flow-watch-words.ts";
import type { Context, Services } from "./services.ts";

/** Who it is now, with the groups of now; or why they may not use Bulkhead any more. Throws where nobody can say. */
export type Vouch = (principal: Principal) => Promise<Principal | { readonly why: string }>;

export type FlowLooksParts = {
  readonly services: Services;
  readonly flows: FlowServices;
  /** One replica looks at a watch, and another one goes on seconds after it stops. */
  readonly turns: Turns;
  readonly outletIn: (channel: string) => Outlet;
  readonly vouch: Vouch;
};

export type FlowLooks = {
  /** Makes the looks that are due, and posts what they found. To be called by every replica, again and again. */
  sweep(): Promise<void>;
};

/** How soon a post is tried again that may have been made by a replica that was killed right after it. */
const takeoverMs = 5_000;
const retryMs = 30_000;
const longestRetryMs = 10 * 60_000;
/** An end that nobody can be told of is not tried for ever. */
const mostTries = 20;
/** A turn lasts 3.5 s (flows/turns.ts). */
const renewEveryMs = 1_000;

/** Watched channels: what was found is stored before it is posted, and what was not posted is posted later. */
export function createFlowLooks(parts: FlowLooksParts): FlowLooks {
  return {
    async sweep() {
      const due = await parts.flows.watches.due(parts.services.now());
      await Promise.all(due.map((watch) => inTurn(parts, watch)));
    },
  };
}

/** Read again once the turn is ours: another replica may just have looked. */
async function inTurn(parts: FlowLooksParts, { channel, id }: FlowWatch): Promise<void> {
  const { services, flows, turns } = parts;
  const name = `watch ${channel} ${id}`;
  if (!(await turns.take(name))) return;
  const renewing = setInterval(() => void turns.take(name).catch(() => undefined), renewEveryMs).unref();
  try {
    const watch = await flows.watches.get({ channel, id });
    if (watch !== undefined && wakeOf(watch) <= services.now()) await attempt(parts, watch, () => turns.take(name));
  } finally {
    clearInterval(renewing);
    await turns.release(name);
  }
}

type IsOurs = () => Promise<boolean>;

/** What goes wrong with one keeps no other waiting. */
async function attempt(parts: FlowLooksParts, watch: FlowWatch, isOurs: IsOurs): Promise<void> {
  const { services, flows } = parts;
  try {
    await (watch.ended === undefined ? look(parts, watch, isOurs) : tellEnd(parts, watch, watch.ended));
  } catch (error) {
    services.meter({ kind: "error", where: "flows watch", message: String(error) });
    await flows.watches.replace(watch, changed(watch, { retryMs: services.now() + retryMs }));
  }
}

async function look(parts: FlowLooksParts, watch: FlowWatch, isOurs: IsOurs): Promise<void> {
  const { services, flows } = parts;
  const context = await contextOf(parts, watch);
  if ("why" in context) return end(parts, watch, context.why);
  const nowMs = services.now();
  // The first look is late where the bot was away: what came meanwhile is told as well.
  const firstMs = Math.min(nowMs, watch.dueMs + minuteMs) - betweenLooks(watch.schedule);
  const fromMs = watch.owed?.fromMs ?? watch.lookedMs ?? firstMs;
  // The minute in which it looked last was not over.
  const gathered = await gatherAsked(context, flows, { ...watch, sinceMs: windowMs(nowMs - fromMs) });
  const muted = new Set((await flows.mutes.all(nowMs)).map(({ id }) => id));
  const news = newsOf(watch, gathered, { muted, nowMs });
  const dueMs = watch.dueMs > nowMs ? watch.dueMs : nextLook(watch.schedule, watch.dueMs, nowMs);
  const looked = { dueMs, lookedMs: nowMs, owed: undefined, retryMs: undefined };
  if (news.fresh.length === 0) {
    await flows.watches.replace(watch, changed(watch, { ...looked, told: news.told }));
    return;
  }
  const tries = watch.owed?.tries ?? 0;
  const owing = changed(watch, { ...looked, owed: { fromMs, tries }, retryMs: nowMs + takeoverMs });
  if (await flows.watches.replace(watch, owing)) await post({ ...parts, isOurs }, context, { owing, gathered, news });
}

const shortestMs = 5 * 60_000;
const longestMs = 48 * 3_600_000;
const minuteMs = 60_000;

function windowMs(sinceMs: number): number {
  return Math.min(longestMs, Math.max(shortestMs, Math.ceil(sinceMs / minuteMs) * minuteMs + minuteMs));
}

type Found = { readonly owing: FlowWatch; readonly gathered: GatheredFlows; readonly news: FlowNews };

/** Whoever was killed between the post and what is stored of it lets it be posted once more: none is lost. */
async function post(
  { services, flows, outletIn, isOurs }: FlowLooksParts & { readonly isOurs: IsOurs },
  context: Context,
  { owing, gathered, news }: Found,
): Promise<void> {
  const reply = postOf(owing, news, await answerFlows(context, flows, gathered));
  if (!(await isOurs())) return;
  const { reached } = await outletIn(owing.channel).show(reply, undefined);
  const done = { told: news.told, postedMs: services.now(), owed: undefined, retryMs: undefined };
  await flows.watches.replace(owing, changed(owing, reached ? done : owedLater(owing, services.now())));
}

function owedLater({ owed }: FlowWatch, nowMs: number): Partial<FlowWatch> {
  const tries = (owed?.tries ?? 0) + 1;
  const inMs = Math.min(longestRetryMs, retryMs * 2 ** Math.min(tries - 1, 10));
  return { retryMs: nowMs + inMs, owed: { fromMs: owed?.fromMs ?? nowMs, tries } };
}

/** As whoever set it up could ask now; or why they cannot. */
async function contextOf(
  { services, outletIn, vouch }: FlowLooksParts,
  watch: FlowWatch,
): Promise<Context | { readonly why: string }> {
  const principal = await vouch(watch.by);
  if ("why" in principal) return principal;
  const { cluster, namespace, channel } = watch;
  const context: Context = {
    services,
    outlet: outletIn(channel),
    request: {
      principal,
      source: "slack",
      channel,
      text: `flows${typedWatched(watch)}`,
      at: services.now(),
      delivery: `${watch.id}:${watch.revision}`,
    },
  };
  const place = placeFor(context, { cluster, namespace });
  if (isRefusal(place)) return { why: place.reason };
  const decision = decideAccess(services.settings.access, principal, "status", place);
  return decision.allowed ? context : { why: decision.reason };
}

async function end(parts: FlowLooksParts, watch: FlowWatch, why: string): Promise<void> {
  const { services, flows } = parts;
  const ending = changed(watch, { ended: why, owed: undefined, retryMs: services.now() + takeoverMs });
  if (!(await flows.watches.replace(watch, ending))) return;
  await tellEnd(parts, ending, why);
}

async function tellEnd({ services, flows, outletIn }: FlowLooksParts, watch: FlowWatch, why: string): Promise<void> {
  await auditEnd(services, watch, why);
  const { reached } = await outletIn(watch.channel).show(endedCard(watch, why), undefined);
  const later = owedLater(watch, services.now());
  const isOver = reached || (later.owed?.tries ?? 0) >= mostTries;
  await flows.watches.replace(watch, isOver ? undefined : changed(watch, later));
}

function changed(watch: FlowWatch, changes: Partial<FlowWatch>): FlowWatch {
  return { ...watch, ...changes, revision: randomUUID() };
}
