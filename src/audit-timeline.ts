import { createPicker } from "./commands/incident-entries.ts";
import { type Timeline, timelineOf } from "./commands/timeline.ts";
import { timelineCsv } from "./commands/timeline-csv.ts";
import { timelineMarkdown } from "./commands/timeline-markdown.ts";

/** Which incident, in which format, from the copies in which file (undefined: from the chain in Redis). */
export type TimelineWanted = {
  readonly incident: string;
  readonly output: TimelineFormat;
  readonly from: string | undefined;
};

export type TimelineFormat = "markdown" | "json" | "csv";

type Source = {
  /** The chain from its beginning, unjudged. */
  readonly entries: AsyncIterable<unknown>;
  /** Judges the chain; it may stop reading at the first entry that is broken. */
  readonly verify: (entries: AsyncIterable<unknown>) => Promise<{ readonly ok: boolean; readonly line: string }>;
};

/**
 * The timeline of an incident, out of one walk through the chain that also verifies it. A chain that is broken is exported
 * all the same, and the document says so; `ok` is then false. Nothing is written where no entry belongs to the incident.
 */
export async function exportTimeline(
  { incident, output }: TimelineWanted,
  { entries, verify }: Source,
  { now, write }: { readonly now: () => number; readonly write: (lines: string) => void },
): Promise<{ readonly ok: boolean; readonly line: string }> {
  const picker = createPicker(incident);
  const walk = watched(entries, (entry) => picker.take(entry));
  const verified = await verify(walk);
  for await (const _ of walk);
  const picked = picker.picked();
  if (picked.length === 0)
    return { ok: false, line: `No entry of the audit belongs to incident ${incident}. ${verified.line}` };
  const about = { incident, exportedAt: new Date(now()).toISOString(), chain: verified.line };
  write(formats[output](timelineOf(picked, about)).replace(/\r?\n$/, ""));
  return { ok: verified.ok, line: `${picked.length} entries of incident ${incident} exported. ${verified.line}` };
}

const formats: Record<TimelineFormat, (timeline: Timeline) => string> = {
  markdown: timelineMarkdown,
  json: (timeline) => `${JSON.stringify(timeline, null, 2)}\n`,
  csv: timelineCsv,
};

/** The same values once, shown to `take`; whoever stops reading leaves the rest to the next reader. */
function watched(values: AsyncIterable<unknown>, take: (value: unknown) => void): AsyncIterable<unknown> {
  const iterator = values[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<unknown>> => {
    const result = await iterator.next();
    if (result.done !== true) take(result.value);
    return result;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
