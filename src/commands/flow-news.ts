import { muteId } from "../flows/mutes.ts";
import { betweenLooks } from "../flows/watch-times.ts";
import type { FlowWatch } from "../flows/watches.ts";
import type { ClusterFlows, GatheredFlows } from "./flow-gather.ts";
import type { ComparedLine } from "./flow-lines.ts";
import { betweenWords } from "./flow-words.ts";

/** What a look found: what was not told in the channel, in words, and all that is told there once it was posted. */
export type FlowNews = { readonly fresh: readonly string[]; readonly told: FlowWatch["told"] };

/** What comes back after so long is news again, milliseconds. */
const forgottenMs = 24 * 3_600_000;
/** So many are remembered, those that were seen last. */
const mostTold = 1_000;
/** On a quiet cluster nothing is denied for minutes. */
const silentMs = 3_600_000;

/** Compares what is denied, and what is not known, with what was told. What is muted is no news. */
export function newsOf(
  watch: FlowWatch,
  { scope, clusters }: GatheredFlows,
  { muted, nowMs }: { readonly muted: ReadonlySet<string>; readonly nowMs: number },
): FlowNews {
  const keptMs = Math.max(forgottenMs, 2 * betweenLooks(watch.schedule));
  const told = new Map(watch.told.filter(([, lastMs]) => lastMs > nowMs - keptMs));
  const fresh: string[] = [];
  const see = (what: string, lastMs: number, words: string): void => {
    if (!told.has(what)) fresh.push(words);
    told.set(what, Math.max(lastMs, told.get(what) ?? 0));
  };
  for (const flows of clusters.filter((one) => isSilent(one, nowMs))) {
    see(`silent ${flows.cluster}`, nowMs, `what is denied in cluster ${flows.cluster} is not known`);
  }
  for (const line of clusters.flatMap(({ lines }) => lines).filter(isListed)) {
    if (!muted.has(muteId(line.of))) see(identityOf(line), line.lastMs, betweenWords(line, scope.namespace));
  }
  return { fresh, told: [...told].toSorted(([, a], [, b]) => b - a).slice(0, mostTold) };
}

function isListed({ key }: ComparedLine): boolean {
  return key.class === "denied" || key.class === "audited";
}

/** Between whom and on which port, as the person may know it: another reason or side of the same is no news. */
function identityOf({ key }: ComparedLine): string {
  return `${key.class === "audited" ? "audited " : ""}${muteId(key)}`;
}

function isSilent({ sources, lastHeardMs }: ClusterFlows, nowMs: number): boolean {
  const isFailing = sources.some(({ state }) => state === "failing");
  return isFailing || lastHeardMs === undefined || lastHeardMs < nowMs - silentMs;
}
