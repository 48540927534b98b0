import { isRefusal, type Refusal, refusal } from "../policy/guard.ts";
import type { Operation } from "../policy/operation.ts";
import { note, text } from "./answers.ts";
import { type Contained, findQuarantine } from "./find-quarantine.ts";
import type { Reply } from "./reply.ts";
import { LostRace, type Services } from "./services.ts";

/** The release that ends this quarantine at this moment; a mark whose release has ended, or is not known, is none. */
export async function releaseOf(
  services: Pick<Services, "operations">,
  { releasing }: Operation,
): Promise<string | undefined> {
  const release = releasing === undefined ? undefined : await services.operations.get(releasing);
  return release?.state === "running" ? release.id : undefined;
}

/** What a press that would isolate is answered meanwhile. */
export function isBeingReleased({ id }: Operation, release: string): Reply {
  return note(
    `Not done: ${id} is being released`,
    [text(`${release} ends it at this moment, and its card will say how that went. Nothing was written.`)],
    "refused",
  );
}

/**
 * Marks the quarantine as being released, in one step with taking its lease: whoever still carries it out writes nothing
 * more, and nobody tries it again while the mark holds (invariant 6). The quarantine as stored, or why it cannot be
 * lifted now.
 */
export async function claimForRelease(
  services: Services,
  release: string,
  lifts: string,
  tries = 5,
): Promise<Contained | Refusal> {
  const found = await findQuarantine(services, { operation: lifts });
  if (isRefusal(found)) return found;
  const other = await releaseOf(services, found);
  if (other !== undefined && other !== release) {
    return refusal(`${lifts} is being released by ${other}`, `Look at the card of ${other}.`);
  }
  const held = await services.operations.replaceAndHold({ ...found, releasing: release });
  if (held === undefined) {
    if (tries <= 1) throw new LostRace(lifts);
    return claimForRelease(services, release, lifts, tries - 1);
  }
  // One that still runs keeps its lease, to be gone on with should the release come to nothing.
  if (held.lease !== undefined && found.state !== "running") await services.leases.end(held.lease);
  return { ...held.operation, plan: found.plan };
}
