import type { History } from "../history/history.ts";
import { mostCertainFirst } from "../policy/certainty.ts";
import type { Manifest } from "../policy/manifest.ts";
import { isLive, type Operation } from "../policy/operation.ts";
import { type Author, type Image, type Revision, specHash } from "../policy/revision.ts";
import { operationNamed } from "../policy/undo-candidates.ts";
import type { UndoPlan } from "../policy/undo-plan.ts";
import type { Operations } from "../scheduler/operations.ts";
import { isAmong, ownObjectsOf } from "./deny-objects.ts";
import { mismatchAmong } from "./is-as-written.ts";

/**
 * The history, where what an object claims of the operation that it is from is held against that operation as it is stored: it
 * is so where the plan holds that very object. Else it stays a claim, as anybody may write any name, label and annotation.
 */
export function proven(history: History, operations: Pick<Operations, "get">): History {
  const prove = async (revisions: readonly Revision[]): Promise<readonly Revision[]> => {
    const ids = new Set(revisions.flatMap(claimsOf));
    if (ids.size === 0) return revisions;
    const found = await Promise.all([...ids].map((id) => operations.get(id).catch(() => undefined)));
    const known = found.filter((one) => one !== undefined);
    return revisions.map((revision) => known.reduce(withProof, revision));
  };
  return {
    ...history,
    find: async (...asked) => prove(await history.find(...asked)),
    /** What is picked is picked of what is proven: the store knows claims alone. */
    async list({ which, ...asked }) {
      if (which === undefined) return prove(await history.list(asked));
      for (let limit = Math.max(asked.limit, 200); ; limit *= 4) {
        const read = await history.list({ ...asked, limit });
        const found = (await prove(read)).filter(which);
        if (found.length >= asked.limit || read.length < limit) return found.slice(0, asked.limit);
      }
    },
    lineage: async (...asked) => prove(await history.lineage(...asked)),
  };
}

function claimsOf({ name, authors }: Revision): readonly string[] {
  const claimed = authors.flatMap((one) => (one.kind === "operation" && one.claimed ? one.operation : []));
  const named = operationNamed(name);
  return named === undefined ? claimed : [...claimed, named];
}

function withProof(revision: Revision, operation: Operation): Revision {
  if (operation.target.cluster !== revision.cluster || !claimsOf(revision).includes(operation.id)) return revision;
  const { after, before } = revision;
  const writes = isWrittenBy(operation, after);
  const isItsOwn = writes || isWrittenBy(operation, before) || isLive(operation);
  const owner = isItsOwn && planned(operation, after ?? before) !== undefined ? { owner: operation.id } : {};
  if (!writes) return { ...revision, ...owner };
  return { ...revision, ...owner, authors: mostCertainFirst(revision.authors.map((one) => confirmed(one, operation))) };
}

/** What the object says of the person is not looked at. */
function confirmed(author: Author, { id, confirmed: by, principal }: Operation): Author {
  if (author.kind !== "operation" || author.operation !== id) return author;
  return { kind: "operation", operation: id, by: by?.by ?? principal };
}

/** The object of that name as the operation's plan has it, of those that it alone owns. */
function planned({ plan }: Operation, image: Image | undefined): Manifest | undefined {
  if (plan === undefined || image === undefined || plan.kind === "release" || plan.kind === "undo") return undefined;
  const objects = plan.kind === "allow" ? plan.objects : ownObjectsOf(plan);
  return objects.find((object) => isAmong([object])(image));
}

function isWrittenBy(operation: Operation, image: Image | undefined): boolean {
  if (image === undefined) return false;
  if (operation.plan?.kind === "undo") return isRestoredBy(operation.plan, image);
  const object = planned(operation, image);
  return object !== undefined && mismatchAmong([object], [image]) === undefined;
}

function isRestoredBy({ writes }: UndoPlan, image: Image): boolean {
  return writes.some(({ to }) => to !== undefined && isAmong([to])(image) && specHash(to) === specHash(image));
}
