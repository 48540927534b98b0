import type { FlowSourceState } from "../flows/flow-source.ts";
import type { Loss } from "../flows/ledger.ts";
import { formatDuration } from "../policy/duration.ts";
import type { ClusterFlows } from "./flow-gather.ts";
import { clockWords } from "./flow-window.ts";
import { flowName, grouped } from "./flow-words.ts";

type Heard = Pick<ClusterFlows, "cluster" | "sources" | "lastHeardMs" | "losses" | "window">;

/** So long a source may be silent before that is said: on a quiet cluster nothing is denied for minutes. */
const quietMs = 10 * 60_000;

/**
 * What is not known of the time, a sentence each: sources that fail, that were never heard or not for long, and what was lost.
 * Silence is unknown: that nothing was told is never told as that nothing was denied.
 */
export function silenceLines(heard: Heard, nowMs: number): readonly string[] {
  const { sources } = heard;
  const failing = sources.flatMap((source) => sourceLine(source));
  return [...failing, ...quietLine(heard, nowMs), ...lossLines(heard.losses)];
}

/** Whether it is not known what was denied in all of the time. */
export function isUnheard({ lastHeardMs, window }: Heard): boolean {
  return lastHeardMs === undefined || lastHeardMs < window.fromMs;
}

function sourceLine({ name, state, why, lastFlowMs }: FlowSourceState): readonly string[] {
  if (state === "failing") {
    return [`Source ${name} fails: ${flowName(why ?? "nobody knows why")}. What it would have told is not known.`];
  }
  if (state === "connected" && why !== undefined) {
    return [`Source ${name} tells not all: ${flowName(why)}. What it leaves out is not known.`];
  }
  if (state !== "connecting") return [];
  return [
    `Source ${name} is not connected yet${lastFlowMs === undefined ? "" : " again"}: what it would tell is not known.`,
  ];
}

function quietLine({ cluster, sources, lastHeardMs, window }: Heard, nowMs: number): readonly string[] {
  if (lastHeardMs === undefined) {
    return sources.length === 0
      ? [
          `No flow source has ever told anything of cluster ${cluster}, so what is denied there is not known. Name one under flows in the configuration, or let one push: see What is denied in the README.`,
        ]
      : [
          `No source of cluster ${cluster} has told anything yet, so what is denied there is not known. It may be that nothing was denied, or that the source does not tell what is.`,
        ];
  }
  const silent = nowMs - lastHeardMs;
  if (silent < quietMs || lastHeardMs >= window.toMs) return [];
  return [
    `The sources of cluster ${cluster} have told nothing for ${formatDuration(silent)}, since ${clockWords(lastHeardMs, nowMs)}: whether anything was denied since then is not known.`,
  ];
}

function lossLines(losses: readonly Loss[]): readonly string[] {
  const lost = sumOf(losses, "source");
  const late = sumOf(losses, "late");
  const unreadable = sumOf(losses, "unreadable");
  const evicted = sumOf(losses, "evicted");
  return [
    ...(lost === 0 ? [] : [`The source lost ${grouped(lost)} ${lost === 1 ? "event" : "events"}: counts are too low.`]),
    ...(late === 0 ? [] : [`${grouped(late)} came hours after they were seen, and are not counted.`]),
    ...(unreadable === 0
      ? []
      : [`${grouped(unreadable)} ${unreadable === 1 ? "line" : "lines"} could not be read: counts are too low.`]),
    ...(evicted === 0
      ? []
      : [`${grouped(evicted)} were counted without saying between whom: there were too many kinds of them at once.`]),
  ];
}

function sumOf(losses: readonly Loss[], kind: Loss["kind"]): number {
  return losses.reduce((sum, loss) => sum + (loss.kind === kind ? loss.count : 0), 0);
}
