import type { FlowKey } from "../../src/flows/flow-key.ts";
import type { Place } from "../../src/flows/place.ts";
import { type Counted, type CountedMinute, nothingCut, type PolicyChangeAt } from "../../src/flows/spike.ts";
import { createRandom, type Random } from "./random.ts";

/**
 * Something that was put into the day on purpose. `told`: it should be; `perhaps`: it is shorter than what is promised (README
 * of flows). Ends are minutes, the first that is no part of it.
 */
export type Planted = {
  readonly name: string;
  readonly told: boolean | "perhaps";
  readonly fromMs: number;
  readonly toMs: number;
  readonly namespaces: readonly string[];
  readonly change?: string;
};

/**
 * Two days of a cluster's denied flows, of which the second is judged: a few hundred pairs with a daily rhythm, noise,
 * crons and short storms of retries; on the second day five spikes, three that are shorter, a slow drift, and a scanner; in
 * both nights a job.
 * Seeds make days; figures are made up after what facts: denied-flows §8 tells of clusters.
 */
export type RecordedDay = {
  readonly judgedFromMs: number;
  readonly planted: readonly Planted[];
  readonly minutes: () => Generator<CountedMinute>;
};

const minuteMs = 60_000;
const dayMinutes = 24 * 60;
const startMs = Date.UTC(2026, 0, 5);
const namespaces = ["cart", "db", "edge", "erp", "events", "iam", "mail", "media", "ops", "payments", "search", "shop"];

type Pair = {
  readonly key: FlowKey;
  readonly perMinute: number;
  readonly rhythm: number;
  readonly shape: number;
  readonly cron:
    | { readonly every: number; readonly at: number; readonly lasts: number; readonly count: number }
    | undefined;
  /** A walk about 1 that comes back to it. */
  mood: number;
  stormUntil: number;
  storm: number;
};

/** Counted beside what pairs do by themselves. */
type Extra = Planted & { readonly counts: (minute: number, random: Random) => readonly Counted[] };

export function recordedDay(seed: number): RecordedDay {
  const random = createRandom(seed);
  const pairs = Array.from({ length: 320 }, () => pairOf(random));
  const { extras, change } = extrasOf(random, pairs);
  return {
    judgedFromMs: startMs + dayMinutes * minuteMs,
    planted: extras.map(({ counts: _counts, ...planted }) => planted),
    *minutes() {
      const noise = createRandom(seed + 1_000_003);
      for (let minute = 0; minute < 2 * dayMinutes; minute += 1) {
        const at = startMs + minute * minuteMs;
        const own = pairs.flatMap((pair) => counted(pair.key, ownCount(pair, minute, noise)));
        const extra = extras.flatMap((one) => one.counts(minute, noise));
        yield {
          minuteMs: at,
          counted: summed([...own, ...extra, ...internet(noise)]),
          isHeard: true,
          changes: change.atMs <= at + minuteMs && change.atMs > at - 15 * minuteMs ? [change] : [],
          isMuted: () => false,
          cut: nothingCut,
        };
      }
    },
  };
}

function pairOf(random: Random): Pair {
  const cron = random.unit() < 0.08;
  return {
    key: keyOf(workload(random), workload(random), random.pick([80, 443, 5432, 6379, 8080, 9092, 53])),
    perMinute: Math.min(80, 0.15 * Math.exp(2 * random.normal())),
    rhythm: random.unit() < 0.6 ? random.between(0.4, 0.9) : 0,
    shape: random.between(2, 12),
    cron: cron
      ? {
          every: random.pick([5, 15, 60]),
          at: random.integer(0, 60),
          lasts: random.integer(1, 3),
          count: random.between(5, 18),
        }
      : undefined,
    mood: 1,
    stormUntil: 0,
    storm: 0,
  };
}

/** With what moves it: the hour, its mood, its cron, and storms of retries now and then. */
function ownCount(pair: Pair, minute: number, random: Random): number {
  const { perMinute, rhythm, shape, cron } = pair;
  pair.mood = Math.max(0.3, pair.mood + 0.02 * (1 - pair.mood) + 0.04 * random.normal());
  if (minute >= pair.stormUntil && random.unit() < 1 / 4_000) {
    pair.stormUntil = minute + random.integer(1, 7);
    pair.storm = random.between(3, 15);
  }
  const hours = ((minute % dayMinutes) / 60 - 14 + 24) % 24;
  const day = 1 - rhythm * (0.5 - 0.5 * Math.cos((hours / 24) * 2 * Math.PI));
  const storm = minute < pair.stormUntil ? random.count(pair.storm) : 0;
  const isCron = cron !== undefined && (minute - cron.at + cron.every * 60) % cron.every < cron.lasts;
  return random.count(perMinute * day * pair.mood, shape) + storm + (isCron ? random.count(cron.count) : 0);
}

/** Somebody outside tries something, once. */
function internet(random: Random): readonly Counted[] {
  const edge: Place = { kind: "workload", namespace: "edge", of: "Deployment", name: "gateway" };
  return Array.from({ length: random.count(2) }, () => {
    const cidr = `${random.integer(1, 224)}.${random.integer(0, 256)}.${random.integer(0, 256)}.0/24`;
    return {
      key: keyOf({ kind: "range", cidr }, edge, random.pick([22, 23, 80, 443, 8080])),
      count: 1,
      atLeast: false,
    };
  });
}

function extrasOf(random: Random, pairs: readonly Pair[]) {
  const starts = startsOf(random, 8);
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0, ...short] = starts;
  const change = {
    id: "r-planted",
    namespace: random.pick(namespaces),
    atMs: startMs + Math.round((fourth - random.between(0.3, 1.5)) * minuteMs),
  };
  const busy = random.pick(pairs.toSorted((a, b) => b.perMinute - a.perMinute).slice(1, 9));
  const quiet = random.pick(pairs.filter(({ perMinute, cron }) => perMinute < 0.2 && cron === undefined));
  const middling = pairs.filter(({ perMinute }) => perMinute > 1 && perMinute < 5);
  const extras: readonly Extra[] = [
    onPair("sudden, on a busy pair", busy.key, {
      start: first,
      lasts: random.between(12, 40),
      perMinute: busy.perMinute * 4 + 20,
    }),
    onPair("sudden, on a quiet pair", quiet.key, {
      start: second,
      lasts: random.between(8, 30),
      perMinute: random.between(40, 90),
    }),
    onPair("a new pair", newKey("never-seen"), {
      start: third,
      lasts: random.between(10, 30),
      perMinute: random.between(30, 60),
    }),
    wholeNamespace(random, pairs, { start: fourth, lasts: random.between(8, 25), change }),
    onPair("a burst of six minutes", random.pick(middling).key, {
      start: fifth,
      lasts: 6,
      perMinute: random.between(60, 120),
    }),
    ...short.map((start, index) => shortBurst(random.pick(middling).key, { start, minutes: index + 1, random })),
    drift(newKey("drifting")),
    nightly(random),
    scanner(random, starts),
  ];
  return { extras, change };
}

/** On the second day, not in its first half hour, and three quarters of an hour from each other. */
function startsOf(random: Random, count: number): readonly number[] {
  const starts: number[] = [];
  while (starts.length < count) {
    const start = dayMinutes + random.between(30, dayMinutes - 60);
    if (starts.every((other) => Math.abs(other - start) > 45)) starts.push(start);
  }
  return starts;
}

type Burst = { readonly start: number; readonly lasts: number; readonly perMinute: number };

/** It begins and ends in the midst of a minute. */
function onPair(name: string, key: FlowKey, { start, lasts, perMinute }: Burst): Extra {
  return {
    ...planted(name, { start, end: start + lasts, keys: [key] }),
    counts: (minute, random) => counted(key, random.count(perMinute * overlap(minute, start, start + lasts), 8)),
  };
}

type Short = { readonly start: number; readonly minutes: number; readonly random: Random };

function shortBurst(key: FlowKey, { start, minutes, random }: Short): Extra {
  const burst = { start, lasts: minutes, perMinute: random.between(60, 120) };
  return { ...onPair(`a burst of ${minutes} min`, key, burst), told: "perhaps" };
}

function wholeNamespace(
  random: Random,
  pairs: readonly Pair[],
  { start, lasts, change }: { readonly start: number; readonly lasts: number; readonly change: PolicyChangeAt },
): Extra {
  const { namespace = "" } = change;
  const known = pairs
    .filter(({ key }) => key.to.kind === "workload" && key.to.namespace === namespace)
    .map(({ key }) => key);
  const fresh = Array.from({ length: 18 }, (_, index) =>
    keyOf(workload(random), { kind: "workload", namespace, of: "Deployment", name: `app-${index}` }, 8080),
  );
  const keys = [...known.slice(0, 15), ...fresh].map((key) => ({ key, perMinute: random.between(2, 8) }));
  return {
    ...planted("a whole namespace after a change", { start, end: start + lasts, keys: keys.map(({ key }) => key) }),
    change: change.id,
    counts: (minute, by) =>
      keys.flatMap(({ key, perMinute }) =>
        counted(key, by.count(perMinute * overlap(minute, start, start + lasts), 4)),
      ),
  };
}

/** From 10 to 100 a minute over the second day. */
function drift(key: FlowKey): Extra {
  return {
    ...planted("a slow drift", { start: 0, end: 2 * dayMinutes, keys: [key], told: false }),
    counts: (minute, random) =>
      counted(key, random.count(10 + Math.max(0, (90 * (minute - dayMinutes)) / dayMinutes), 12)),
  };
}

/** A quarter past two each night, not to the minute. */
function nightly(random: Random): Extra {
  const key = newKey("nightly");
  const nights = [0, dayMinutes].map((day) => ({
    start: day + random.between(130, 140),
    lasts: random.between(15, 25),
  }));
  const perMinute = random.between(80, 200);
  return {
    ...planted("a nightly job", { start: 0, end: 2 * dayMinutes, keys: [key], told: false }),
    counts: (minute, by) =>
      nights.flatMap(({ start, lasts }) =>
        counted(key, by.count(perMinute * overlap(minute, start, start + lasts), 6)),
      ),
  };
}

/** One pod tries everybody, each a few times. */
function scanner(random: Random, starts: readonly number[]): Extra {
  const from: Place = { kind: "workload", namespace: "ops", of: "Deployment", name: "scanner" };
  let start = 0;
  do start = dayMinutes + random.between(30, dayMinutes - 90);
  while (starts.some((other) => Math.abs(other - start) < 75));
  const [lasts, perMinute] = [random.between(15, 60), random.between(8, 60)];
  return {
    ...planted("a scanner", { start, end: start + lasts, keys: [{ from, to: from }], told: false }),
    counts: (minute, by) =>
      Array.from({ length: by.count(perMinute * overlap(minute, start, start + lasts)) }, () => ({
        key: keyOf(from, workload(by), by.integer(1, 10_000)),
        count: by.integer(1, 4),
        atLeast: false,
      })),
  };
}

function planted(
  name: string,
  {
    start,
    end,
    keys,
    told = true,
  }: { start: number; end: number; keys: readonly Pick<FlowKey, "from" | "to">[]; told?: boolean },
): Planted {
  const touched = keys.flatMap(({ from, to }) =>
    [from, to].flatMap((one) => (one.kind === "workload" ? [one.namespace] : [])),
  );
  return {
    name,
    told,
    fromMs: startMs + Math.floor(start) * minuteMs,
    toMs: startMs + Math.ceil(end) * minuteMs,
    namespaces: [...new Set(touched)],
  };
}

/** How much of the minute lies between the two. */
function overlap(minute: number, start: number, end: number): number {
  return Math.max(0, Math.min(minute + 1, end) - Math.max(minute, start));
}

function counted(key: FlowKey, count: number): readonly Counted[] {
  return count === 0 ? [] : [{ key, count, atLeast: false }];
}

function summed(all: readonly Counted[]): readonly Counted[] {
  return [...Map.groupBy(all, ({ key }) => key).values()].flatMap(([first, ...more]) =>
    first === undefined ? [] : [{ ...first, count: more.reduce((sum, { count }) => sum + count, first.count) }],
  );
}

function newKey(name: string): FlowKey {
  const place = (of: string): Place => ({ kind: "workload", namespace: name, of: "Deployment", name: of });
  return keyOf(place("client"), place("server"), 8443);
}

function workload(random: Random): Place {
  return {
    kind: "workload",
    namespace: random.pick(namespaces),
    of: "Deployment",
    name: `app-${random.integer(0, 8)}`,
  };
}

function keyOf(from: Place, to: Place, port: number): FlowKey {
  return {
    cluster: "home",
    class: "denied",
    from,
    to,
    protocol: "TCP",
    port,
    direction: "ingress",
    reason: "no-rule",
    policies: [],
  };
}
