import type { FlowKey } from "../flows/flow-key.ts";
import type { Spike, SpikeEnd } from "../flows/spike.ts";
import { formatDuration } from "../policy/duration.ts";
import { betweenWords, flowName, grouped, placeWords } from "./flow-words.ts";
import { timeWords } from "./history-lines.ts";

/** `Denied flows spike: checkout.payments → db.erp:5432`; strings in it are bounded, and an edge escapes them. */
export function spikeHeadline(spike: Pick<Spike, "kind" | "subject">): string {
  const what = headlines[spike.kind];
  return `${what}: ${subjectWords(spike)}`.slice(0, 150).toWellFormed();
}

const headlines: Readonly<Record<Spike["kind"], string>> = {
  spike: "Denied flows spike",
  new: "Newly denied",
  scan: "Denied again and again",
  expected: "Denied on purpose",
};

/** What it is about, without counts and times. */
function subjectWords({ subject }: Pick<Spike, "subject">): string {
  if (subject.kind === "pair") return betweenWords({ key: subject.key, dnsQuery: undefined }, undefined);
  if (subject.kind === "scan") return placeWords(subject.from, undefined);
  const [first, ...more] = subject.namespaces.map(flowName);
  if (first === undefined) return "the cluster";
  return more.length === 0 ? `namespace ${first}` : `namespace ${first} and ${more.length} more`;
}

/** A spike as somebody may know of it: what is usual of all of it is undefined where they may not know of all. */
export type SpikeTold = Omit<Spike, "usual"> & { readonly usual: number | undefined };

/** Since when, how much, and what is usual: whole sentences. */
export function spikeSentences(spike: SpikeTold): readonly string[] {
  const { kind, perMinute, usual, atLeast, pairCount, sinceMs, operation } = spike;
  const least = atLeast ? "at least " : "";
  const rate = `${least}${grouped(Math.round(perMinute))} a minute`;
  const since = `Since ${timeWords(sinceMs)}`;
  if (kind === "scan") {
    return [
      `${since} it was denied to ${grouped(pairCount)} places or more that it never tried before, ${rate}.`,
      "That is a scan, or a workload whose every way is closed and whose policy's change Bulkhead did not see.",
    ];
  }
  if (operation !== undefined) {
    const what = `That is expected: ${operation} is in force and cuts it off. Nobody is paged of it.`;
    return [`${since} ${rate} are denied.`, what, `To end it: /np release ${operation}`];
  }
  const known = usual === undefined ? "" : ` Usual at this time: ${usualWords(usual)}.`;
  const than = kind === "new" ? " Before, that was hardly ever denied." : known;
  const pairs = pairCount > 1 ? [`${grouped(pairCount)} pairs are part of it.`] : [];
  return [`${since} ${rate} are denied.${than}`, ...pairs];
}

/** What denies it: the policies that the source names, else the end whose policies do: `rule db/deny-web`, `no-rule postgres.db ingress`. */
export function denyingWords({ policies, reason = "unsaid", direction, from, to }: FlowKey): string {
  if (policies.length === 0) {
    return [reason, placeWords(direction === "egress" ? from : to, undefined), direction].join(" ").trimEnd();
  }
  const named = policies.map(({ namespace, name }) =>
    flowName(namespace === undefined ? name : `${namespace}/${name}`),
  );
  return `${reason} ${named.join(", ")}`;
}

/** When it ended, and how long it lasted. */
export function endSentence(spike: Spike, end: Omit<SpikeEnd, "spike">): string {
  const lasted = formatDuration(Math.max(60_000, end.sinceMs - spike.sinceMs));
  if (end.why === "lifted") {
    return `${spike.operation ?? "It"} is lifted since ${timeWords(end.sinceMs)}: what is denied from then on is told as anything else.`;
  }
  if (end.why === "quiet") return `Quiet again since ${timeWords(end.sinceMs)}, after ${lasted}.`;
  return `It went on for ${lasted}, and counts as usual from now on. It is NOT over.`;
}

function usualWords(usual: number): string {
  return usual < 1 ? "less than one a minute" : `about ${grouped(Math.round(usual))} a minute`;
}
