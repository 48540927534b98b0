import type { StoredSpike } from "../flows/spike-store.ts";
import { formatDuration } from "../policy/duration.ts";
import { manifestName } from "../policy/manifest.ts";
import { type Revision, referenceOf } from "../policy/revision.ts";
import { ownerOperation } from "../policy/undo-candidates.ts";
import { note, text } from "./answers.ts";
import { createClosedBy, judgeOf } from "./flow-judge.ts";
import { explainText } from "./flow-press.ts";
import type { FlowServices } from "./flow-services.ts";
import { shelve } from "./flow-shelf.ts";
import { asSeen, isWhollySeen, type Sees } from "./flow-sight.ts";
import { betweenWords, grouped } from "./flow-words.ts";
import { whoWords } from "./history-lines.ts";
import type { Reply, RowButton, Section } from "./reply.ts";
import type { Services } from "./services.ts";
import { endSentence, type SpikeTold, spikeHeadline, spikeSentences } from "./spike-words.ts";

/** Who reads the card: what a channel owns, it may know. */
export type SpikeReaders = { readonly services: Services; readonly flows: FlowServices; readonly sees: Sees };

/**
 * A spike as its card: how much, since when, which change it follows, and who is denied, with buttons. Throws where what the
 * buttons are about cannot be kept.
 */
export async function spikeCard(stored: StoredSpike, readers: SpikeReaders): Promise<Reply> {
  const { spike, end } = stored;
  const shown = { ...spike, subject: subjectSeen(stored, readers.sees) };
  const change = end === undefined && spike.operation === undefined ? await changeSection(stored, readers) : [];
  const pairs = await Promise.all(spike.pairs.map((pair) => pairSection(pair, end === undefined, readers)));
  const headline = end?.why === "quiet" ? `Quiet again: ${spikeHeadline(shown)}` : spikeHeadline(shown);
  return {
    ...note(headline.slice(0, 150).toWellFormed(), [
      text(
        [...spikeSentences(toldOf(spike, readers.sees)), ...(end === undefined ? [] : [endSentence(spike, end)])].join(
          " ",
        ),
      ),
      ...change,
      ...pairs.flat(),
    ]),
    shape: "card",
    tone: toneOf(stored),
    footer: [spike.id, `cluster ${spike.cluster}`],
  };
}

function toneOf({ spike: { operation }, end }: StoredSpike): Reply["tone"] {
  if (operation !== undefined) return "neutral";
  return end?.why === "quiet" ? "good" : "bad";
}

/** One that goes on, in few lines: how much, the change that it follows, and the pair with the most, with the card's buttons. */
export async function spikeLines(stored: StoredSpike, readers: SpikeReaders): Promise<readonly Section[]> {
  const { spike } = stored;
  const shown = { ...spike, subject: subjectSeen(stored, readers.sees) };
  const told = spike.pairs.find(({ key }) => asSeen(key, readers.sees) !== undefined);
  const [change, pair] = await Promise.all([
    changeSection(stored, readers),
    told === undefined ? [] : pairSection(told, true, readers),
  ]);
  return [
    text(`${spikeHeadline(shown)}. ${spikeSentences(toldOf(spike, readers.sees)).join(" ")}`),
    ...change,
    ...pair,
  ];
}

/** Of what lies elsewhere as well, the pairs alone that the reader may know of: they are part of no total either. */
function toldOf(spike: StoredSpike["spike"], sees: Sees): SpikeTold {
  if (spike.subject.kind !== "namespaces" || spike.namespaces.every(sees)) return spike;
  const seen = spike.pairs.filter(({ key }) => asSeen(key, sees) !== undefined);
  const perMinute = seen.reduce((sum, { count }) => sum + count, 0);
  return { ...spike, perMinute, pairCount: seen.length, atLeast: true, usual: undefined };
}

function subjectSeen({ spike }: StoredSpike, sees: Sees): StoredSpike["spike"]["subject"] {
  const { subject } = spike;
  if (subject.kind === "namespaces") return { ...subject, namespaces: subject.namespaces.filter(sees) };
  const [key] = subject.kind === "pair" ? [subject.key] : spike.pairs.map((pair) => pair.key);
  const seen = key && asSeen(key, sees);
  if (seen === undefined) return { kind: "namespaces", namespaces: spike.namespaces.filter(sees) };
  return subject.kind === "pair" ? { kind: "pair", key: seen } : { kind: "scan", from: seen.from };
}

async function pairSection(
  { key, count, atLeast }: StoredSpike["spike"]["pairs"][number],
  isOpen: boolean,
  { flows, sees }: SpikeReaders,
): Promise<readonly Section[]> {
  const seen = asSeen(key, sees);
  if (seen === undefined) return [];
  const words = `${betweenWords({ key: seen, dnsQuery: undefined }, undefined)}  ${atLeast ? "at least " : ""}${grouped(count)} a minute`;
  if (!isOpen || !isWhollySeen(key, sees)) return [text(words)];
  const explain: readonly RowButton[] =
    explainText(key) === undefined ? [] : [{ action: "flow-explain", label: "Explain" }];
  const buttons = [...explain, { action: "flow-mute" as const, label: "Mute" }];
  return [{ kind: "row", text: words, subject: await shelve(flows, key), buttons }];
}

/** Surely where the simulator says that before this change one of the pairs was allowed; else it only came before. */
async function changeSection({ spike }: StoredSpike, { services, sees }: SpikeReaders): Promise<readonly Section[]> {
  const found = await Promise.all(spike.follows.map(async ({ id }) => (await services.history?.find(id)) ?? []));
  const revisions = found.flat().filter((one) => sees(one.namespace ?? ""));
  const [latest] = revisions;
  if (latest === undefined) return [];
  const cause = await causeAmong(services, spike, revisions);
  const revision = cause ?? latest;
  const before = formatDuration(Math.max(1_000, spike.sinceMs - revision.at));
  const what = `${revision.id}: ${manifestName(referenceOf(revision))} was ${revision.change} by ${whoWords(revision)}`;
  const when = revision.at > spike.sinceMs ? "in the minute in which it began" : `${before} before it began`;
  const how =
    cause === undefined ? "It follows a change, which need not be its cause:" : "A change closed what is denied:";
  // What an operation of ours wrote is undone by ending or undoing that: by its revision that is refused.
  const ours = ownerOperation(revision);
  const isOpen = revision.undoneBy === undefined && ours === undefined;
  const buttons: readonly RowButton[] = [
    ...(isOpen ? [{ action: "roll-back" as const, label: "Roll back" }] : []),
    { action: "show-diff", label: "Show diff" },
  ];
  const whose =
    ours === undefined ? "" : ` It is of ${ours}: ${ours.startsWith("a-") ? "/np allow" : `/np rollback ${ours}`}`;
  return [{ kind: "row", text: `${how} ${what}, ${when}.${whose}`, subject: revision.id, buttons }];
}

async function causeAmong(
  services: Services,
  spike: StoredSpike["spike"],
  revisions: readonly Revision[],
): Promise<Revision | undefined> {
  const keys = spike.pairs.map(({ key }) => key);
  const judge = await judgeOf(services, spike.cluster, keys);
  if ("why" in judge) return undefined;
  const closedBy = createClosedBy(judge.simulator, revisions, () => services.now());
  for (const key of keys) {
    const closed = closedBy(key);
    if (closed !== undefined) return closed;
  }
  return undefined;
}
