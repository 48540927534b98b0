import { authorWords } from "../policy/author-words.ts";
import { manifestName } from "../policy/manifest.ts";
import { ownershipOf } from "../policy/owner.ts";
import { ownerName } from "../policy/owner-words.ts";
import { type Revision, referenceOf } from "../policy/revision.ts";
import type { Effect } from "./change-effect.ts";

/** What a change did to connections; undefined where that was not worked out. */
export type Worked = Pick<Effect, "opens" | "closes" | "undecided"> | undefined;

/**
 * A change in one line: when, which, of what, by whom, what it opens and closes, whose it is, and whether it was undone.
 * `cluster`: where several are configured.
 */
export function historyLine(revision: Revision, effect: Worked, cluster: string | undefined): string {
  const { id, at, change, undoneBy } = revision;
  const where = cluster === undefined ? "" : ` of ${cluster}`;
  const undone = undoneBy === undefined ? [] : [`Undone by ${undoneBy}.`];
  return [
    `${timeWords(at)} ${id}: ${manifestName(referenceOf(revision))}${where} was ${change} by ${whoWords(revision)}.`,
    effectWords(effect),
    ...ownerLine(revision),
    ...undone,
  ].join(" ");
}

/** `2026-01-01 10:00:00 UTC`, of milliseconds since the epoch. */
export function timeWords(at: number): string {
  return new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
}

/** The author, and that there may have been steps between which nobody saw. */
export function whoWords({ authors, gap }: Pick<Revision, "authors" | "gap">): string {
  if (!gap) return authors.length === 0 ? "somebody unknown" : authorWords(authors);
  if (authors.length === 0) return "somebody unknown, while nobody watched";
  return `${authorWords(authors)}, while nobody watched: steps before it are not known`;
}

function effectWords(effect: Worked): string {
  if (effect === undefined) return "What it opens and closes was not evaluated.";
  const { opens, closes, undecided } = effect;
  const words = [...told("Opens", opens), ...told("Closes", closes), ...told("Undecided:", undecided)];
  return words.length === 0 ? "Opens and closes nothing." : words.join(" ");
}

function told(what: string, [first, ...more]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return [`${what} ${first.replace(/\.$/, "").replace(/^Not certain: /, "")}${others}.`];
}

/** Whose the policy is, beside Bulkhead and whoever applied it, who are told as authors. */
function ownerLine({ before, after }: Revision): readonly string[] {
  const image = after ?? before;
  const owners = image === undefined ? [] : ownershipOf(image).owners;
  const told = owners.filter(({ kind }) => kind !== "bulkhead" && kind !== "kubectl-apply");
  return told.length === 0 ? [] : [`Owner: ${told.map(ownerName).join(", ")}.`];
}

/** A change beside other things that happened: `at` in milliseconds since the epoch, and a short line without the time. */
export type ChangeAt = { readonly at: number; readonly revision: string; readonly text: string };

/** The changes within a window, both ends included, oldest first: to be told or drawn beside what was denied then. */
export function changesWithin(
  revisions: readonly Revision[],
  { since, until }: { readonly since: number; readonly until: number },
): readonly ChangeAt[] {
  return revisions
    .filter(({ at }) => since <= at && at <= until)
    .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
    .map((revision) => ({
      at: revision.at,
      revision: revision.id,
      text: `${revision.id}: ${manifestName(referenceOf(revision))} ${revision.change} by ${whoWords(revision)}`,
    }));
}
