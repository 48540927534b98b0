import { accept, learn, type Moment, passOver, rowOf } from "./baseline.ts";
import { type Baselines, copied, createBaselines, get, set, swept } from "./baselines.ts";
import { type Scan, scanId, scansAfter } from "./scans.ts";
import { type Counted, type CountedMinute, changesBefore, namespacesOf, type Spike, type SpikeEnd } from "./spike.ts";
import { groupsCut, isCut, isScanCut } from "./spike-cut.ts";
import { type Episode, ended, joined, type Over, opened, openedScan } from "./spike-episodes.ts";
import { type Group, groupsOf } from "./spike-groups.ts";
import { type SpikePace, usualPace } from "./spike-pace.ts";
import { identified, type Known, namespaceSeries, type PairSeries, pairSeries, type Series } from "./spike-series.ts";

/** What is known of one cluster after the minutes that were judged. It is stored, and any replica goes on from it. */
export type SpikeState = {
  readonly cluster: string;
  /** The last minute that was judged; undefined: none yet. */
  readonly minuteMs: number | undefined;
  /** How many minutes were judged. */
  readonly tick: number;
  readonly table: Baselines;
  readonly episodes: readonly Episode[];
  readonly scans: readonly Scan[];
};

export type Step = {
  readonly state: SpikeState;
  readonly begun: readonly Spike[];
  /** Those that were told, and are wider or higher now. */
  readonly grown: readonly Spike[];
  readonly ended: readonly SpikeEnd[];
};

/** After its end a matter is told again only so much later, twice as long each time, unless it follows a new change. */
const cooling = { ticks: 30, mostDoublings: 5 } as const;
const mostEpisodes = 100;
const sweepTicks = 60;

/** `most`: series, of pairs and namespaces. */
export function createSpikes(cluster: string, most = 20_000): SpikeState {
  return { cluster, minuteMs: undefined, tick: 0, table: createBaselines(most), episodes: [], scans: [] };
}

/** Judges the next minute. The same state and minute give the same, whichever replica it is. */
export function step(state: SpikeState, minute: CountedMinute, pace = usualPace): Step {
  const { minuteMs } = minute;
  if (!minute.isHeard) return { state: { ...state, minuteMs }, begun: [], grown: [], ended: [] };
  const at = { minuteMs, tick: state.tick + 1 };
  const { known, scans } = withoutScans(state, minute, pace);
  const judged = judge(at.tick % sweepTicks === 0 ? { ...state, table: swept(state.table, at.tick) } : state, {
    known,
    minute,
    at,
  });
  const told = tell({ ...state, scans }, { judged, minute, at, pace });
  const after = ended(told.episodes, judged.series, { at, scans, pace, cut: minute.cut });
  teach(judged, { episodes: told.episodes, minute, at });
  const table = coolDown(judged, after.over, at);
  return {
    state: { ...state, minuteMs, tick: at.tick, table, episodes: after.episodes, scans },
    begun: told.begun,
    grown: [...new Set([...told.grown, ...after.grown])],
    ended: after.over.map(({ end }) => end),
  };
}

/** What a scan reaches that was never seen is neither counted nor kept: it would push out what is. */
function withoutScans(
  { table, scans, tick }: SpikeState,
  { counted, changes, minuteMs }: CountedMinute,
  { learn: learning }: SpikePace,
) {
  const all = identified(counted);
  if (tick < learning) return { known: all, scans: [] };
  const fresh = all.filter(({ id }) => !table.rows.has(id));
  const mayBe = ({ key }: Counted) => changesBefore(changes, namespacesOf(key), minuteMs).length === 0;
  const after = scansAfter(
    scans,
    fresh.map(({ of }) => of),
    mayBe,
  );
  const scanning = new Set(after.filter(({ isOne }) => isOne).map(({ id }) => id));
  const isOfScan = ({ of }: Known) => scanning.has(scanId(of.key.from)) && mayBe(of);
  const left = new Set(scanning.size === 0 ? [] : fresh.filter(isOfScan));
  return { known: all.filter((one) => !left.has(one)), scans: after };
}

type Judged = {
  readonly table: Baselines;
  readonly pairs: readonly PairSeries[];
  readonly namespaces: readonly Series[];
  readonly series: ReadonlyMap<number, Series>;
};

/** Of what is told already, muted or cut off on purpose, only what is usual counts in its namespaces. */
function judge(
  { table, episodes }: SpikeState,
  { known, minute, at }: Omit<Now, "judged" | "pace"> & { readonly known: readonly Known[] },
): Judged {
  const told = toldOf(episodes);
  const pairs = pairSeries(copied(table), known, at);
  const isKnown = ({ id, of }: PairSeries) => told.has(id) || minute.isMuted(of.key) || isCooling(pairs.table, id, at);
  const namespaces = namespaceSeries(pairs.table, pairs.series, at, (pair) => {
    const usual = Math.min(pair.count, pair.usual.level);
    if (isCut(pair, minute)) return { count: usual, full: usual };
    return { count: isKnown(pair) ? usual : pair.count, full: pair.count };
  });
  const all = [...pairs.series, ...namespaces.series].map((one) => [one.id, one] as const);
  return { table: namespaces.table, pairs: pairs.series, namespaces: namespaces.series, series: new Map(all) };
}

type Now = {
  readonly judged: Judged;
  readonly minute: CountedMinute;
  readonly at: Moment;
  readonly pace: SpikePace;
};

function tell(state: SpikeState, now: Now) {
  const { judged, minute, at, pace } = now;
  const place = { cluster: state.cluster, at, minute };
  const episodes = [...state.episodes];
  const [begun, grown]: [Spike[], Spike[]] = [[], []];
  const free = judged.pairs.filter((one) => !isCut(one, minute));
  const open = (episode: Episode): void => {
    if (episodes.length >= mostEpisodes) return;
    episodes.push(episode);
    begun.push(episode.spike);
  };
  for (const group of at.tick <= pace.learn ? [] : groups(state, now)) {
    const index = episodes.findIndex((one) => joined(one, group, at) !== undefined);
    const wider = episodes[index] && joined(episodes[index], group, at);
    if (wider === undefined) open(opened(group, free, place));
    else {
      if (wider !== episodes[index]) grown.push(wider.spike);
      episodes[index] = wider;
    }
  }
  const told = toldOf(episodes);
  for (const scan of at.tick <= pace.learn ? [] : state.scans) {
    const isKnown = told.has(scan.id) || isCooling(judged.table, scan.id, at) || isScanCut(scan, minute);
    if (scan.isOne && !isKnown) open(openedScan(scan, place));
  }
  return { episodes, begun, grown };
}

/** What is told of now, of what is not told already. */
function groups(state: SpikeState, { judged, minute, at, pace }: Now): readonly Group[] {
  const told = toldOf(state.episodes);
  const isTold = ({ id, hot, namespaces }: Series): boolean => {
    if (hot < pace.confirm || told.has(id)) return false;
    return !isCooling(judged.table, id, at) || changesBefore(minute.changes, namespaces, at.minuteMs).length > 0;
  };
  const all = judged.pairs.filter((one) => !isCut(one, minute));
  const pairs = all.filter((one) => isTold(one) && !minute.isMuted(one.of.key));
  const namespaces = judged.namespaces.filter(isTold);
  const { changes, minuteMs: sinceMs } = minute;
  return [
    ...groupsOf({ pairs, namespaces, all, changes, sinceMs }),
    ...groupsCut(judged.pairs, state.episodes, minute),
  ];
}

/** What an operation cuts off is judged as any other once that is lifted: it is no part of what is told of the operation then. */
function toldOf(episodes: readonly Episode[]): ReadonlySet<number> {
  const unexpected = episodes.filter(({ spike }) => spike.operation === undefined);
  return new Set(unexpected.flatMap(({ watched }) => watched.map(({ id }) => id)));
}

/** A spike teaches no level, and what follows a change of a policy no hour either: it is no habit. What is cut off on purpose teaches nothing. */
function teach(
  { table, series }: Judged,
  { episodes, minute, at }: Omit<Now, "judged" | "pace"> & Pick<SpikeState, "episodes">,
) {
  const told = new Map(episodes.flatMap((episode) => episode.watched.map(({ id }) => [id, episode.spike] as const)));
  for (const one of series.values()) {
    const { id, count, full, hot, namespaces, width } = one;
    if (isCut(one, minute)) {
      passOver(table, table.rows.get(id), at);
      continue;
    }
    const spike = told.get(id);
    const follows = spike?.follows ?? (hot > 0 ? changesBefore(minute.changes, namespaces, at.minuteMs) : []);
    const teaches = { level: spike === undefined, habit: follows.length === 0 };
    const taught = [{ id, full: full > count ? full : 0 }, ...(width === undefined ? [] : [{ id: width.id, full: 0 }])];
    for (const { id: taughtId, full: all } of taught) {
      const row = table.rows.get(taughtId);
      if (row !== undefined) learn(table, row, { at, full: all, teaches });
    }
  }
}

/** The table, in which also a scan has a row then. */
function coolDown({ table, series }: Judged, over: readonly Over[], at: Moment): Baselines {
  let cooled = table;
  for (const { episode, end } of over.filter(({ end: { why } }) => why !== "lifted")) {
    for (const { id } of episode.watched) {
      const found = rowOf(cooled, id, at.tick);
      cooled = found.table;
      const told = get(cooled, found.row, "told");
      const ticks = cooling.ticks * 2 ** Math.min(told, cooling.mostDoublings);
      set(cooled, found.row, "told", told + 1);
      set(cooled, found.row, "coolUntil", at.tick + ticks);
      if (end.why === "usual") accept(cooled, found.row, series.get(id)?.count ?? 0);
    }
  }
  return cooled;
}

function isCooling(table: Baselines, id: number, at: Moment): boolean {
  const row = table.rows.get(id);
  return row !== undefined && get(table, row, "coolUntil") > at.tick;
}
