import { type FlowKey, textOf } from "./flow-key.ts";
import type { Loss, Tally } from "./ledger.ts";
import { type Counter, createSpaceSaving, type SpaceSaving } from "./space-saving.ts";

/** What was counted of one key in one bucket. */
export type Entry = Counter & {
  readonly key: FlowKey;
  readonly unit: Tally["unit"];
  atLeast: boolean;
  firstMs: number;
  lastMs: number;
  dnsQuery: string | undefined;
};

/** All that was counted of a cluster in some time, within a bound. What is listed and what is only told in total have room apart. */
export type Bucket = {
  readonly listed: SpaceSaving<Entry>;
  readonly others: SpaceSaving<Entry>;
  readonly losses: Map<Loss["kind"], number>;
};

/** Room for `most` keys that are listed, and a quarter of that for the others. */
export function createBucket(most: number): Bucket {
  return {
    listed: createSpaceSaving(most),
    others: createSpaceSaving(Math.max(1, most >> 2)),
    losses: new Map(),
  };
}

/** What is added to an entry; a tally is one. */
export type Addition = Omit<Tally, "minuteMs">;

/** `text`: of the key and the unit, where it is known already (entryText). */
export function addTo(bucket: Bucket, addition: Addition, text = entryText(addition)): void {
  const { key, count, error = 0, firstMs, lastMs, atLeast, dnsQuery } = addition;
  const sketch = key.class === "denied" || key.class === "audited" ? bucket.listed : bucket.others;
  const entry = sketch.add(text, count, () => entryOf(addition, text));
  entry.error += error;
  entry.atLeast ||= atLeast;
  if (firstMs < entry.firstMs) entry.firstMs = firstMs;
  if (lastMs > entry.lastMs) entry.lastMs = lastMs;
  entry.dnsQuery = oneName(entry.dnsQuery, dnsQuery);
}

/**
 * Of the names that were asked for, the one to tell as an example: the one that sorts first, so that it is the same
 * however the counts were divided among replicas, and whoever is read first.
 */
export function oneName(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

export function addLoss({ losses }: Bucket, kind: Loss["kind"], count: number): void {
  losses.set(kind, (losses.get(kind) ?? 0) + count);
}

/** Packets and connections are not counted together. */
function entryText({ key, unit }: Pick<Addition, "key" | "unit">): string {
  return `${textOf(key)}\t${unit}`;
}

/** Everything that the bucket holds; what it could not keep apart is among the losses. */
export function entriesOf({ listed, others }: Bucket): readonly Entry[] {
  return [...listed.entries, ...others.entries];
}

export function sizeOf({ listed, others }: Bucket): number {
  return listed.entries.length + others.entries.length;
}

export function lossesOf({ listed, others, losses }: Bucket): ReadonlyMap<Loss["kind"], number> {
  const evicted = (losses.get("evicted") ?? 0) + listed.evicted() + others.evicted();
  return evicted === 0 ? losses : new Map([...losses, ["evicted", evicted]]);
}

function entryOf({ key, unit, atLeast, firstMs, lastMs, dnsQuery }: Addition, text: string): Entry {
  return { text, key, unit, count: 0, error: 0, atLeast, firstMs, lastMs, dnsQuery };
}
