import { accept, learn, type Moment, rowOf } from "./baseline.ts";
import { type Baselines, copied, createBaselines, get, set, swept } from "./baselines.ts";
import { type Scan, scanId, scansAfter } from "./scans.ts";
import { type Counted, type CountedMinute, changesBefore, namespacesOf, type Spike, type SpikeEnd } from "./spike.ts";
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
  const after = ended(told.episodes, judged.series, { at, scans, pace });
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

/** Of what is told already, and of what is muted, only what is usual counts in its namespaces. */
function judge(
  { table, episodes }: SpikeState,
  { known, minute, at }: Omit<Now, "judged" | "pace"> & { readonly known: readonly Known[] },
): Judged {
  const told = new Set(episodes.flatMap(({ watched }) => watched.map(({ id }) => id)));
  const pairs = pairSeries(copied(table), known, at);
  const isKnown = ({ id, of }: PairSeries) => told.has(id) || minute.isMuted(of.key) || isCooling(pairs.table, id, at);
  const namespaces = namespaceSeries(pairs.table, pairs.series, at, (pair) =>
    isKnown(pair) ? Math.min(pair.count, pair.usual.level) : pair.count,
  );
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
  const open = (episode: Episode): void => {
    if (episodes.length >= mostEpisodes) return;
    episodes.push(episode);
    begun.push(episode.spike);
  };
  for (const group of at.tick <= pace.learn ? [] : groups(state, now)) {
    const index = episodes.findIndex((one) => joined(one, group, at) !== undefined);
    const wider = episodes[index] && joined(episodes[index], group, at);
    if (wider === undefined) open(opened(group, judged.pairs, place));
    else {
      episodes[index] = wider;
      grown.push(wider.spike);
    }
  }
  const told = new Set(episodes.flatMap(({ watched }) => watched.map(({ id }) => id)));
  for (const scan of at.tick <= pace.learn ? [] : state.scans) {
    if (scan.isOne && !told.has(scan.id) && !isCooling(judged.table, scan.id, at)) open(openedScan(scan, place));
  }
  return { episodes, begun, grown };
}

/** What is told of now, of what is not told already. */
function groups(state: SpikeState, { judged, minute, at, pace }: Now): readonly Group[] {
  const told = new Set(state.episodes.flatMap(({ watched }) => watched.map(({ id }) => id)));
  const isTold = ({ id, hot, namespaces }: Series): boolean => {
    if (hot < pace.confirm || told.has(id)) return false;
    return !isCooling(judged.table, id, at) || changesBefore(minute.changes, namespaces, at.minuteMs).length > 0;
  };
  const pairs = judged.pairs.filter((one) => isTold(one) && !minute.isMuted(one.of.key));
  const namespaces = judged.namespaces.filter(isTold);
  return groupsOf({ pairs, namespaces, all: judged.pairs, changes: minute.changes, sinceMs: at.minuteMs });
}

/** A spike teaches no level, and what follows a change of a policy no hour either: it is no habit. */
function teach(
  { table, series }: Judged,
  { episodes, minute, at }: Omit<Now, "judged" | "pace"> & Pick<SpikeState, "episodes">,
) {
  const told = new Map(episodes.flatMap((episode) => episode.watched.map(({ id }) => [id, episode.spike] as const)));
  for (const { id, count, full, hot, namespaces, width } of series.values()) {
    const spike = told.get(id);
    const follows = spike?.follows ?? (hot > 0 ? changesBefore(minute.changes, namespaces, at.minuteMs) : []);
    const teaches = { level: spike === undefined, habit: follows.length === 0 };
    const taught = [{ id, full: full > count ? full : 0 }, ...(width === undefined ? [] : [{ id: width.id, full: 0 }])];
    for (const one of taught) {
      const row = table.rows.get(one.id);
      if (row !== undefined) learn(table, row, { at, full: one.full, teaches });
    }
  }
}

/** The table, in which also a scan has a row then. */
function coolDown({ table, series }: Judged, over: readonly Over[], at: Moment): Baselines {
  let cooled = table;
  for (const { episode, end } of over) {
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
