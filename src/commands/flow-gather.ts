import type { FlowSourceState } from "../flows/flow-source.ts";
import type { Loss } from "../flows/ledger.ts";
import type { Revision } from "../policy/revision.ts";
import type { FlowScope } from "./flow-asked.ts";
import { isInScope } from "./flow-asked.ts";
import { type ComparedLine, compared, linesOf } from "./flow-lines.ts";
import type { FlowServices } from "./flow-services.ts";
import { type Sees, seenIn } from "./flow-sight.ts";
import { type FlowWindow, windowBefore } from "./flow-window.ts";
import { seenBy } from "./history.ts";
import type { Context } from "./services.ts";

/** What is known of the flows of one cluster in a time, as far as the person may know it. */
export type ClusterFlows = {
  readonly cluster: string;
  readonly window: FlowWindow;
  readonly sees: Sees;
  /** Of every class, highest count first. */
  readonly lines: readonly ComparedLine[];
  /** Whether all of the same time before was listened to: else counts of the two say nothing of each other. */
  readonly compares: boolean;
  readonly losses: readonly Loss[];
  readonly sources: readonly FlowSourceState[];
  /** See LedgerView. */
  readonly sinceMs: number | undefined;
  readonly lastHeardMs: number | undefined;
  /** Changes of policies in that time that the person may see, newest first; undefined where no history is kept. */
  readonly changes: readonly Revision[] | undefined;
};

/** What was asked for and gathered, cluster by cluster. */
export type GatheredFlows = {
  readonly scope: FlowScope;
  readonly window: FlowWindow;
  readonly clusters: readonly ClusterFlows[];
};

/** So many changes are read: the newest are told, and tried as the cause. */
const mostChanges = 50;

/** Reads what was counted in the time and in the one before, and which policies changed. Throws where a store is away. */
export async function gatherFlows(
  context: Context,
  known: FlowServices,
  asked: { readonly cluster: string; readonly window: FlowWindow; readonly scope: FlowScope },
): Promise<ClusterFlows> {
  const { cluster, window, scope } = asked;
  const earlier = windowBefore(window);
  const [now, before, changes] = await Promise.all([
    known.ledger.read({ cluster, ...window }),
    known.ledger.read({ cluster, ...earlier }),
    changesOf(context, cluster, window),
  ]);
  const sees = seenIn(context, cluster);
  const linesIn = ({ series }: typeof now) =>
    linesOf(
      series.filter(({ key }) => isInScope(key, scope)),
      sees,
    );
  const isKnown = now.sinceMs !== undefined && now.sinceMs < window.fromMs;
  return {
    cluster,
    window,
    sees,
    lines: compared(linesIn(now), isKnown ? linesIn(before) : undefined),
    compares: now.sinceMs !== undefined && now.sinceMs <= earlier.fromMs,
    losses: now.losses,
    sources: known.sources().filter((source) => source.cluster === cluster),
    sinceMs: now.sinceMs,
    lastHeardMs: now.lastHeardMs,
    changes,
  };
}

async function changesOf(
  context: Context,
  cluster: string,
  { fromMs, toMs }: FlowWindow,
): Promise<readonly Revision[] | undefined> {
  return context.services.history?.list({
    cluster,
    since: fromMs,
    until: toMs,
    where: seenBy(context),
    limit: mostChanges,
  });
}
