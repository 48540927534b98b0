import { setTimeout as wait } from "node:timers/promises";
import type { FlowFile } from "./commands/flow-file.ts";
import { windowBetween } from "./commands/flow-window.ts";
import { entriesOf } from "./flows/envelope.ts";
import { createFlowReader } from "./flows/formats.ts";
import { createMemoryLedger } from "./flows/memory-ledger.ts";
import { createPodAddresses } from "./flows/pod-addresses.ts";
import type { FlowItem } from "./flows/record.ts";
import { createSettled } from "./flows/settled.ts";
import type { Sighting } from "./flows/sighting.ts";
import { createSink, type FlowSink } from "./flows/sink.ts";

/** A file tells of one cluster, and does not say of which. */
const cluster = "file";

/** Counts what the bodies of a file tell, as a source's flows are counted. */
export async function countFile(name: string, bodies: AsyncIterable<string>, now: () => number): Promise<FlowFile> {
  const seen = { firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY, counted: 0, forwarded: 0 };
  const onSighting = ({ key, record }: Sighting): void => {
    seen.firstMs = Math.min(seen.firstMs, record.fromMs);
    seen.lastMs = Math.max(seen.lastMs, record.toMs);
    if (key === undefined) seen.forwarded += record.count;
    else seen.counted += record.count;
  };
  const ledger = createMemoryLedger();
  const known = { addresses: createPodAddresses(), settled: createSettled() };
  const often = { writeEveryMs: 20, oldestMs: Number.POSITIVE_INFINITY };
  const sink = createSink({ ledger, replica: "file", ...known, ...often, now, onSighting });
  const others = createOthers();
  for await (const items of itemsOf(bodies, now)) {
    for (const item of items) others.take(item);
    await put(
      sink,
      items.filter(({ kind }) => kind === "flow"),
    );
  }
  await sink.stop();
  const window = seen.firstMs <= seen.lastMs ? windowBetween(seen.firstMs, seen.lastMs) : undefined;
  const series = window === undefined ? [] : (await ledger.read({ cluster, ...window })).series;
  const kept = series.reduce((sum, { count }) => sum + count, 0);
  return { name, window, series, forwarded: seen.forwarded, left: seen.counted - kept, ...others.told() };
}

async function* itemsOf(bodies: AsyncIterable<string>, now: () => number): AsyncGenerator<readonly FlowItem[]> {
  const reader = createFlowReader();
  for await (const body of bodies) {
    const items: FlowItem[] = [];
    for (const { entry, carried } of entriesOf(body)) {
      for (const item of reader.read(entry, { atMs: now(), ...carried })) items.push(item);
    }
    yield items;
  }
  yield reader.end();
}

/** What waits to be counted is bounded: it is counted away every 20 ms. */
async function put(sink: FlowSink, items: readonly FlowItem[]): Promise<void> {
  while (!sink.take(cluster, items)) await wait(20);
}

/** So many different reasons are told apart. */
const mostReasons = 50;

/** What is no flow. */
function createOthers() {
  const unreadable = new Map<string, number>();
  const unsupported = new Map<string, { count: number; advice: string }>();
  let lost = 0;
  return {
    take(item: FlowItem): void {
      if (item.kind === "lost") lost += item.count;
      if (item.kind === "unreadable") {
        const why = unreadable.has(item.why) || unreadable.size < mostReasons ? item.why : "other reasons";
        unreadable.set(why, (unreadable.get(why) ?? 0) + 1);
      }
      if (item.kind === "unsupported") {
        const { count } = unsupported.get(item.what) ?? { count: 0 };
        if (count > 0 || unsupported.size < mostReasons) {
          unsupported.set(item.what, { count: count + 1, advice: item.advice });
        }
      }
    },
    told: () => ({ lost, unreadable, unsupported }),
  };
}
