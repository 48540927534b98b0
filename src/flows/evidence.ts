import type { Sighting } from "./sighting.ts";

/** A flow as it is remembered for a while: the same within one second is one. */
export type Remembered = { readonly sighting: Sighting; readonly count: number; readonly atLeast: boolean };

/** What was seen lately, to be looked up once something happens. */
export type Evidence = {
  add(sighting: Sighting): void;
  /** What began in that time, milliseconds since the epoch, oldest arrivals first. */
  around(cluster: string, within: { readonly fromMs: number; readonly toMs: number }): readonly Remembered[];
};

/** Rough bytes of one that is remembered without its strings. */
const fixedBytes = 700;

/**
 * Remembers flows one by one, the oldest arrivals giving way: bounded by number and by bytes over all clusters, so that a
 * flood makes it shorter and never larger.
 */
export function createEvidence({ mostFlows = 20_000, mostBytes = 16 * 1_048_576 } = {}): Evidence {
  const kept = new Map<string, Remembered & { readonly bytes: number }>();
  let bytes = 0;
  const forget = (key: string): void => {
    bytes -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  const makeRoom = (): void => {
    for (const oldest of kept.keys()) {
      if (kept.size <= mostFlows && bytes <= mostBytes) return;
      forget(oldest);
    }
  };
  return {
    add(sighting) {
      const key = keyOf(sighting);
      const before = kept.get(key);
      const size = before?.bytes ?? fixedBytes + 2 * (key.length + bytesOf(sighting));
      if (size > mostBytes) return;
      if (before === undefined) bytes += size;
      kept.set(key, { ...addedTo(before, sighting), bytes: size });
      makeRoom();
    },
    around: (cluster, { fromMs, toMs }) =>
      [...kept.values()].filter(
        ({ sighting: { cluster: of, record } }) => of === cluster && record.fromMs >= fromMs && record.fromMs <= toMs,
      ),
  };
}

function addedTo(before: Remembered | undefined, sighting: Sighting): Remembered {
  const { count, atLeast } = sighting.record;
  if (before === undefined) return { sighting, count, atLeast };
  return { ...before, count: before.count + count, atLeast: before.atLeast || atLeast };
}

/** All that what is decided by it looks at, and the second. */
function keyOf({ cluster, record, fromPod, toPod, aheadMs }: Sighting): string {
  const { verdict, from, to, protocol, fromPort, toPort, direction, isReply, isNew } = record;
  const [source, target] = [fromPod?.uid ?? from.address ?? from.entity, toPod?.uid ?? to.address ?? to.entity];
  // Ports of clients differ with every connection.
  const port = fromPort === undefined || fromPort >= 32_768 ? undefined : fromPort;
  const second = Math.floor(record.fromMs / 1_000);
  const until = record.toMs === record.fromMs ? undefined : record.toMs;
  const what = [
    verdict.kind,
    protocol,
    port,
    toPort,
    direction,
    isReply,
    isNew,
    record.unit,
    Math.ceil(aheadMs / 1_000),
  ];
  return JSON.stringify([second, until, cluster, source, target, ...what]);
}

/** Strings from outside are bounded by their readers one by one; of all together this is what they take. */
function bytesOf({ record: { from, to, node, dnsQuery, id } }: Sighting): number {
  const ends = [from, to].flatMap(({ address, namespace, pod, workload, names }) => [
    address,
    namespace,
    pod,
    workload?.name,
    ...names,
  ]);
  return [...ends, node, dnsQuery, id].reduce((sum, each) => sum + (each?.length ?? 0), 0);
}
