import { canonicalJson } from "../policy/canonical.ts";
import type { Author } from "../policy/revision.ts";
import type { Lineage, Note } from "./lineage.ts";
import { stepsOf } from "./revisions.ts";

/**
 * With one more author of that revision. Of users only the one whose request came first: a version is made by one, and who
 * applies again what is there already is answered with the same. Whose request came after the change was seen did not make it.
 */
export function withAuthor(lineage: Lineage, revision: string, author: Author): Lineage {
  const { authors = [], ...note } = lineage.notes[revision] ?? {};
  const text = canonicalJson(author);
  if (authors.some((one) => canonicalJson(one) === text)) return lineage;
  if (author.kind !== "user") return withNote(lineage, revision, { ...note, authors: [...authors, author] });
  const users = authors.filter((one) => one.kind === "user");
  if (isTooLate(lineage, revision, author) || users.some((one) => receivedAt(one) <= receivedAt(author)))
    return lineage;
  const others = authors.filter((one) => one.kind !== "user");
  return withNote(lineage, revision, { ...note, authors: [...others, author] });
}

type User = Extract<Author, { kind: "user" }>;

/** Clocks of API servers and replicas differ by less; whoever applies the same later than that is told from who made it. */
const skewMs = 10_000;

function isTooLate(lineage: Lineage, revision: string, { receivedAt: at }: User): boolean {
  const seen = stepsOf(lineage).find(({ id }) => id === revision)?.at;
  return at !== undefined && seen !== undefined && at > seen + skewMs;
}

function receivedAt({ receivedAt: at }: User): number {
  return at ?? Number.POSITIVE_INFINITY;
}

/** Undefined: it is not undone any more. */
export function withUndo(lineage: Lineage, revision: string, undo: string | undefined): Lineage {
  const { undoneBy, ...note } = lineage.notes[revision] ?? {};
  if (undoneBy === undo) return lineage;
  return withNote(lineage, revision, undo === undefined ? note : { ...note, undoneBy: undo });
}

/** Without notes of revisions that are not there. */
export function pruned(lineage: Lineage): Lineage {
  const ids = new Set(stepsOf(lineage).map(({ id }) => id));
  const notes = Object.entries(lineage.notes);
  if (notes.every(([id]) => ids.has(id))) return lineage;
  return { ...lineage, notes: Object.fromEntries(notes.filter(([id]) => ids.has(id))) };
}

function withNote(lineage: Lineage, revision: string, note: Note): Lineage {
  return { ...lineage, notes: { ...lineage.notes, [revision]: note } };
}
