import fc from "fast-check";
import { expect, test } from "vitest";
import { addLoss, addTo, type Bucket, createBucket, entriesOf, lossesOf } from "../../src/flows/bucket.ts";
import { packBucket, unpackBucket } from "../../src/flows/bucket-text.ts";
import type { Tally } from "../../src/flows/ledger.ts";
import { createView } from "../../src/flows/view.ts";
import { aKey, aTally } from "../contract/flow-ledger.ts";
import { noon } from "./flow.ts";

const minuteMs = 60_000;
const query = { cluster: "kind", fromMs: noon, toMs: noon + 5 * minuteMs };

/** Keys that partly agree, of a pair that is scanned and of others. */
const tally: fc.Arbitrary<Tally> = fc
  .record({
    to: fc.constantFrom("db", "cache"),
    port: fc.option(fc.oneof(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 40_000, max: 40_010 })), {
      nil: undefined,
    }),
    reply: fc.boolean(),
    count: fc.integer({ min: 1, max: 100 }),
    atMs: fc.integer({ min: noon, max: query.toMs - 1 }),
    dnsQuery: fc.option(fc.constantFrom("a.example", "b.example"), { nil: undefined }),
  })
  .map(({ to, port, reply, count, atMs, dnsQuery }) => {
    const place = { kind: "workload", namespace: "shop", of: "Deployment", name: to } as const;
    const key = aKey({ to: place, port, class: reply ? "reply" : "denied" });
    return aTally(atMs, { key, count, dnsQuery });
  });

/** Buckets by replica and minute, as they would be written. */
function bucketsOf(parts: readonly (readonly Tally[])[]) {
  return parts.flatMap((part) => {
    const minutes = new Map<number, Bucket>();
    for (const one of part) {
      const bucket = minutes.get(one.minuteMs) ?? createBucket(4_096);
      minutes.set(one.minuteMs, bucket);
      addTo(bucket, one);
      addLoss(bucket, "source", one.count);
    }
    return [...minutes].map(([startMs, bucket]) => ({ startMs, bucket }));
  });
}

function viewOf(buckets: readonly { readonly startMs: number; readonly bucket: Bucket }[]) {
  const view = createView(query, minuteMs);
  for (const { startMs, bucket } of buckets)
    view.add({ startMs, entries: entriesOf(bucket), losses: lossesOf(bucket) });
  return view.view({ sinceMs: undefined, lastHeardMs: undefined });
}

test("What is read is the same however it was divided among replicas, and in whatever order they are read", () => {
  const divided = fc.array(fc.tuple(tally, fc.integer({ min: 0, max: 2 })), { maxLength: 150 });
  fc.assert(
    fc.property(divided, (all) => {
      const whole = viewOf(bucketsOf([all.map(([one]) => one)]));
      const parts = [0, 1, 2].map((part) => all.filter(([, of]) => of === part).map(([one]) => one));
      const buckets = bucketsOf(parts);
      expect(viewOf(buckets)).toEqual(whole);
      expect(viewOf(buckets.toReversed())).toEqual(whole);
      const total = all.reduce((sum, [{ count }]) => sum + count, 0);
      expect(whole.series.reduce((sum, { count }) => sum + count, 0)).toBe(total);
      for (const { steps, count } of whole.series) expect(steps.reduce((sum, one) => sum + one, 0)).toBe(count);
    }),
    { numRuns: 500 },
  );
});

test("A bucket is read as it was packed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(tally, { maxLength: 60 }), async (all) => {
      const buckets = bucketsOf([all]);
      const read = await Promise.all(
        buckets.map(async ({ startMs, bucket }) => {
          const unpacked = await unpackBucket(await packBucket(bucket), 4_096);
          if (unpacked === undefined) throw new Error("not read");
          return { startMs, bucket: unpacked };
        }),
      );
      expect(viewOf(read)).toEqual(viewOf(buckets));
    }),
  );
});
