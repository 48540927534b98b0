import type { Place } from "../flows/place.ts";
import { namespacesOf } from "../flows/spike.ts";
import type { StoredSpike } from "../flows/spike-store.ts";
import { placeWords } from "./flow-words.ts";
import { endSentence, spikeHeadline, spikeSentences } from "./spike-words.ts";

/** An alert as Alertmanager's API v2 takes it. What bears the same labels is the same alert, whoever sends it. */
export type Alert = {
  /** Nothing of one occurrence or one replica: no ids, no times, no counts. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. It is over by itself at its end, and is sent again before that while it lasts. */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
};

/** Three sendings may fail before it is over by itself. */
const lastsMs = 5 * 60_000;

/** In a checkout of this version, wherever it lies. */
const procedure = "runbooks/procedures/denied-spike.md";

/** A spike as an alert: while it goes on, and once it is over. `runbookUrl`: the page of its procedure, where one is known. */
export function spikeAlert({ spike, end }: StoredSpike, runbookUrl: string | undefined, nowMs: number): Alert {
  const { subject, cluster, kind } = spike;
  const [from, to] =
    subject.kind === "pair" ? [subject.key.from, subject.key.to] : [subject.kind === "scan" ? subject.from : undefined];
  return {
    labels: {
      alertname: "BulkheadDeniedSpike",
      cluster,
      namespace: namespaceOf(spike),
      from: wordsOf(from),
      to: wordsOf(to),
      kind,
      severity: kind === "scan" ? "info" : "warning",
    },
    annotations: {
      summary: spikeHeadline(spike),
      description: [
        ...spikeSentences(spike),
        ...followsSentence(spike),
        ...(end ? [endSentence(spike, end)] : []),
      ].join(" "),
      procedure,
      ...(runbookUrl !== undefined && { runbook_url: runbookUrl }),
    },
    startsAtMs: spike.sinceMs,
    endsAtMs: end === undefined ? nowMs + lastsMs : end.sinceMs,
  };
}

/** Of what it is about: what joins it later adds namespaces, and with another label it would be paged again. */
function namespaceOf({ subject }: StoredSpike["spike"]): string {
  if (subject.kind === "scan") return subject.from.kind === "workload" ? subject.from.namespace : "";
  const [first = ""] = subject.kind === "namespaces" ? subject.namespaces : namespacesOf(subject.key).toSorted();
  return first;
}

function wordsOf(place: Place | undefined): string {
  return place === undefined ? "" : placeWords(place, undefined);
}

function followsSentence({ follows: [change] }: StoredSpike["spike"]): readonly string[] {
  return change === undefined ? [] : [`It follows the policy change ${change.id}: /np diff ${change.id}.`];
}
