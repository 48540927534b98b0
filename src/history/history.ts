import type { Redis } from "ioredis";
import type { Recorded } from "../policy/authors.ts";
import type { Author, Image, PolicyKey, Revision } from "../policy/revision.ts";
import type { Sight } from "../policy/sight.ts";
import { beginAnew } from "./anew.ts";
import { createAttribution } from "./attribution.ts";
import { emptyLineage, fold, keyOf } from "./fold.ts";
import { readHeads } from "./heads.ts";
import { codeOf } from "./keys.ts";
import { headOf, imageOfForm, type Lineage } from "./lineage.ts";
import { withUndo } from "./notes.ts";
import { query } from "./query.ts";
import { revisionOf, stepsOf } from "./revisions.ts";
import { search } from "./search.ts";
import { type Change, createStore } from "./store.ts";
import { trimBefore, within } from "./trim.ts";

/** A form that is known to be the newest, of a policy that is there. */
export type Known = { readonly uid: string; readonly resourceVersion: string; readonly image: Image };

export type HistoryQuery = {
  /** Undefined: all. */
  readonly cluster?: string | undefined;
  /** The empty name is for what is cluster-scoped; undefined: all. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** Milliseconds since the epoch, both included. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Only what lies there: what does not counts for nothing, and is hardly read. */
  readonly where?: Where | undefined;
  /** Of these, only those. */
  readonly which?: ((revision: Revision) => boolean) | undefined;
  readonly limit: number;
};

/** Whether what lies there is asked for, or may be told. */
export type Where = (place: Pick<PolicyKey, "cluster" | "namespace">) => boolean;

/** What becomes known of who made a change, beside the object: which one, and who. */
export type Attribution = {
  readonly cluster: string;
  readonly uid: string;
  /** The version that the change made; `deleted` for the deletion of that uid. */
  readonly resourceVersion: string;
  readonly author: Author;
};

/** Every method throws where the store is away. */
export type History = {
  /** Records what became different, once whoever sees it; in whatever order replicas tell it. */
  saw(sights: readonly Sight[]): Promise<void>;
  /** What is recorded as there now, by lineageOf, of one cluster. */
  known(cluster: string): Promise<ReadonlyMap<string, Known & { readonly key: PolicyKey }>>;
  /** By id or the beginning of one: all that match and lie there, at most a few. */
  find(id: string, where?: Where): Promise<readonly Revision[]>;
  /** Newest first. */
  list(query: HistoryQuery): Promise<readonly Revision[]>;
  /** All that is kept of one policy, newest first: deleted and made again is one. */
  lineage(key: PolicyKey): Promise<readonly Revision[]>;
  /** Kept for some time for a revision that is yet to come. */
  attribute(attribution: Attribution): Promise<void>;
  /** By which undo these were undone; undefined: they are not any more. */
  markUndone(revisions: readonly string[], undo: string | undefined): Promise<void>;
  /** Begins the cluster's history anew where it is another cluster than the one of that name before; answers whether it did. */
  beginAnewIfOther(cluster: string, identity: string): Promise<boolean>;
  /** Takes away what is too old by `keepMs`; how many revisions that were. */
  trim(now: number): Promise<number>;
};

export type HistoryOptions = {
  /** How long a revision is kept, milliseconds. */
  readonly keepMs: number;
  /** How many revisions of one policy are kept; at least 1. */
  readonly perPolicy: number;
  /** Who made what a sight shows, by the object alone; nobody where it is left out. */
  readonly authors?: (sight: Sight, recorded: Recorded | undefined) => readonly Author[];
  /** Told of what is stored and cannot be read: it is left out, and stays as it is. */
  readonly onProblem?: (error: unknown) => void;
};

/** The history in Redis, for any number of replicas. */
export function createHistory(redis: Redis, options: HistoryOptions): History {
  const { keepMs, onProblem = () => undefined } = options;
  const store = createStore(redis, onProblem);
  const attribution = createAttribution(redis, store);

  return {
    async saw(sights) {
      for (const [cluster, all] of Map.groupBy(sights, (sight) => sight.cluster)) {
        const byCode = Map.groupBy(all, (sight) => codeOf(keyOf(sight)));
        const changes = [...byCode].map(([code, some]) => [code, told(some, options)] as const);
        await attribution.arrived((await store.change(cluster, new Map(changes))).added);
      }
    },
    known: (cluster) => readHeads(redis, cluster, onProblem),
    find: (id, where) => search(redis, store, { id, where }),
    list: (asked) => query(redis, store, asked),
    async lineage(key) {
      const code = codeOf(key);
      const lineage = (await store.read(key.cluster, [code])).get(code);
      const steps = lineage === undefined ? [] : stepsOf(lineage).toReversed();
      return steps.flatMap((step) => (lineage === undefined ? [] : [revisionOf(lineage, step)]));
    },
    attribute: (found) => attribution.add(found),
    markUndone: (revisions, undo) => attribution.note(revisions, (lineage, id) => withUndo(lineage, id, undo)),
    beginAnewIfOther: (cluster, identity) => beginAnew(redis, { cluster, identity, keepMs }),
    trim: (now) => trimBefore(redis, store, now - keepMs),
  };
}

/** For what was found without a form before it. */
function recordedBefore(lineage: Lineage, sight: Sight): Recorded | undefined {
  if (sight.kind === "gone" || sight.previous !== undefined || sight.continuous) return undefined;
  const head = headOf(lineage);
  if (head === undefined || head.uid !== sight.object.metadata.uid) return undefined;
  return { image: imageOfForm(head.point.form), at: head.point.at };
}

/** What sights of one policy make of what is known of it. */
function told(sights: readonly Sight[], { perPolicy, authors = () => [] }: HistoryOptions): Change {
  return (lineage) => {
    const after = sights.reduce<Lineage | undefined>((state, sight) => {
      const before = state ?? emptyLineage(keyOf(sight));
      const next = fold(before, sight, authors(sight, recordedBefore(before, sight)));
      return next === before ? state : next;
    }, lineage);
    return after && within(after, { since: Number.NEGATIVE_INFINITY, most: perPolicy });
  };
}
