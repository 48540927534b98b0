import type { Cluster } from "../kubernetes/cluster.ts";
import { decideAccess, type Place } from "../policy/access.ts";
import { pausedBy } from "../policy/flux-pause.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { manifestName } from "../policy/manifest.ts";
import { marks } from "../policy/marks.ts";
import type { Operation } from "../policy/operation.ts";
import { principalName } from "../policy/principal.ts";
import { imageOf } from "../policy/revision.ts";
import { namespaceOf, type UndoWrite } from "../policy/undo-plan.ts";
import { list, note, refused } from "./answers.ts";
import { operationCard } from "./card.ts";
import { pausesOf } from "./flux-pause.ts";
import { record } from "./journal.ts";
import type { Pressed } from "./press.ts";
import type { Reply } from "./reply.ts";
import type { Press, Request } from "./request.ts";
import { amend, type Context, clusterOf, type Services } from "./services.ts";
import { marked, objectOf } from "./undo-rehearsal.ts";

/** What is typed, or the button that stands for it. */
type Asked = Context<Request | Press> & Pick<Pressed, "samples">;

/**
 * Ends what an undo told Flux: its annotation comes off each object that still bears it by that undo, on the version that was
 * read, and nothing else of the object changes. Can be repeated: what failed is told, and tried again by the next.
 */
export async function resumeFlux(context: Asked, operation: Operation, reason: string): Promise<Reply> {
  const { services, request, outlet } = context;
  const { id } = operation;
  const writes = pausesOf(operation);
  const no = refuseResuming(context, operation, writes);
  if (no !== undefined) return turnDown(context, operation, no);
  const noted = noteOf(services, operation, { request, reason, writes });
  await record(services, operation, { ...noted, kind: "intent" });
  const { cluster } = clusterOf(services, operation.target.cluster);
  const ended = await Promise.all(writes.map((write) => endOne(cluster, id, write)));
  const ok = ended.every(({ failed }) => !failed);
  const lines = ended.map(({ line }) => line);
  await record(services, operation, { ...noted, kind: "outcome", ok, detail: { ...noted.detail, said: lines } });
  const headline = ok ? `Flux resumed: ${id}` : `Not all of it: resume Flux, ${id}`;
  if (ok) {
    const fluxResumed = { by: request.principal, at: services.now() };
    const stored = await amend(services, id, (now) => ({ ...now, fluxResumed }));
    await outlet.show(operationCard(stored, services.now()), stored.card);
  }
  return tell(context, note(headline, [list(undefined, lines)], ok ? "ok" : "failed"));
}

/** Of the operation whose id was typed. */
export async function endPause(context: Asked, id: string, reason: string): Promise<Reply> {
  const operation = await context.services.operations.get(id);
  if (operation === undefined) return tell(context, refused(`end ${id}`, nothingThere(id)));
  return resumeFlux(context, operation, reason);
}

function nothingThere(id: string): Refusal {
  return refusal(`${id} told Flux nothing that could be ended`, `To undo what it wrote: /np rollback ${id}`);
}

function refuseResuming(
  { services, request }: Asked,
  { id, state, confirmed, target }: Operation,
  writes: readonly UndoWrite[],
): (Refusal & { readonly place?: Place }) | undefined {
  if (writes.length === 0 || confirmed === undefined) return nothingThere(id);
  if (state !== "done" && state !== "failed") return refusal(`${id} is still ${state}`, "Look at its card.");
  for (const namespace of new Set(writes.map(namespaceOf))) {
    const place = { cluster: target.cluster, namespace };
    const { settings } = services;
    const decision = decideAccess(settings.access, request.principal, "rollback", place);
    if (!decision.allowed)
      return { ...refusal(decision.reason, "Ask somebody who may roll back in all of its namespaces."), place };
  }
  return undefined;
}

type Noting = Pick<Asked, "request"> & { readonly reason: string; readonly writes: readonly UndoWrite[] };

function noteOf(services: Services, { target }: Operation, { request, reason, writes }: Noting) {
  const policies = writes.map((write) => manifestName(objectOf(write)));
  return {
    actor: request.principal,
    verb: "resume-flux",
    step: `resume-flux-${services.now()}`,
    summary: `Flux may write again in ${target.namespace}, by ${principalName(request.principal)}: ${policies.join(", ")}`,
    detail: { policies, reason },
  };
}

type EndedOne = { readonly line: string; readonly failed: boolean };

/** One that fails holds up no other. */
async function endOne(cluster: Cluster, id: string, write: UndoWrite): Promise<EndedOne> {
  const name = manifestName(objectOf(write));
  try {
    const was = await takeOff(cluster, id, write);
    const line = was
      ? `${name}: Flux writes it again at its next interval, as its repository has it.`
      : `${name}: not held back by ${id} any more, nothing was written.`;
    return { line, failed: false };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { line: `${name}: Flux still leaves it alone, as far as is known: ${why}`, failed: true };
  }
}

/** Whether there was something to take off. */
async function takeOff(cluster: Cluster, id: string, write: UndoWrite, tries = 5): Promise<boolean> {
  const stored = await cluster.anyPolicy.read(objectOf(write));
  if (stored === undefined || pausedBy(stored) !== id) return false;
  const { uid, resourceVersion, annotations } = stored.metadata;
  const undo = annotations?.[marks.undo];
  const image = undo === undefined ? imageOf(stored) : marked(imageOf(stored), undo);
  const answer = await cluster.anyPolicy.replace(image, { uid, resourceVersion });
  if (answer.kind === "replaced" && pausedBy(answer.object) !== id) return true;
  if (tries <= 1) throw new Error("it kept changing");
  return takeOff(cluster, id, write, tries - 1);
}

async function turnDown(
  context: Asked,
  operation: Operation,
  no: Refusal & { readonly place?: Place },
): Promise<Reply> {
  const { id, target, incident } = operation;
  const { cluster, namespace } = no.place ?? target;
  await context.samples.refused(context.request, { cluster, namespace, incident, verb: "rollback", why: no.reason });
  return tell(context, refused(`end ${id}`, no));
}

async function tell({ outlet }: Asked, reply: Reply): Promise<Reply> {
  await outlet.show(reply, undefined);
  return reply;
}
