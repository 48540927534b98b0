import type { History } from "../history/history.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { type Refusal, refusal } from "../policy/guard.ts";
import { imageOf, lineageOf, type RawPolicy, type Revision, referenceOf } from "../policy/revision.ts";
import type { Standing } from "../policy/undo.ts";
import type { AskedRevision } from "../policy/undo-plan.ts";
import type { Services } from "./services.ts";

/** What an undo is decided over. */
export type UndoFacts = {
  readonly changes: readonly Revision[];
  /** By lineageOf. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** The objects as the API server has them now, by lineageOf. */
  readonly stored: ReadonlyMap<string, RawPolicy | undefined>;
};

/** The history, or why nothing can be said of what was. */
export function historyOf({ history }: Services): History | Refusal {
  return (
    history ??
    refusal("no Redis answers here, and what policies were before lies there", "Use Bulkhead in Slack, or try again.")
  );
}

/** The revisions that were asked for, and how their policies stand now; or which is not kept any more. */
export async function gatherUndo(
  history: History,
  cluster: Cluster,
  asked: readonly AskedRevision[],
): Promise<UndoFacts | Refusal> {
  const changes: Revision[] = [];
  for (const { revision, policy } of asked) {
    const found = (await history.find(revision)).find((one) => one.id === revision && lineageOf(one) === policy);
    if (found === undefined) return refusal(`${revision} is not kept any more`, "Look at /np history for what is.");
    changes.push(found);
  }
  const lineages = new Map(changes.map((one) => [lineageOf(one), one]));
  const read = await Promise.all(
    [...lineages].map(async ([key, one]) => {
      const [object, lineage] = await Promise.all([cluster.anyPolicy.read(referenceOf(one)), history.lineage(one)]);
      return { key, object, lineage };
    }),
  );
  return {
    changes,
    standings: new Map(read.map(({ key, object, lineage }) => [key, standingOf(object, lineage)])),
    stored: new Map(read.map(({ key, object }) => [key, object])),
  };
}

function standingOf(object: RawPolicy | undefined, lineage: readonly Revision[]): Standing {
  if (object === undefined) return { image: undefined, uid: undefined, terminating: false, lineage };
  const { uid, deletionTimestamp } = object.metadata;
  return { image: imageOf(object), uid, terminating: deletionTimestamp !== undefined, lineage };
}
