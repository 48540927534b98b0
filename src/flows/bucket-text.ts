import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { addLoss, addTo, type Bucket, createBucket, type Entry, entriesOf, lossesOf } from "./bucket.ts";
import { type FlowKey, keyOfText } from "./flow-key.ts";
import type { Loss } from "./ledger.ts";
import type { FlowUnit } from "./record.ts";
import type { CountedEntry, Timed } from "./view.ts";

const version = 1;

/**
 * As a bucket is stored: a line of JSON with the version and the losses, then a line for each entry, highest first, deflated. An
 * entry takes 20 to 30 bytes so, since keys are alike.
 */
export async function packBucket(bucket: Bucket): Promise<Buffer> {
  const head = JSON.stringify({ v: version, losses: [...lossesOf(bucket)] });
  const entries = entriesOf(bucket).toSorted((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1));
  return promisify(deflateRaw)([head, ...entries.map(lineOf)].join("\n"), { level: 1 });
}

/** What packBucket made, line by line; undefined where it is nothing that this release can read. */
export async function readPacked(packed: Buffer): Promise<Omit<Timed, "startMs"> | undefined> {
  try {
    const [head = "", ...lines] = (await promisify(inflateRaw)(packed)).toString("utf8").split("\n");
    const { v, losses } = JSON.parse(head) as { v: number; losses: [Loss["kind"], number][] };
    return v === version ? { losses, entries: lines.map(entryOfLine) } : undefined;
  } catch {
    return undefined;
  }
}

/** The same as a bucket again, with room for `most`. */
export async function unpackBucket(packed: Buffer, most: number, keyOf = keyOfText): Promise<Bucket | undefined> {
  const read = await readPacked(packed);
  if (read === undefined) return undefined;
  const bucket = createBucket(most);
  for (const [kind, count] of read.losses) addLoss(bucket, kind, count);
  for (const entry of read.entries) {
    const [text = "", unit = ""] = entry.text.split("\t");
    const key = keyOf(text);
    if (key !== undefined) addTo(bucket, { ...entry, key, unit: unit as FlowUnit }, entry.text);
  }
  return bucket;
}

/** Reads the keys of many buckets, which are mostly the same ones; remembers so many of them. */
export function createKeyReader(most = 20_000): (text: string) => FlowKey | undefined {
  const known = new Map<string, FlowKey>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const key = keyOfText(text);
    if (known.size >= most) known.clear();
    if (key !== undefined) known.set(text, key);
    return key;
  };
}

/** JSON has neither tabs nor line breaks of its own, and writes those of strings otherwise. */
function lineOf({ text, count, error, atLeast, firstMs, lastMs, dnsQuery }: Entry): string {
  const fields = [text, count, error, atLeast ? 1 : 0, firstMs.toString(36), (lastMs - firstMs).toString(36)];
  return (dnsQuery === undefined ? fields : [...fields, JSON.stringify(dnsQuery)]).join("\t");
}

function entryOfLine(line: string): CountedEntry {
  const [text, unit, count, error, atLeast, first = "", last = "", dnsQuery] = line.split("\t");
  const firstMs = Number.parseInt(first, 36);
  return {
    text: `${text}\t${unit}`,
    count: Number(count),
    error: Number(error),
    atLeast: atLeast === "1",
    firstMs,
    lastMs: firstMs + Number.parseInt(last, 36),
    dnsQuery: dnsQuery === undefined ? undefined : (JSON.parse(dnsQuery) as string),
  };
}
