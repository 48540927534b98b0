import type { DeniedPicture, DeniedSeries, PictureMark } from "../../src/pictures/picture.ts";

const minuteMs = 60_000;

/**
 * The picture that an alternative text tells of, by the minute, each line with its peak alone: what is written in it stands where it
 * stands in the picture that was drawn, but for numbers on lines. Throws where the text is none, or leaves something out.
 */
export function pictureTold(altText: string): DeniedPicture {
  const found = /^Line chart: (.+), (\d+ \w+ \S+) to (.+) UTC\. Most: (.+?)\.(?: Also: (.+?)\.)? Marked: (.+)\.$/.exec(
    altText,
  );
  if (found === null) throw new Error(`no such text: ${altText}`);
  const [, title = "", from = "", to = "", most = "", others, marked = ""] = found;
  const fromMs = instant(from, from);
  const toMs = instant(to, from);
  const told = [most, ...(others?.split("; ") ?? [])].map((one) => lineTold(one, { from, fromMs, toMs }));
  const marks = marked.split("; ").map((one) => markTold(one, from));
  return {
    title,
    unit: told[0]?.unit ?? "",
    fromMs,
    toMs,
    stepMs: minuteMs,
    series: told.map(({ line }) => line),
    marks,
  };
}

type Told = { readonly from: string; readonly fromMs: number; readonly toMs: number };

function lineTold(text: string, { from, fromMs, toMs }: Told): { readonly line: DeniedSeries; readonly unit: string } {
  const found = /^(.+), peak of (at least )?([\d ]+) (\w+) per minute at (.+)$/.exec(text);
  if (found === null) throw new Error(`no such line: ${text}`);
  const [, label = "", least, count = "", unit = "", at = ""] = found;
  const peakAt = (instant(at, from) - fromMs) / minuteMs;
  const counts = Array.from({ length: (toMs - fromMs) / minuteMs }, (_, minute) =>
    minute === peakAt ? Number(count.replaceAll(" ", "")) : 0,
  );
  return { line: { label, counts, atLeast: least !== undefined }, unit };
}

function markTold(text: string, from: string): PictureMark {
  const found =
    /^(policy change|operation|spike) at ((?:\d+ \w+ )?\d\d:\d\d)(?: \((.+?)(?: by (.+?))?(?:, ([a-z]-\w+))?\))?$/.exec(
      text,
    );
  if (found === null) throw new Error(`no such mark: ${text}`);
  const [, kind, at = "", what = "", who = "", id = ""] = found;
  const kinds = { "policy change": "policy-change", operation: "operation", spike: "spike" } as const;
  return { atMs: instant(at, from), kind: kinds[kind as keyof typeof kinds], what, who, id };
}

/** `14:02` of the day of `from`, or `22 Nov 14:02`; of which year no text says. */
function instant(words: string, from: string): number {
  const [, day, time] = /^(\d+ \w+ )?(\d\d:\d\d)$/.exec(words) ?? [];
  return Date.parse(`${day ?? from.replace(/\S+$/, "")} 2026 ${time} UTC`);
}
