import type { History } from "../history/history.ts";
import type { Operation } from "../policy/operation.ts";
import { lineageOf, type Revision } from "../policy/revision.ts";
import { undoOf } from "../policy/undo-candidates.ts";
import { revisionsOf } from "./rollback-what.ts";
import type { Services } from "./services.ts";
import { attributeDeletions } from "./undo-author.ts";

/**
 * Says in the history that the operation has undone its changes, of those policies (by lineageOf) that it wrote. What an undo did
 * and is undone now no longer counts: what that had undone stands again, and so on down. Can be repeated.
 */
export async function markAsUndone(
  services: Services,
  operation: Operation,
  lineages: ReadonlySet<string>,
): Promise<void> {
  if (services.history === undefined) return;
  await setStanding({ services, history: services.history, lineages }, operation, true);
}

type Marking = { readonly services: Services; readonly history: History; readonly lineages: ReadonlySet<string> };

/** `holds`: whether what the undo did is in the cluster, and so undoes what it undid. */
async function setStanding(marking: Marking, undo: Operation, holds: boolean): Promise<void> {
  const { history, lineages, services } = marking;
  const changes = (await changesOf(history, undo)).filter((one) => lineages.has(lineageOf(one)));
  if (changes.length === 0) return;
  await history.markUndone(
    changes.map(({ id }) => id),
    holds ? undo.id : undefined,
  );
  const below = new Set(changes.flatMap((one) => undoOf(one) ?? []));
  for (const id of below) {
    const other = id === undo.id ? undefined : await services.operations.get(id);
    if (other !== undefined) await setStanding(marking, other, !holds);
  }
}

async function changesOf(history: History, { plan }: Operation): Promise<readonly Revision[]> {
  if (plan?.kind !== "undo") return [];
  const found = await Promise.all(plan.changes.map(({ revision }) => history.find(revision)));
  return found.flat().filter(({ id }) => plan.changes.some(({ revision }) => revision === id));
}

/**
 * Of an operation that has ended, whatever it wrote by what the history knows: for whoever finds it owing that. What was undone
 * meanwhile undoes nothing any more.
 */
export async function markAgain(services: Services, operation: Operation): Promise<void> {
  if (services.history === undefined) return;
  await attributeDeletions(services, operation);
  const written = await revisionsOf(services.history, operation);
  const standing = written.filter(({ undoneBy }) => undoneBy === undefined);
  await markAsUndone(services, operation, new Set(standing.map(lineageOf)));
}
