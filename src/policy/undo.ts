import { merge } from "./merge.ts";
import { type Image, lineageOf, type Revision, sameImage, specHash } from "./revision.ts";
import { holdsBack, ownerOperation } from "./undo-candidates.ts";
import type { UndoWay, UndoWrite } from "./undo-plan.ts";

/** A policy as it stands now, and all that is kept of it. */
export type Standing = {
  readonly image: Image | undefined;
  readonly uid: string | undefined;
  /** It is being deleted, and a finalizer keeps it there. */
  readonly terminating: boolean;
  /** Newest first. */
  readonly lineage: readonly Revision[];
};

/** What undoing comes to. */
export type Undoing = {
  /** One for each policy that changes, that of the newest change first. */
  readonly writes: readonly UndoWrite[];
  /** Newest first; with what came later and is undone with it. */
  readonly undone: readonly Revision[];
  /** Those that are as they were before already. */
  readonly nothing: readonly Revision[];
  /** What of later changes stays, as sentences' subjects: the revision and why. */
  readonly kept: readonly Kept[];
  /** Where it ends: neither that change nor an older one is undone. */
  readonly stop: Stop | undefined;
};

/** What stays of the policy though its change is undone: paths of metadata, or later changes of what it does. */
export type Kept = { readonly revision: Revision; readonly what: "metadata" | "merged" };

/** Why a change cannot be undone as was asked, a clause; who came later; and which ways would get past it. */
export type Stop = {
  readonly revision: Revision;
  readonly why: string;
  /** Newest first; none where nobody has told of it yet. */
  readonly later: readonly Revision[];
  readonly ways: readonly UndoWay[];
};

type State = {
  readonly writes: ReadonlyMap<string, UndoWrite>;
  readonly undone: readonly Revision[];
  readonly nothing: readonly Revision[];
  readonly kept: readonly Kept[];
};

/**
 * What reverses the changes, newest first, in policies as they are now (by lineageOf): each change from what it came to, back to
 * what was before. It ends at the first that cannot be: what is older could rest on that. Throws where a policy's standing is missing.
 */
export function undo(changes: readonly Revision[], standings: ReadonlyMap<string, Standing>, way: UndoWay): Undoing {
  const asked = new Set(changes.map(({ id }) => id));
  let state: State = { writes: new Map(), undone: [], nothing: [], kept: [] };
  for (const revision of changes.toSorted(newestFirst)) {
    if (state.undone.some(({ id }) => id === revision.id)) continue;
    const next = stepBack(state, { revision, standing: standingOf(standings, revision), asked, way });
    if ("why" in next) return { ...finished(state), stop: next };
    state = next;
  }
  return { ...finished(state), stop: undefined };
}

function standingOf(standings: ReadonlyMap<string, Standing>, revision: Revision): Standing {
  const standing = standings.get(lineageOf(revision));
  if (standing === undefined) throw new Error(`nobody read how ${lineageOf(revision)} stands`);
  return standing;
}

/** By the server's versions, which rise over all objects of one store; by when it was seen where these do not say. */
export function newestFirst(one: Revision, other: Revision): number {
  const [a, b] = [versionOf(one), versionOf(other)];
  if (a !== undefined && b !== undefined && a !== b) return a > b ? -1 : 1;
  return other.at - one.at;
}

function versionOf({ resourceVersion }: Revision): bigint | undefined {
  return /^\d+$/.test(resourceVersion) ? BigInt(resourceVersion) : undefined;
}

/** What goes from a form to the same is no write. */
function finished({ writes, ...rest }: State): Omit<Undoing, "stop"> {
  return { ...rest, writes: [...writes.values()].filter(({ from, to }) => !sameImage(from, to)) };
}

type Step = {
  readonly revision: Revision;
  readonly standing: Standing;
  readonly asked: ReadonlySet<string>;
  readonly way: UndoWay;
};

function stepBack(state: State, step: Step): State | Stop {
  const { revision, standing } = step;
  const key = lineageOf(revision);
  const write = state.writes.get(key) ?? { from: standing.image, uid: standing.uid, to: standing.image };
  const back = reversed(write.to, step, state);
  if ("why" in back) return back;
  const { to, kept, undone } = back;
  if (undone.length === 0) return { ...state, nothing: [...state.nothing, revision] };
  if (standing.terminating)
    return { revision, why: "it is being deleted, and a finalizer keeps it there", later: [], ways: [] };
  const held = holdsBack(write.from, to);
  if (held !== undefined) return { revision, why: held, later: [], ways: [] };
  return {
    writes: new Map([...state.writes, [key, { ...write, to }]]),
    undone: [...state.undone, ...undone],
    nothing: state.nothing,
    kept: kept === undefined ? state.kept : [...state.kept, { revision, what: kept }],
  };
}

type Reversed = {
  readonly to: Image | undefined;
  readonly kept?: Kept["what"];
  /** Newest first; none where it is as it was. */
  readonly undone: readonly Revision[];
};

function reversed(current: Image | undefined, step: Step, state: State): Reversed | Stop {
  const { revision } = step;
  const { before, after } = revision;
  if (sameImage(current, after)) return { to: before, undone: [revision] };
  if (doesTheSame(current, before)) return { to: current, undone: [] };
  if (doesTheSame(current, after)) {
    const merged = mergedImage(revision, current);
    if (merged.conflicts.length === 0) return { to: merged.image, kept: "metadata", undone: [revision] };
  }
  return byChoice(current, step, laterThan(step, state));
}

/** Whatever its labels are. */
function doesTheSame(one: Image | undefined, other: Image | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return specHash(one) === specHash(other);
}

function byChoice(current: Image | undefined, { revision, way }: Step, later: readonly Revision[]): Reversed | Stop {
  const merged = mergedImage(revision, current);
  const ours = later.find((one) => ownerOperation(one) !== undefined);
  const ways: UndoWay[] = [
    ...(ours === undefined ? (["later-too"] as const) : []),
    ...(merged.conflicts.length === 0 ? (["merge"] as const) : []),
  ];
  if (way === "later-too" && ours === undefined) return { to: revision.before, undone: [...later, revision] };
  if (way === "merge" && merged.conflicts.length === 0) return { to: merged.image, kept: "merged", undone: [revision] };
  return { revision, why: whyNot(way, merged, ours), later, ways };
}

function whyNot(way: UndoWay, { conflicts }: MergedImage, ours: Revision | undefined): string {
  if (way === "merge") return `it cannot be merged: ${conflicts.join(", ")}`;
  if (way === "later-too" && ours !== undefined) {
    return `a later change of the policy is of ${ownerOperation(ours)}, and is undone by ending that alone`;
  }
  return "the policy was changed again after it";
}

type MergedImage = { readonly image: Image | undefined; readonly conflicts: readonly string[] };

/** Where a change made or deleted the policy, or the policy is not there, there is nothing to merge with. */
function mergedImage({ before, after }: Revision, current: Image | undefined): MergedImage {
  if (before === undefined || after === undefined || current === undefined) {
    return { image: undefined, conflicts: ["one of the changes made or deleted it"] };
  }
  const { value, conflicts } = merge({ base: after, one: current, other: before });
  const both = conflicts.filter((path) => path !== lastApplied).map((path) => `both changed ${path}`);
  // It has the members of an image, as each of the three has.
  return { image: value as Image, conflicts: both };
}

/** What kubectl applied last is a note for its next run: the newest stays, and it is no reason against merging. */
const lastApplied = "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration";

/** Neither asked for nor undone already, whether before or with this. */
function laterThan({ revision, standing, asked }: Step, { undone }: State): readonly Revision[] {
  return standing.lineage.filter(
    (one) =>
      newestFirst(one, revision) < 0 &&
      !asked.has(one.id) &&
      one.undoneBy === undefined &&
      !undone.some(({ id }) => id === one.id),
  );
}
