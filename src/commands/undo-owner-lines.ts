import { ownerWords } from "../policy/owner-words.ts";
import { lineageOf, type RawPolicy } from "../policy/revision.ts";
import type { UndoWrite } from "../policy/undo-plan.ts";
import { objectOf } from "./undo-rehearsal.ts";

/** Of policies that somebody else will write again: who, when and what stops it, as sentences. */
export function ownerLines(
  cluster: string,
  stored: ReadonlyMap<string, RawPolicy | undefined>,
  writes: readonly UndoWrite[],
): readonly string[] {
  return writes.flatMap((write) => {
    const { apiVersion, kind, metadata } = objectOf(write);
    const { namespace, name } = metadata;
    const managedFields = stored.get(lineageOf({ cluster, apiVersion, kind, namespace, name }))?.metadata.managedFields;
    return ownerWords({ ...write, ...(managedFields === undefined ? {} : { managedFields }) });
  });
}
