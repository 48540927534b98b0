import { type Place, type Verb } from "../policy/access.ts";
import { isRefusal, type Refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { note, text } from "./answers.ts";
import { placeFor } from "./clusters.ts";
import type { Command } from "./command.ts";
import { findOperation } from "./find-operation.ts";
import { answerFlows } from "./flow-answer.ts";
import { scopeOfTarget } from "./flow-asked.ts";
import { type GatheredFlows, gatherFlows } from "./flow-gather.ts";
import { gatherAsked } from "./flow-gathered.ts";
import { listMutes, locateMute, muteLine, mutingVerbs, unmute } from "./flow-mute.ts";
import type { FlowServices } from "./flow-services.ts";
import { listWatches, locateWatch, unwatchFlows, watchFlows } from "./flow-watch.ts";
import { lastWindow, windowBetween } from "./flow-window.ts";
import type { Reply } from "./reply.ts";
import type { Context } from "./services.ts";

type FlowsCommand = Extract<Command, { kind: "flows" }>;
type Located = { readonly place: Place; readonly command: FlowsCommand };

/** The rights of which one needs one: looking is one thing, and what others are shown another. */
export function flowsVerbs({ what: { kind } }: FlowsCommand): readonly Verb[] {
  return kind === "mute" || kind === "unmute" ? mutingVerbs : ["status"];
}

/** Where it looks, or acts; an operation by its target. */
export async function locateFlows(context: Context, command: FlowsCommand): Promise<Located | Refusal> {
  const { what } = command;
  if (what.kind === "mute" || what.kind === "unmute") {
    const place = await locateMute(context, what);
    return isRefusal(place) ? place : { place, command };
  }
  if (what.kind === "watch" || what.kind === "unwatch") {
    const place = await locateWatch(context, command);
    return isRefusal(place) ? place : { place, command };
  }
  if (what.kind === "operation") {
    const operation = await findOperation(context, what.operation);
    if (isRefusal(operation)) return operation;
    const { cluster, namespace } = operation.target;
    return {
      place: { cluster, namespace },
      command: { ...command, cluster, what: { ...what, operation: operation.id } },
    };
  }
  const place = placeFor(context, { cluster: command.cluster, namespace: command.namespace });
  return isRefusal(place) ? place : { place, command };
}

/** What is denied, between whom, since when, and by which policy; or what of it is muted. */
export async function flows(context: Context, command: FlowsCommand): Promise<Reply> {
  const known = context.services.flows;
  const { what } = command;
  if (known !== undefined && what.kind === "watch") return watchFlows(context, known, { ...command, what });
  const reply = known === undefined ? noFlows() : await answer(context, known, command);
  await context.outlet.show(reply, undefined);
  return reply;
}

async function answer(context: Context, known: FlowServices, command: FlowsCommand): Promise<Reply> {
  const { what, cluster } = command;
  switch (what.kind) {
    case "mute":
      return muteLine(context, known, what);
    case "unmute":
      return unmute(context, known, what.mute);
    case "muted":
      return listMutes(context, known, cluster);
    case "unwatch":
      return unwatchFlows(context, known, { ...command, what });
    case "watched":
      return listWatches(context, known);
    case "operation": {
      const operation = await context.services.operations.get(what.operation);
      if (operation === undefined) throw new Error(`operation ${what.operation} is not stored any more`);
      return answerFlows(context, known, await gatherOf(context, known, operation, command.sinceMs));
    }
    case "denied":
      return answerFlows(context, known, await gatherAsked(context, known, { ...command, workload: what.workload }));
    case "explain":
    case "allow":
    case "watch":
      throw new Error("it is run elsewhere");
  }
}

/** From when it was confirmed to its end, at most 48 hours, unless another time is asked for. */
async function gatherOf(
  context: Context,
  known: FlowServices,
  operation: Operation,
  sinceMs: number | undefined,
): Promise<GatheredFlows> {
  const { services } = context;
  const { confirmed, origin, target } = operation;
  const nowMs = services.now();
  const window =
    sinceMs === undefined
      ? windowBetween(confirmed?.at ?? origin.at, endOf(operation) ?? nowMs)
      : lastWindow(nowMs, sinceMs);
  const found = await scopeOfTarget(services, target);
  const scope = { ...found, words: `${operation.id} (${found.words ?? ""})` };
  return { scope, window, clusters: [await gatherFlows(context, known, { cluster: target.cluster, window, scope })] };
}

/** Undefined while it is in force. */
function endOf({ allowance, state, steps }: Operation): number | undefined {
  const isOver = state === "done" || state === "cancelled" || state === "refused";
  return allowance?.ended?.at ?? (isOver ? steps.at(-1)?.at : undefined);
}

/** Silence is unknown: without a source nothing can be said, least of all that nothing is denied. */
function noFlows(): Reply {
  return note("What is denied is not known", [
    text("No flow source is configured, so nobody tells Bulkhead what is denied. That is not to say that nothing is."),
    text("Name one under flows in the configuration, such as a Hubble relay: see What is denied in the README."),
  ]);
}
